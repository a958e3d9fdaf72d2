//! Odd requests, configs, folders and environments.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::env::{Said, TestEnv};

const REQUEST: &str = "add a /health endpoint";
const PLAN: [&str; 4] = ["run", "--until", "plan", REQUEST];

fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Checks the exit code, that nothing panicked, and that an error has a help.
#[track_caller]
fn told(said: &Said, exit: i32, word: &str) {
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(said.exit == exit && all.contains(word) && !all.contains("panicked"), "{}: {all}", said.exit);
    let helps = ["help: ", "--help"].iter().any(|help| said.stderr.contains(help));
    assert!(exit == 0 || helps, "no help: {all}");
    assert!(all.len() < 20_000, "{} bytes", all.len());
    assert!(!all.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{all:?}");
}

#[test]
fn odd_requests() {
    let env = TestEnv::new();
    let root = env.service("service");
    let run = |args: &[&str]| env.orch(&root, &[&["run", "--until", "plan"], args].concat());
    for text in ["", "   ", "\n\t\r\n", "\u{202e}\u{200b}\u{feff}", "\u{1b}\u{7}"] {
        told(&run(&[text]), 2, "the request is empty");
    }
    told(&run(&[]), 2, "there is no request");
    told(&run(&["../../etc/passwd\u{1b}[31m $(touch x) `id` %s {{ 7*7 }}"]), 78, "");
    told(&run(&["::set-output name=x::y"]), 78, "");
    told(&run(&["add a /health\u{202e} endpoint\u{1b}\u{7}"]), 0, "has come as far as");
    let task = env.orch(&root, &["artifacts", "show", "task.json", "--run", "add-a-health"]).exits(0).stdout;
    assert!(!task.contains('\u{202e}') && !task.contains("\\u001b"), "{task}");

    let file = |name: &str, bytes: &[u8]| {
        fs::write(env.path(name), bytes).unwrap();
        env.path(name).display().to_string()
    };
    let megabyte = format!("{REQUEST} {}", "x".repeat(1_000_000));
    told(&run(&["--task-file", &file("mega", megabyte.as_bytes())]), 2, "over the limit");
    told(&run(&["--task-file", &file("huge", &vec![b'x'; 3 << 20])]), 2, "larger than 1 MiB");
    told(&run(&["--task-file", "/dev/zero"]), 2, "larger than 1 MiB");
    told(&run(&["--task-file", &file("binary", b"add \xff\xfe")]), 2, "not UTF-8");
    told(&run(&["--task-file", &file("empty", b"")]), 2, "the request is empty");
    told(&run(&["--task-file", &file("nul", b"add a /health\0 endpoint")]), 0, "has come as far as");
    told(&run(&["--task-file", "nowhere"]), 2, "the task file nowhere cannot be read");
    told(&run(&["--task-file", "src"]), 2, "the task file src cannot be read");
    told(&run(&["--task-file", "x", "and text"]), 2, "cannot be used with");
    for (bytes, exit, word) in [
        (REQUEST.as_bytes(), 0, "has come as far as"),
        (b"", 2, "the request is empty"),
        (b"\xff", 2, "not UTF-8"),
        (megabyte.as_bytes(), 2, "over the limit"),
    ] {
        let mut command = env.orch_command(&root, &["run", "--until", "plan", "--task-file", "-"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let exited = output.status.code().unwrap_or(-1);
        told(&Said { exit: exited, stdout: text(&output.stdout), stderr: text(&output.stderr) }, exit, word);
    }
}

#[test]
fn broken_configs_and_folders() {
    let env = TestEnv::new();
    let root = env.service("service");
    let deep = format!("a: {}{}", "[".repeat(20_000), "]".repeat(20_000));
    let bomb = (0..9).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        format!("{text}a{}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}, *a{n}, *a{n}, *a{n}, *a{n}]\n", n + 1, n + 1)
    });
    for (what, bytes) in [
        ("not YAML", b"a: [".as_slice()),
        ("a tab", b"verify:\n\trounds: 1\n"),
        ("an unknown key", b"verfy: {}\n"),
        ("a doubled key", b"version: 1\nversion: 1\n"),
        ("another type", b"verify: { rounds: many }\n"),
        ("another version", b"version: 99\n"),
        ("a list", b"- 1\n"),
        ("not UTF-8", b"service: \xff\n"),
        ("NUL", b"service: \"a\\0b\"\n"),
        ("two documents", b"version: 1\n---\nversion: 1\n"),
        ("a number out of range", b"sandbox: { limits: { seconds: 99999999999999999999 } }\n"),
        ("a path outside", b"artifacts: { folder: ../x }\n"),
        ("a hidden path", b"artifacts: { folder: .git }\n"),
        ("templates outside", b"templates: { folders: [../../x] }\n"),
        ("a missing folder of templates", b"templates: { folders: [nowhere] }\n"),
        ("a folder of templates that holds none", b"templates: { folders: [src/lib.rs] }\n"),
        ("deep", deep.as_bytes()),
        ("many aliases", bomb.as_bytes()),
    ] {
        fs::write(root.join("orch.yml"), bytes).unwrap();
        let said = env.orch(&root, &PLAN);
        assert_eq!(said.exit, 2, "{what}: {}{}", said.stdout, said.stderr);
        let all = format!("{}{}", said.stdout, said.stderr);
        let named = all.contains("orch.yml") || all.contains("templates");
        assert!(named && !all.contains("panicked") && all.len() < 4000, "{what}: {all}");
        assert!(!root.join("artifacts").exists(), "{what}");
        env.orch(&root, &["doctor"]).exits(2).says("No run is possible");
    }
    fs::remove_file(root.join("orch.yml")).unwrap();
    let own = root.join(".orch/workflows/change.yml");
    fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &own).unwrap();
    told(&env.orch(&root, &PLAN), 2, "no regular file");
    fs::remove_file(&own).unwrap();
    fs::write(&own, "steps: [").unwrap();
    told(&env.orch(&root, &PLAN), 2, "change.yml");
    fs::remove_file(&own).unwrap();
    fs::create_dir(root.join("orch.yml")).unwrap();
    let said = env.orch(&root, &PLAN);
    assert!([1, 2].contains(&said.exit), "{}", said.stderr);
    fs::remove_dir(root.join("orch.yml")).unwrap();
    told(&env.orch(&root, &["-C", "/nowhere", "run", REQUEST]), 2, "cannot be used");
    told(&env.orch(&root, &["-C", "Cargo.toml", "run", REQUEST]), 2, "git");
    told(&env.orch(&root, &["--config", "nowhere.yml", "run", REQUEST]), 2, "nowhere.yml");
    told(&env.orch(&root, &["run", "--until", "nowhere", REQUEST]), 2, "nowhere");
    told(&env.orch(&root, &["run", "--from-artifacts", "nowhere"]), 2, "no run `nowhere`");
}

