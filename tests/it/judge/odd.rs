//! Repositories that are not like most: without commits, in worktrees, with submodules, conflicts, odd names and line ends.

use std::fs;

use super::{World, denied, secret};

#[test]
fn a_repository_without_a_commit_has_only_new_files() {
    let world = World::unborn();
    for flags in [&["--staged"][..], &["--work"], &["--all"], &[]] {
        world.judge(flags).exits(0);
    }
    world.write("a.py", secret());
    world.judge(&["--staged"]).exits(0);
    denied(world.judge(&["--work"]), "a.py:1:");
    denied(world.judge(&["--all"]), "a.py:1:");
    denied(world.judge(&[]), "a.py:1:");
    world.git(&["add", "-A"]);
    denied(world.judge(&["--staged"]), "a.py:1:");
    let patch = "--- /dev/null\n+++ b/p.py\n@@ -0,0 +1 @@\n+";
    denied(world.judge_patch(format!("{patch}{}", secret()).as_bytes()), "p.py:1:");
    world.judge(&["--diff", "HEAD"]).exits(2).says("HEAD");
    world.judge(&["--pr"]).exits(2);
}

#[test]
fn a_worktree_has_an_index_of_its_own() {
    let world = World::new(&[("a.py", "x = 1\n")]);
    let other = world.env.path("other");
    world.git(&["worktree", "add", "-q", "-b", "other", &other.display().to_string()]);
    fs::write(other.join("a.py"), secret()).unwrap();
    world.env.git(&other, &["add", "-A"]);
    denied(world.judge_in(&other, &["--staged"], &[]), "a.py:1:");
    denied(world.judge_in(&other, &["--work"], &[]), "a.py:1:");
    world.judge(&["--staged"]).exits(0);
    world.judge(&["--work"]).exits(0);
}

#[test]
fn a_hook_of_a_partial_commit_sees_what_is_committed() {
    let world = World::new(&[("a.py", "x = 1\n")]);
    world.write("a.py", secret());
    world.judge(&["--staged"]).exits(0);
    // As `git commit a.py` does it: another index, named for the hooks.
    world.env.git(&world.root, &["add", "-A"]);
    fs::rename(world.root.join(".git/index"), world.root.join(".git/next-index-1.lock")).unwrap();
    world.git(&["reset", "-q"]);
    world.judge(&["--staged"]).exits(0);
    let index = [("GIT_INDEX_FILE", ".git/next-index-1.lock")];
    denied(world.judge_in(&world.root, &["--staged"], &index), "a.py:1:");
    fs::copy(world.root.join(".git/index"), world.env.path("index")).unwrap();
    let elsewhere = world.env.path("index").display().to_string();
    world
        .judge_in(&world.root, &["--staged"], &[("GIT_INDEX_FILE", &elsewhere)])
        .exits(2)
        .says("GIT_INDEX_FILE");
    world.judge_in(&world.root, &["--staged"], &[("GIT_INDEX_FILE", ".git/nothing")]).exits(1);
}

#[test]
fn a_submodule_has_to_be_seen_by_a_person() {
    let world = World::new(&[("a.py", "x = 1\n")]);
    let commit = world.git(&["rev-parse", "HEAD"]);
    world.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/lib")]);
    world.judge(&["--staged"]).exits(4).says("policy/submodule").says("vendor/lib").says(&commit);
    fs::create_dir_all(world.root.join("vendor/lib")).unwrap();
    world.judge(&["--work"]).exits(4).says("policy/submodule");
    world.git(&["commit", "-q", "-m", "with it"]);
    world.judge(&["--staged"]).exits(0);
    world.judge(&["--work"]).exits(0);
    world.judge(&["--all"]).exits(0).says("policy/submodule");
    // A repository that only lies there would be added as one.
    let nested = world.root.join("nested");
    fs::create_dir(&nested).unwrap();
    world.env.git(&nested, &["init", "-q"]);
    world.judge(&["--work"]).exits(4).says("nested");
}

