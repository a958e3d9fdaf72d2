//! Unusual and broken repositories through `orch run` and `orch doctor`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::{Said, TestEnv, run_folder};

const REQUEST: &str = "add a /health endpoint";

/// Runs, checks the documented exit code and that there is no panic, and that an error tells what to do.
#[track_caller]
fn ends(env: &TestEnv, folder: &Path, args: &[&str], exit: i32, word: &str) -> Said {
    let said = env.orch(folder, args);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(!all.contains("panicked"), "{args:?}: {all}");
    assert_eq!(said.exit, exit, "{args:?}: {all}");
    assert!(all.contains(word), "{args:?}: no {word:?} in {all}");
    assert!(!said.stderr.contains("error: ") || said.stderr.contains("help: "), "{args:?}: no help: {all}");
    said
}

/// A plan is enough to read config, HEAD, tree and files.
const PLAN: [&str; 4] = ["run", "--until", "test-write", REQUEST];

#[test]
fn repositories_that_cannot_be_used_say_why() {
    let env = TestEnv::new();
    let none = env.path("none");
    fs::create_dir(&none).unwrap();
    let bare = env.path("bare.git");
    env.git(&none, &["init", "-q", "--bare", bare.to_str().unwrap()]);
    let empty = env.path("empty");
    env.git(&none, &["init", "-q", "-b", "main", empty.to_str().unwrap()]);
    let unborn = env.service("unborn");
    env.git(&unborn, &["symbolic-ref", "HEAD", "refs/heads/nowhere"]);
    for (folder, word) in [
        (&none, "is not in a git repository"),
        (&bare, "bare"),
        (&empty, "no commit yet on `main`"),
        (&unborn, "no commit yet on `nowhere`"),
    ] {
        ends(&env, folder, &PLAN, 2, word);
        ends(&env, folder, &["doctor"], 2, "No run is possible");
    }
    let garbage = env.service("garbage");
    fs::write(garbage.join(".git/HEAD"), "garbage\n").unwrap();
    ends(&env, &garbage, &PLAN, 1, "git fsck");
    let config = env.service("config");
    fs::write(config.join(".git/config"), "[core\nrepositoryformatversion = 77").unwrap();
    ends(&env, &config, &PLAN, 2, "");
    let format = env.service("format");
    env.git(&format, &["config", "core.repositoryformatversion", "1"]);
    env.git(&format, &["config", "extensions.objectFormat", "sha256"]);
    ends(&env, &format, &PLAN, 2, "");
    for folder in [&garbage, &config, &format] {
        ends(&env, folder, &["doctor"], 2, "No run is possible");
    }
}

#[test]
fn damaged_objects_are_named() {
    let env = TestEnv::new();
    let object = |root: &Path, name: &str| {
        let id = env.git(root, &["rev-parse", name]).trim().to_owned();
        root.join(".git/objects").join(&id[..2]).join(&id[2..])
    };
    for (case, name, exits, word) in [
        ("blob", "HEAD:src/lib.rs", [1, 2], "src/lib.rs"),
        ("tree", "HEAD^{tree}", [1, 2], "tree"),
        ("commit", "HEAD", [1, 2], "HEAD"),
    ] {
        for damage in ["gone", "junk", "cut"] {
            let root = env.service(&format!("{case}-{damage}"));
            let path = object(&root, name);
            let bytes = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            match damage {
                "junk" => fs::write(&path, "junk").unwrap(),
                "cut" => fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
                _ => {}
            }
            let said = env.orch(&root, &PLAN);
            let all = format!("{}{}", said.stdout, said.stderr);
            assert!(exits.contains(&said.exit) && !all.contains("panicked"), "{case} {damage}: {all}");
            assert!(all.contains(word) && said.stderr.contains("help: "), "{case} {damage}: {all}");
        }
    }
}

