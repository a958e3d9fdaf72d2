//! `orch edit apply` as a person or an agent meets it: all or none, refused with reasons, mended after a kill.
#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "a test may fail anywhere, and texts are short"
)]

mod corpus;
mod properties;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::env::{Said, TestEnv, files_below};

/// Runs `orch edit apply` with edits on standard input.
fn apply(env: &TestEnv, root: &Path, args: &[&str], edits: &str) -> Said {
    let all: Vec<&str> = ["edit", "apply"].into_iter().chain(args.iter().copied()).collect();
    let mut command = env.orch_command(root, &all);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A refusal may come before all is read.
    let _ = child.stdin.take().unwrap().write_all(edits.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn folder(env: &TestEnv, files: &[(&str, &str)]) -> std::path::PathBuf {
    let root = env.path("work");
    for (path, text) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    root
}

const UDIFF: &str =
    "--- a/src/a.py\n+++ b/src/a.py\n@@ -7,9 +1,3 @@\n def f():\n-    return 1\n+    return 2\n";
const SR: &str =
    "src/a.py\n<<<<<<< SEARCH\ndef f():\n    return 1\n=======\ndef f():\n    return 2\n>>>>>>> REPLACE\n";
const V4A: &str =
    "*** Begin Patch\n*** Update File: src/a.py\n@@ def f():\n-    return 1\n+    return 2\n*** End Patch\n";
const JSON: &str = r#"{"edits":[{"path":"src/a.py","op":"replace","replacements":[{"find":"return 1","replace":"return 2"}]}]}"#;

#[test]
fn every_format_is_told_and_applied_once() {
    for edits in [UDIFF, SR, V4A, JSON] {
        let env = TestEnv::new();
        let root = folder(&env, &[("src/a.py", "def f():\n    return 1\n")]);
        apply(&env, &root, &["--check"], edits).exits(0).says("1 file would change");
        assert_eq!(fs::read_to_string(root.join("src/a.py")).unwrap(), "def f():\n    return 1\n");
        apply(&env, &root, &[], edits).exits(0).says("changed src/a.py");
        assert_eq!(fs::read_to_string(root.join("src/a.py")).unwrap(), "def f():\n    return 2\n");
        assert_eq!(files_below(&root).len(), 1, "nothing else is left");
        let again = apply(&env, &root, &[], edits);
        assert!([3, 78].contains(&again.exit), "{edits}: {} {}", again.stdout, again.stderr);
        assert_eq!(fs::read_to_string(root.join("src/a.py")).unwrap(), "def f():\n    return 2\n");
    }
}

#[test]
fn one_refused_hunk_of_twenty_files_leaves_every_file_untouched() {
    let env = TestEnv::new();
    let names: Vec<String> = (0..20).map(|n| format!("src/f{n}.txt")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "one\ntwo\nthree\n")).collect();
    let root = folder(&env, &files);
    let before = files_below(&root);
    let edits: String = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let old = if n == 13 { "too" } else { "two" };
            format!("{name}\n<<<<<<< SEARCH\n{old}\n=======\nTWO\n>>>>>>> REPLACE\n\n")
        })
        .collect();
    let said = apply(&env, &root, &["--format", "json"], &edits).exits(3);
    let report = said.json();
    assert_eq!(report["applied"], false);
    assert_eq!(report["refused"].as_array().unwrap().len(), 1);
    assert_eq!(report["refused"][0]["path"], "src/f13.txt");
    assert!(report["refused"][0]["why"].as_str().unwrap().contains("line 2 `two`"), "{report}");
    assert_eq!(files_below(&root), before);
    apply(&env, &root, &[], &edits.replace("too", "two")).exits(0).says("20 files");
}

#[test]
fn a_binary_patch_beside_a_good_one_is_refused_whole_and_says_what_to_do() {
    const BINARY: &str = "diff --git a/logo.png b/logo.png\nindex 1f7a7a4..8a4b0c1 100644\nGIT binary patch\nliteral 4\nLcmZQzWMT#Y01f~L\n\nliteral 1\nIcmZPo000310RR91\n\n";
    for edits in [
        format!("{UDIFF}{BINARY}"),
        format!("{BINARY}diff --git a/src/a.py b/src/a.py\n{UDIFF}"),
        BINARY.to_owned(),
    ] {
        let env = TestEnv::new();
        let files = [("src/a.py", "def f():\n    return 1\n"), ("logo.png", "x")];
        let root = folder(&env, &files);
        for args in [&[][..], &["--edits", "udiff"], &["--check"]] {
            apply(&env, &root, args, &edits).exits(2).says("begins a binary patch").says("git apply");
            assert_eq!(files_below(&root).len(), 2);
            for (path, text) in files {
                assert_eq!(fs::read_to_string(root.join(path)).unwrap(), text, "{edits}");
            }
        }
    }
}

