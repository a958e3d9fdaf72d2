//! `orch init --hooks` and the hooks of the pre-commit framework.

use std::fs;
use std::path::Path;

use crate::env::TestEnv;

fn hook(root: &Path, name: &str) -> String {
    fs::read_to_string(root.join(".git/hooks").join(name)).unwrap_or_default()
}

#[test]
fn hooks_are_written_once_and_taken_away() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    env.orch(&root, &["init", "--hooks"]).exits(0).says("written");
    assert!(hook(&root, "pre-commit").contains("orch stage policy --staged"));
    assert!(hook(&root, "pre-push").contains("orch stage policy --diff"));
    assert!(!root.join("orch.yml").exists());
    env.orch(&root, &["init", "--hooks"]).exits(0).says("is as it should be");
    // An older one of ours is brought up to date.
    let mine = root.join(".git/hooks/pre-commit");
    let text = hook(&root, "pre-commit");
    fs::write(&mine, text.replace("--staged", "--other")).unwrap();
    let done = env.orch(&root, &["init", "--hooks", "--format", "json"]).exits(0).json();
    assert_eq!((done[0]["done"].as_str(), done[1]["done"].as_str()), (Some("written"), Some("unchanged")));
    assert_eq!(hook(&root, "pre-commit"), text);
    env.orch(&root, &["init", "--hooks=remove"]).exits(0).says("removed");
    assert!(!mine.exists());
    env.orch(&root, &["init", "--hooks=remove"]).exits(0).says("is not there");
    env.orch(&root, &["init", "--hooks=print"]).exits(0).says("## pre-push");
}

#[test]
fn a_hook_of_somebody_else_stays() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    let theirs = root.join(".git/hooks/pre-push");
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::write(&theirs, "#!/bin/sh\nexit 0\n").unwrap();
    env.orch(&root, &["init", "--hooks"]).exits(2).says("is not of orch").says("--hooks=print");
    assert_eq!(hook(&root, "pre-push"), "#!/bin/sh\nexit 0\n");
    assert_eq!(hook(&root, "pre-commit"), "", "all or none");
    env.orch(&root, &["init", "--hooks=remove"]).exits(0).says("stays");
    assert!(theirs.exists());
    fs::rename(&theirs, root.join(".git/hooks/pre-commit")).unwrap();
    env.orch(&root, &["init", "--hooks"]).exits(2).says("orch stage policy --staged || exit $?");
    #[cfg(unix)]
    {
        let root = env.repository("linked", &[("a.txt", "a\n")]);
        let target = env.path("elsewhere");
        fs::create_dir_all(root.join(".git/hooks")).unwrap();
        std::os::unix::fs::symlink(&target, root.join(".git/hooks/pre-commit")).unwrap();
        env.orch(&root, &["init", "--hooks"]).exits(2);
        assert!(!target.exists());
    }
}

#[test]
fn the_folder_is_the_one_git_uses() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    // All worktrees share the hooks.
    let tree = env.path("tree");
    env.git(&root, &["worktree", "add", "-q", tree.to_str().unwrap()]);
    env.orch(&tree, &["init", "--hooks"]).exits(0);
    assert!(hook(&root, "pre-commit").contains("orch"));
    env.orch(&root, &["init", "--hooks=remove"]).exits(0);
    env.git(&root, &["config", "core.hooksPath", ".githooks"]);
    fs::create_dir_all(root.join("below")).unwrap();
    env.orch(&root.join("below"), &["init", "--hooks"]).exits(0);
    assert!(root.join(".githooks/pre-push").exists() && !root.join(".git/hooks/pre-push").exists());
    for outside in [env.path("shared").to_str().unwrap(), "/dev/null", "../up"] {
        env.git(&root, &["config", "core.hooksPath", outside]);
        env.orch(&root, &["init", "--hooks"]).exits(2).says("core.hooksPath");
    }
    assert!(!env.path("shared").exists());
}

#[cfg(unix)]
#[test]
fn without_the_program_nothing_passes() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    env.orch(&root, &["init", "--hooks"]).exits(0);
    for name in ["pre-commit", "pre-push"] {
        let script = root.join(".git/hooks").join(name);
        let empty = env.path("empty");
        fs::create_dir_all(&empty).unwrap();
        let said = env.command("/bin/sh", &root).arg(&script).env("PATH", &empty).output().unwrap();
        assert_eq!(said.status.code(), Some(1), "{name}");
        assert!(String::from_utf8_lossy(&said.stderr).contains("orch is not on PATH"), "{name}");
    }
}