#[test]
fn odd_environments() {
    let env = TestEnv::new();
    let root = env.service("service");
    let with = |change: &dyn Fn(&mut Command) -> &mut Command| {
        let _ = fs::remove_dir_all(root.join("artifacts"));
        let mut command = env.orch_command(&root, &PLAN);
        change(&mut command);
        said(&mut command)
    };
    told(&with(&|c| c.env_remove("HOME")), 0, "has come as far as");
    told(&with(&|c| c.env("HOME", "/nowhere")), 0, "has come as far as");
    told(&with(&|c| c.env("HOME", "")), 0, "has come as far as");
    told(&with(&|c| c.env("PATH", "")), 0, "has come as far as");
    told(&with(&|c| c.env_remove("PATH")), 0, "has come as far as");
    told(&with(&|c| c.env("LANG", "tlh_QO.KLINGON").env("LC_ALL", "\u{202e}")), 0, "has come as far as");
    told(&with(&|c| c.env("TERM", "").env("COLUMNS", "0").env("CI", "maybe")), 0, "has come as far as");
    for temp in ["/nowhere", "/proc/self", "/dev/null"] {
        told(&with(&|c| c.env("TMPDIR", temp)), 1, "TMPDIR");
    }
    // Inside the repository a clean copy would be no clean copy.
    fs::create_dir(root.join("inner")).unwrap();
    let inside = with(&|c| c.env("TMPDIR", root.join("inner")));
    assert!([1, 2, 3].contains(&inside.exit) && inside.stderr.contains("TMPDIR"), "{}", inside.stderr);
    for epoch in ["nonsense", "-5", "99999999999999999999", "253402300800", "1e9", " 1"] {
        told(&with(&|c| c.env("SOURCE_DATE_EPOCH", epoch)), 2, "SOURCE_DATE_EPOCH");
    }
    told(&with(&|c| c.env("SOURCE_DATE_EPOCH", "")), 0, "has come as far as");
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"a\xff\n");
    told(&with(&|c| c.env("ODD", odd).env("GIT_DIR", "/nowhere")), 0, "has come as far as");
    told(&with(&|c| c.arg(odd)), 2, "");
}

/// Makes a folder with links to every program on the path but git.
fn path_without_git(env: &TestEnv) -> std::path::PathBuf {
    let bin = env.path("bin");
    fs::create_dir(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for folder in std::env::split_paths(&path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_name().to_string_lossy().starts_with("git") {
                let _ = std::os::unix::fs::symlink(entry.path(), bin.join(entry.file_name()));
            }
        }
    }
    bin
}

#[test]
fn without_the_git_program_only_the_push_is_missing() {
    let env = TestEnv::new();
    let root = env.service("service");
    let bin = path_without_git(&env);
    // Linked programs that look for their own folder do not find it; the test command needs none of that.
    let run = |root: &Path| {
        let mut command = env.orch_command(root, &["run", REQUEST]);
        if let Some(cargo) = option_env!("CARGO").map(Path::new).and_then(Path::parent) {
            command.env("PATH", std::env::join_paths([cargo, bin.as_path()]).unwrap());
        }
        said(&mut command)
    };
    let pushing = run(&root);
    assert!(pushing.stderr.contains("git") && [1, 2, 75].contains(&pushing.exit), "{}", pushing.stderr);
    assert!(pushing.stderr.contains("help: "), "{}", pushing.stderr);
    fs::write(root.join("orch.yml"), "pr: { push: false }\n").unwrap();
    told(&run(&root), 0, "not pushed");
}