#[test]
fn unusual_repositories_work() {
    let env = TestEnv::new();
    let detached = env.service("detached");
    env.git(&detached, &["checkout", "-q", "--detach"]);
    ends(&env, &detached, &PLAN, 0, "has come as far as");

    let full = env.service("full");
    env.git(&full, &["commit", "-q", "--allow-empty", "-m", "more"]);
    let (shallow, url) = (env.path("shallow"), format!("file://{}", full.display()));
    env.git(&full, &["clone", "-q", "--depth=1", &url, shallow.to_str().unwrap()]);
    let tree = env.path("a tree");
    env.git(&full, &["worktree", "add", "-q", "--detach", tree.to_str().unwrap()]);
    let below = full.join("src");
    for folder in [&shallow, &tree, &below] {
        ends(&env, folder, &PLAN, 0, "has come as far as");
    }

    let odd = env.service("sp ace ü '\"$(touch x)`q");
    ends(&env, &odd, &PLAN, 0, "has come as far as");
    ends(&env, &odd, &["doctor"], 0, "");

    let outer = env.service("outer");
    let allowed = "protocol.file.allow=always";
    env.git(&outer, &["-c", allowed, "submodule", "-q", "add", full.to_str().unwrap(), "mods/inner"]);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    fs::write(outer.join("big.bin"), pointer).unwrap();
    fs::write(outer.join(".gitattributes"), "big.bin filter=lfs\n").unwrap();
    fs::write(outer.join("sitting.sock"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", outer.join("passwd")).unwrap();
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9-\xff\n");
    fs::write(outer.join(name), "odd\n").unwrap();
    env.git(&outer, &["add", "-A"]);
    env.git(&outer, &["commit", "-q", "-m", "unusual"]);
    ends(&env, &outer, &["run", "--until", "verify-red", REQUEST], 0, "has come as far as");
    // In the checkout of a submodule that very repository is meant.
    ends(&env, &outer.join("mods/inner"), &PLAN, 0, "has come as far as");
    assert!(outer.join("mods/inner/artifacts").is_dir());
}

#[test]
fn a_file_with_crlf_line_ends_keeps_them() {
    let env = TestEnv::new();
    let root = env.service("service");
    let source = fs::read_to_string(root.join("src/lib.rs")).unwrap().replace('\n', "\r\n");
    fs::write(root.join("src/lib.rs"), source).unwrap();
    env.git(&root, &["commit", "-q", "-am", "line ends"]);
    fs::write(root.join("orch.yml"), "pr: { push: false }\n").unwrap();
    ends(&env, &root, &["run", REQUEST], 0, "2 of 2 green");
    let branch = env.git(&root, &["branch", "--list", "feat/*", "--format=%(refname:short)"]);
    let text = env.git(&root, &["show", &format!("{}:src/lib.rs", branch.trim())]);
    assert!(
        text.contains("/health") && text.matches('\n').count() == text.matches("\r\n").count(),
        "{text:?}"
    );
    let run = run_folder(&root);
    assert!(run.join("pr.md").is_file());
}

#[test]
fn a_repository_of_somebody_else_and_one_that_cannot_be_written() {
    let env = TestEnv::new();
    let root = env.service("foreign");
    let given = std::process::Command::new("chown").args(["-R", "12345"]).arg(&root).status();
    if !given.is_ok_and(|status| status.success()) {
        eprintln!("not run: only root can give files away");
        return;
    }
    ends(&env, &root, &PLAN, 2, "belongs to another user");
    ends(&env, &root, &["doctor"], 2, "another user");
    assert!(!root.join("artifacts").exists());
    fs::write(env.path("home/.gitconfig"), format!("[safe]\n\tdirectory = {}\n", root.display())).unwrap();
    ends(&env, &root, &PLAN, 0, "has come as far as");
}

#[test]
fn a_branch_that_cannot_be_written_is_told_and_the_next_run_goes_on() {
    let env = TestEnv::new();
    let root: PathBuf = env.service("service");
    let (refs, away) = (root.join(".git/refs/heads/feat"), root.join(".git/refs/heads/kept"));
    fs::write(root.join("orch.yml"), "pr: { push: false }\n").unwrap();
    // As a folder without rights would be, for root too: a file lies where the branch's folder has to be.
    let head = env.git(&root, &["rev-parse", "HEAD"]);
    fs::write(&refs, head).unwrap();
    let said = env.orch(&root, &["run", REQUEST]);
    assert!([1, 2].contains(&said.exit), "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("error: ") && said.stderr.contains("help: "), "{}", said.stderr);
    fs::rename(refs, away).unwrap();
    ends(&env, &root, &["run", REQUEST], 0, "2 of 2 green").says("reused");
}

#[test]
fn a_hundred_thousand_files_are_served() {
    let env = TestEnv::new();
    let root = env.service("large");
    let base = env.git(&root, &["rev-parse", "HEAD"]).trim().to_owned();
    let file = |n: usize| format!("M 100644 inline pkg-{:04}/f{:03}.txt\ndata 2\nx\n\n", n / 100, n % 100);
    let head = format!(
        "commit refs/heads/main\ncommitter S <s@example.com> 1767225600 +0000\ndata 4\nmany\nfrom {base}\n"
    );
    let stream = env.path("stream");
    fs::write(&stream, head + &(0..100_000).map(file).collect::<String>()).unwrap();
    let mut import = env.command("git", &root);
    let import = import.args(["fast-import", "--quiet"]).stdin(fs::File::open(&stream).unwrap());
    assert!(import.status().unwrap().success());
    ends(&env, &root, &PLAN, 0, "has come as far as");
    ends(&env, &root, &["doctor"], 0, "");
}