/// What the pre-push hook asks `orch` for, with a stand-in that notes its words and ends with `code`.
#[cfg(unix)]
#[test]
fn what_is_pushed_is_what_is_judged() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    env.orch(&root, &["init", "--hooks"]).exits(0);
    let bin = env.path("bin");
    fs::create_dir_all(&bin).unwrap();
    let stand_in = |code: u8| {
        let log = env.path("log");
        fs::write(&log, "").unwrap();
        let script = format!("#!/bin/sh\ncat >/dev/null\necho \"$*\" >>{}\nexit {code}\n", log.display());
        fs::write(bin.join("orch"), script).unwrap();
        fs::set_permissions(bin.join("orch"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let push = |words: &[&str]| {
        let all = [&["push", "-q", "origin"], words].concat();
        let said = env.command("git", &root).args(all).env("PATH", &path).output().unwrap();
        let log = fs::read_to_string(env.path("log")).unwrap();
        fs::write(env.path("log"), "").unwrap();
        (said.status.success(), log.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    let commit = |text: &str| {
        fs::write(root.join("a.txt"), text).unwrap();
        env.git(&root, &["commit", "-q", "-a", "--no-verify", "-m", text]);
        env.git(&root, &["rev-parse", "HEAD"]).trim().to_owned()
    };
    let diff = |base: &str, head: &str| vec![format!("stage policy --diff {base}..{head}")];
    stand_in(0);
    let base = env.git(&root, &["rev-parse", "HEAD"]).trim().to_owned();
    assert_eq!(push(&["main"]), (true, vec!["stage policy --all".to_owned()]), "the remote has nothing yet");
    let one = commit("one");
    assert_eq!(push(&["main"]), (true, diff(&base, &one)));
    assert_eq!(push(&["main"]).1, Vec::<String>::new(), "nothing to push");
    // A new branch with two commits, then a tag on it, then both deleted.
    env.git(&root, &["checkout", "-q", "-b", "new"]);
    let _ = commit("two");
    let three = commit("three");
    assert_eq!(push(&["new"]), (true, diff(&one, &three)));
    env.git(&root, &["tag", "-a", "-m", "v", "v1"]);
    assert_eq!(push(&["v1"]), (true, Vec::new()), "the remote has all of it");
    assert_eq!(push(&["--delete", "new", "v1"]), (true, Vec::new()));
    // After a rewrite, what both have in common is the base.
    env.git(&root, &["checkout", "-q", "main"]);
    env.git(&root, &["reset", "-q", "--hard", &base]);
    let other = commit("other");
    assert_eq!(push(&["--force", "main"]), (true, diff(&base, &other)));
    // A history of its own.
    env.git(&root, &["checkout", "-q", "--orphan", "own"]);
    env.git(&root, &["commit", "-q", "--no-verify", "-m", "root"]);
    assert_eq!(push(&["own"]), (true, vec!["stage policy --all".to_owned()]));
    // A deny stops the push; what needs approval does not.
    for (code, passes) in [(3, false), (4, true), (2, false), (1, false)] {
        stand_in(code);
        env.git(&root, &["checkout", "-q", "-B", &format!("b{code}"), "main"]);
        let _ = commit(&format!("change {code}"));
        assert_eq!(push(&[&format!("b{code}")]).0, passes, "{code}");
    }
}

#[test]
fn the_framework_finds_two_hooks() {
    let text = include_str!("../../../.pre-commit-hooks.yaml");
    let hooks: Vec<serde_json::Value> = serde_yaml::from_str(text).unwrap();
    let of = |id: &str| hooks.iter().find(|hook| hook["id"] == id).unwrap_or_else(|| panic!("{id}"));
    assert_eq!(hooks.len(), 2);
    for (id, stage, words) in
        [("orch-policy", "pre-commit", "--staged"), ("orch-policy-push", "pre-push", "--diff")]
    {
        let hook = of(id);
        assert_eq!(hook["stages"], serde_json::json!([stage]));
        assert_eq!(
            (hook["language"].as_str(), hook["pass_filenames"].as_bool()),
            (Some("system"), Some(false))
        );
        assert!(hook["name"].is_string() && hook["always_run"] == true);
        // The framework splits the entry as a shell would, and starts it without one.
        let entry = shell_words::split(hook["entry"].as_str().unwrap()).unwrap();
        assert_eq!((entry[0].as_str(), entry[1].as_str(), entry.len()), ("sh", "-c", 4));
        assert!(entry[2].contains(&format!("orch stage policy {words}")), "{}", entry[2]);
    }
}