#[test]
fn refusals_say_what_a_model_can_act_on() {
    let text = "fn a() {\n    go();\n}\n\nfn b() {\n    go();\n}\n";
    for (edits, kind, why) in [
        (
            "x.rs\n<<<<<<< SEARCH\n    go();\n=======\n    stop();\n>>>>>>> REPLACE\n",
            "ambiguous",
            "lines 2, 6",
        ),
        (
            "x.rs\n<<<<<<< SEARCH\nfn c() {\n=======\nfn d() {\n>>>>>>> REPLACE\n",
            "missing",
            "line 1 `fn a() {`",
        ),
        ("y.rs\n<<<<<<< SEARCH\nfn c() {\n=======\nfn d() {\n>>>>>>> REPLACE\n", "unfit", "does not exist"),
        ("--- a/x.rs\n+++ b/x.rs\n@@\n fn a() {\n     go();\n+    go();\n", "missing", ""),
        ("[{\"path\":\"x.rs\",\"op\":\"create\",\"content\":\"x\"}]", "unfit", "exists already"),
        (
            "[{\"path\":\"x.rs\",\"op\":\"lines\",\"lines\":[{\"from\":\"1:0000\",\"replace\":\"x\"}]}]",
            "stale",
            "line 1 is now `1:",
        ),
    ] {
        let env = TestEnv::new();
        let root = folder(&env, &[("x.rs", text)]);
        let said = apply(&env, &root, &["--format", "json"], edits);
        if why.is_empty() {
            assert_eq!(said.exit, 0, "{}", said.stdout);
            continue;
        }
        let report = said.exits(3).json();
        assert_eq!(report["refused"][0]["kind"], kind, "{report}");
        assert!(report["refused"][0]["why"].as_str().unwrap().contains(why), "{report}");
        assert_eq!(fs::read_to_string(root.join("x.rs")).unwrap(), text);
    }
}