#[test]
fn a_conflict_is_not_taken_for_either_side() {
    let world = World::new(&[("a.py", "x = 1\n")]);
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.write("a.py", "x = 2\n");
    world.commit("topic");
    world.git(&["checkout", "-q", "main"]);
    world.write("a.py", "x = 3\n");
    world.commit("main");
    let mut merge = world.env.command("git", &world.root);
    let _ = merge
        .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid", "merge", "-q", "topic"])
        .output();
    world.judge(&["--staged"]).exits(3).says("policy/not-scanned").says("a.py").says("conflict");
    world.judge(&["--work"]).exits(0);
    world.write("a.py", secret());
    denied(world.judge(&["--work"]), "a.py:1:");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_never_passed_over() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new(&[("a.py", "x = 1\n")]);
    let odd = world.root.join(OsStr::from_bytes(b"b\xff.py"));
    fs::write(&odd, "x = 1\n").unwrap();
    world.judge(&["--work"]).exits(3).says("policy/not-scanned").says("b\\xff.py");
    world.judge(&["--all"]).exits(0).says("policy/not-scanned").says("b\\xff.py");
    world.git(&["add", "-A"]);
    world.judge(&["--staged"]).exits(3).says("b\\xff.py");
    let patch = "diff --git \"a/c\\377\" \"b/c\\377\"\nnew file mode 100644\n--- /dev/null\n+++ \"b/c\\377\"\n@@ -0,0 +1 @@\n+x\n";
    world.judge_patch(patch.as_bytes()).exits(3).says("c\\xff");
    let base = world.git(&["rev-parse", "HEAD"]);
    world.commit("odd");
    world.judge(&["--diff", &base]).exits(3).says("b\\xff.py");
    fs::remove_file(odd).unwrap();
    world.judge(&["--work"]).exits(0);
}

#[test]
fn line_ends_that_git_would_change_are_no_change() {
    let text = "x = 1\ny = 2\n";
    let world = World::new(&[("a.py", text), ("old.py", &secret())]);
    world.git(&["config", "core.autocrlf", "true"]);
    world.write("old.py", secret().replace('\n', "\r\n"));
    world.write("a.py", format!("{}z = 3\r\n", text.replace('\n', "\r\n")));
    let said = world.judge(&["--work", "--save", "out"]).exits(0);
    drop(said);
    let input: serde_json::Value =
        serde_json::from_slice(&fs::read(world.root.join("out/policy/input.json")).unwrap()).unwrap();
    let changes = input["body"]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(
        (changes[0]["path"].as_str(), changes[0]["added"].as_array().map(Vec::len)),
        (Some("a.py"), Some(1))
    );
}

#[test]
fn a_sparse_checkout_lacks_nothing() {
    let world = World::new(&[("in/a.py", "x = 1\n"), ("out/b.py", "y = 1\n"), ("out/deep/c.py", "z = 1\n")]);
    world.git(&["sparse-checkout", "set", "--sparse-index", "in"]);
    assert!(!world.root.join("out").exists());
    for flags in [&["--staged"][..], &["--work"], &["--all"]] {
        world.judge(flags).exits(0);
    }
    world.write("in/a.py", secret());
    denied(world.judge(&["--work"]), "in/a.py:1:");
    world.git(&["add", "in/a.py"]);
    denied(world.judge(&["--staged"]), "in/a.py:1:");
}

#[test]
fn a_file_that_moved_is_judged_where_it_is_now() {
    let world = World::new(&[("docs/old.py", &secret())]);
    world.git(&["mv", "docs/old.py", "moved.py"]);
    denied(world.judge(&["--staged"]), "moved.py:1:");
    world.git(&["reset", "-q", "--hard"]);
    // Only its mode changed: nothing in it is new.
    world.git(&["update-index", "--chmod=+x", "docs/old.py"]);
    world.judge(&["--staged"]).exits(0);
}

#[test]
fn what_a_large_file_store_holds_for_git_is_unchanged() {
    let content = "content\n";
    let digest = orch::artifact::digest::Digest::of(content);
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 8\n", digest.hex());
    let world = World::new(&[("big.bin", &pointer)]);
    world.write("big.bin", content);
    world.judge(&["--work", "--save", "out"]).exits(0);
    let input = fs::read_to_string(world.root.join("out/policy/input.json")).unwrap();
    assert!(input.contains("\"changes\":[]"), "{input}");
}