#[test]
fn no_trick_with_a_path_gets_out_of_the_folder_or_the_list() {
    let env = TestEnv::new();
    let root = folder(&env, &[("a.txt", "one\n"), ("src/b.txt", "one\n")]);
    let outside = env.path("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("x.txt"), "one\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    let before = files_below(&root);
    let absolute = outside.join("x.txt").display().to_string();
    for path in [
        absolute.as_str(),
        "../outside/x.txt",
        "src/../../outside/x.txt",
        "link/x.txt",
        "link/new.txt",
        ".git/config",
        ".GIT/hooks/x",
        "git~1/config",
        "con.txt",
        "aux",
        "nul.json",
        "a.txt/x",
        "SRC/new.txt",
        "A.txt",
        "src\\x",
        "x\u{0}y",
        "src",
        "/etc/passwd",
        "a.txt.",
        "a:b",
    ] {
        let edit = serde_json::json!([{ "path": path, "op": "create", "content": "evil\n" }]).to_string();
        let said = apply(&env, &root, &[], &edit);
        assert_eq!(said.exit, 3, "{path}: {} {}", said.stdout, said.stderr);
        let v4a = format!(
            "*** Begin Patch\n*** Update File: a.txt\n*** Move to: {path}\n@@\n-one\n+two\n*** End Patch\n"
        );
        assert_ne!(apply(&env, &root, &[], &v4a).exit, 0, "{path}");
    }
    assert_eq!(files_below(&root), before);
    assert_eq!(fs::read_to_string(outside.join("x.txt")).unwrap(), "one\n");
    let edit = r#"[{"path":"src/b.txt","op":"write","content":"two\n"},{"path":"a.txt","op":"write","content":"two\n"}]"#;
    apply(&env, &root, &["--allow", "src/**"], edit).exits(3).says("not-allowed").says("a.txt");
    assert_eq!(files_below(&root), before);
    apply(&env, &root, &["--allow", "src/**", "--allow", "*.txt"], edit).exits(0);
}

#[cfg(unix)]
#[test]
fn files_are_made_moved_deleted_and_keep_their_modes() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::new();
    let root = folder(
        &env,
        &[("a.txt", "one\ntwo\n"), ("old/b.txt", "x\n"), ("run.sh", "echo\n"), ("own.txt", "secret\n")],
    );
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(root.join("own.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    let edits = r#"[{"path":"a.txt","op":"rename","to":"moved/c.txt"},{"path":"old/b.txt","op":"delete"},
        {"path":"run.sh","op":"mode","executable":true},{"path":"new/d.bin","op":"create","base64":"AP8K"},
        {"path":"own.txt","op":"replace","replacements":[{"find":"secret","replace":"word"}]}]"#;
    apply(&env, &root, &[], edits).exits(0).says("6 files").says("deleted a.txt");
    let files = files_below(&root);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["moved/c.txt", "new/d.bin", "own.txt", "run.sh"]);
    assert_eq!(files["new/d.bin"], [0, 255, 10]);
    assert_eq!((mode("run.sh") & 0o111 != 0, mode("own.txt")), (true, 0o600));
    assert!(!root.join("old").exists());
}

#[test]
fn edits_fit_what_was_shown_and_are_merged_onto_what_is_there() {
    let env = TestEnv::new();
    let root =
        folder(&env, &[("a.txt", "zero\none\ntwo\nthree\nfour\nfive\n"), ("b.txt", "one\n2\nthree\n")]);
    let shown = env.path("shown");
    fs::create_dir_all(&shown).unwrap();
    fs::write(shown.join("a.txt"), "one\ntwo\nthree\nfour\nfive\n").unwrap();
    fs::write(shown.join("b.txt"), "one\ntwo\nthree\n").unwrap();
    let seen = shown.display().to_string();
    let edit = |path: &str, old: &str, new: &str| {
        format!("{path}\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n")
    };
    apply(&env, &root, &["--seen", &seen], &edit("a.txt", "four", "FOUR")).exits(0);
    assert_eq!(fs::read_to_string(root.join("a.txt")).unwrap(), "zero\none\ntwo\nthree\nFOUR\nfive\n");
    apply(&env, &root, &["--seen", &seen], &edit("b.txt", "two", "TWO"))
        .exits(3)
        .says("stale")
        .says("line 2 is now `2`");
    apply(&env, &root, &["--seen", &seen], &edit("b.txt", "two", "2")).exits(78).says("already");
}

#[test]
fn one_case_and_many_are_answered_as_a_scorer_asks() {
    let env = TestEnv::new();
    let root = folder(&env, &[]);
    fs::create_dir_all(&root).unwrap();
    let case = |text: &str| {
        serde_json::json!({ "id": "c", "path": "src/a.py", "base_text": "def f():\r\n    return 1\r\n",
            "seen_text": "def f():\r\n    return 1\r\n", "format": "sr", "text": text })
        .to_string()
    };
    let said = apply(&env, &root, &["--case", "-"], &case(SR)).exits(0);
    assert_eq!(said.stdout, "def f():\r\n    return 2\r\n");
    let refused = apply(&env, &root, &["--case", "-"], &case(&SR.replace("return 1", "return 3"))).exits(3);
    assert!(refused.stdout.is_empty() && refused.stderr.contains("missing"), "{}", refused.stderr);
    let lines = format!("{}\n{}\n", case(SR), case(""));
    let said = apply(&env, &root, &["--batch", "-"], &lines).exits(0);
    let answers: Vec<serde_json::Value> =
        said.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((answers.len(), &answers[1]["result"]), (2, &serde_json::Value::Null));
}

#[cfg(unix)]
#[test]
fn a_kill_at_any_moment_is_mended_by_the_next_call() {
    let env = TestEnv::new();
    let names: Vec<String> = (0..60).map(|n| format!("d{}/f{n}.txt", n % 7)).collect();
    let texts: Vec<String> =
        (0..60).map(|n| format!("head\nline {n}\n{}", "filler\n".repeat(2000))).collect();
    let files: Vec<(&str, &str)> = names.iter().zip(&texts).map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let root = folder(&env, &files);
    let before = files_below(&root);
    let edits: String = (0..60)
        .map(|n| format!("{}\n<<<<<<< SEARCH\nline {n}\n=======\nLINE {n}\n>>>>>>> REPLACE\n", names[n]))
        .collect();
    let input = env.path("edits.txt");
    fs::write(&input, &edits).unwrap();
    let input = input.display().to_string();
    let mut after = before.clone();
    for (n, name) in names.iter().enumerate() {
        let text = texts[n].replace("line ", "LINE ");
        after.insert(name.clone(), text.into_bytes());
    }
    for delay in 0..24_u64 {
        let mut child = env.start(&root, &["edit", "apply", &input]);
        std::thread::sleep(std::time::Duration::from_millis(delay * 3));
        let _ = child.kill();
        child.wait().unwrap();
        // Whatever was reached: the next call mends it, and refuses an edit that names no place.
        apply(&env, &root, &["--check"], "d0/f0.txt\n<<<<<<< SEARCH\nnowhere\n=======\nx\n>>>>>>> REPLACE\n")
            .exits(3);
        let now = files_below(&root);
        assert!(now == before || now == after, "after {delay}: {:?}", now.keys().collect::<Vec<_>>());
        if now == after {
            for (name, bytes) in &before {
                fs::write(root.join(name), bytes).unwrap();
            }
        }
    }
}

#[test]
fn a_machine_that_refuses_is_told_and_nothing_is_done() {
    let env = TestEnv::new();
    let root = folder(&env, &[("a.txt", "one\n"), ("z.txt", "one\n")]);
    let edits = r#"[{"path":"a.txt","op":"write","content":"two\n"},{"path":"z.txt","op":"write","content":"two\n"}]"#;
    let mut about = fs::metadata(root.join("z.txt")).unwrap().permissions();
    about.set_readonly(true);
    fs::set_permissions(root.join("z.txt"), about).unwrap();
    let before = files_below(&root);
    apply(&env, &root, &[], edits).exits(3).says("read-only").says("Nothing was changed");
    assert_eq!(files_below(&root), before);
}

#[test]
fn lines_are_shown_with_the_hashes_that_edits_name() {
    let env = TestEnv::new();
    let root = folder(&env, &[("a.txt", "one\ntwo\nthree\n")]);
    let shown = env.orch(&root, &["edit", "lines", "a.txt"]).exits(0).stdout;
    let anchor = |n: usize| shown.lines().nth(n).unwrap().split('|').next().unwrap().to_owned();
    let edits = serde_json::json!([{ "path": "a.txt", "op": "lines", "lines": [
        { "from": anchor(1), "replace": "TWO\n2\n" }, { "from": anchor(2), "after": "four" } ] }]);
    apply(&env, &root, &[], &edits.to_string()).exits(0);
    assert_eq!(fs::read_to_string(root.join("a.txt")).unwrap(), "one\nTWO\n2\nthree\nfour\n");
    apply(&env, &root, &[], &edits.to_string()).exits(3).says("stale");
}

/// Runs git apply on a patch that `orch` writes and compares the trees.
#[cfg(unix)]
#[test]
fn git_makes_the_same_tree_of_a_patch_that_orch_writes_and_reads() {
    let env = TestEnv::new();
    let (root, other) =
        (folder(&env, &[("a.txt", "one\ntwo"), ("b c.sh", "x\n"), ("gone.txt", "g\n")]), env.path("other"));
    env.git(&root, &["init", "-q", "-b", "main"]);
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "base"]);
    env.git(&env.path(""), &["clone", "-q", root.to_str().unwrap(), other.to_str().unwrap()]);
    let edits = r#"[{"path":"a.txt","op":"replace","replacements":[{"find":"two","replace":"2"}]},
        {"path":"b c.sh","op":"mode","executable":true},{"path":"gone.txt","op":"rename","to":"dir/here.txt"},
        {"path":"n.txt","op":"create","content":"no end"}]"#;
    apply(&env, &root, &[], edits).exits(0);
    env.git(&root, &["add", "-A"]);
    let patch = env.git(&root, &["diff", "--cached", "-M", "HEAD"]);
    // The same patch by git and by the applier.
    let file = env.path("p.patch");
    fs::write(&file, &patch).unwrap();
    apply(&env, &other, &[], &patch).exits(0);
    env.git(&other, &["add", "-A"]);
    let tree = |root: &Path| env.git(root, &["write-tree"]);
    assert_eq!(tree(&root), tree(&other));
    env.git(&other, &["reset", "-q", "--hard", "HEAD"]);
    env.git(&other, &["apply", "--index", file.to_str().unwrap()]);
    assert_eq!(tree(&root), tree(&other));
}
