//! The repository port: bases, branches, pushes.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;

use orch::artifact::id::CommitId;
use orch::artifact::types::change_set::FileChange;
use orch::diagnostic::{Class, Failure as _};
use orch::ports::vcs::{
    BranchDraft, CommitDraft, EntryKind, FakeRepository, Signature, VcsError, VcsRead, VcsWrite,
};

use crate::support::{Repo, create, delete, modify};

const BRANCH: &str = "feat/api/health/2026-11-21";
const FILES: &[(&str, &str)] = &[("README.md", "hello\n"), ("src/a.txt", "one\n"), ("src/b.txt", "two\n")];

fn commit(subject: &str, files: Vec<FileChange>) -> CommitDraft {
    let trailers =
        vec![("Orch-Run".to_owned(), "r1".to_owned()), ("Orch-Task".to_owned(), "sha256:x".to_owned())];
    CommitDraft { subject: subject.to_owned(), body: "A body.".to_owned(), trailers, files }
}

fn draft(base: &CommitId, expected: Option<&CommitId>, commits: Vec<CommitDraft>) -> BranchDraft {
    let time = "2026-11-21T10:00:00Z".parse().unwrap();
    let author = Signature { name: "orch".into(), email: "orch@example.com".into(), time };
    BranchDraft { branch: BRANCH.into(), base: base.clone(), commits, author, expected: expected.cloned() }
}

fn two_commits() -> Vec<CommitDraft> {
    vec![
        commit("test(api): cover health", vec![create("tests/health.txt", "test\n")]),
        commit(
            "feat(api): add health",
            vec![
                create("src/new/c.txt", "three\n"),
                modify("src/a.txt", "one\n", "ONE\n"),
                delete("src/b.txt", "two\n"),
            ]
            .into_iter()
            .rev()
            .collect(),
        ),
    ]
}

/// What every repository port must do; the remote is called `origin`.
fn conforms<R: VcsRead + VcsWrite>(repo: &R) {
    let base = repo.head().unwrap();
    assert_eq!(base.branch.as_deref(), Some("main"));
    let paths = |tree| {
        let entries = repo.entries(tree).unwrap();
        entries.iter().map(|e| e.utf8_path().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&base.tree), ["README.md", "src/a.txt", "src/b.txt"]);
    assert_eq!(repo.file(&base.tree, "src/a.txt").unwrap().as_deref(), Some(&b"one\n"[..]));
    for absent in ["", "src", "src/", "/src/a.txt", "../x", "src/a.txt/x", "nope"] {
        assert_eq!(repo.file(&base.tree, absent).unwrap(), None, "{absent}");
    }

    assert_eq!(repo.branch(BRANCH).unwrap(), None);
    let mut commits = two_commits();
    commits[1].files.sort_by(|a, b| a.path.cmp(&b.path));
    let written = repo.commit(&draft(&base.commit, None, commits.clone())).unwrap();
    assert!(!written.unchanged);
    let (last, tree) = written.commits.last().unwrap().clone();
    assert_eq!(paths(&written.commits[0].1), ["README.md", "src/a.txt", "src/b.txt", "tests/health.txt"]);
    assert_eq!(paths(&tree), ["README.md", "src/a.txt", "src/new/c.txt", "tests/health.txt"]);
    assert_eq!(repo.file(&tree, "src/a.txt").unwrap().as_deref(), Some(&b"ONE\n"[..]));
    let tip = repo.branch(BRANCH).unwrap().unwrap();
    assert_eq!(tip.commit, last);
    assert_eq!(tip.trailers["Orch-Run"], "r1");
    assert_eq!(tip.committer, "orch <orch@example.com>");
    assert_eq!(repo.head().unwrap(), base, "HEAD stays");

    // The same draft again: the same commits, nothing moves, whatever was expected.
    let again = repo.commit(&draft(&base.commit, None, commits.clone())).unwrap();
    assert_eq!((again.commits, again.unchanged), (written.commits.clone(), true));

    // Another draft replaces the branch only from the expected value.
    let other = vec![commit("feat(api): other", vec![create("x", "x")])];
    let error = repo.commit(&draft(&base.commit, None, other.clone())).unwrap_err();
    assert!(matches!(error, VcsError::BranchMoved { .. }), "{error}");
    let error = repo.commit(&draft(&base.commit, Some(&base.commit), other.clone())).unwrap_err();
    assert!(matches!(error, VcsError::BranchMoved { .. }), "{error}");
    assert_eq!(repo.branch(BRANCH).unwrap().unwrap().commit, last);
    let replaced = repo.commit(&draft(&base.commit, Some(&last), other)).unwrap().commits[0].0.clone();
    assert_eq!(repo.branch(BRANCH).unwrap().unwrap().commit, replaced);

    // A change that does not fit moves nothing.
    for bad in [create("README.md", "x"), modify("src/a.txt", "other", "x"), create("readme.MD", "x")] {
        let bad = vec![commit("ok", vec![create("fine", "x")]), commit("bad", vec![bad])];
        let error = repo.commit(&draft(&base.commit, Some(&replaced), bad)).unwrap_err();
        assert_eq!(error.class(), Class::Denied, "{error}");
        assert_eq!(repo.branch(BRANCH).unwrap().unwrap().commit, replaced);
    }

    // The remote.
    assert!(repo.remote_url("origin").unwrap().is_some());
    assert_eq!(repo.remote_url("nope").unwrap(), None);
    assert_eq!(repo.push("nope", BRANCH, None).unwrap_err().class(), Class::Temporary);
    assert_eq!(repo.remote_branch("origin", BRANCH).unwrap(), None);
    repo.push("origin", BRANCH, None).unwrap();
    assert_eq!(repo.remote_branch("origin", BRANCH).unwrap().as_ref(), Some(&replaced));
    assert_eq!(repo.remote_tip("origin", BRANCH).unwrap(), repo.branch(BRANCH).unwrap());
    let newer = repo.commit(&draft(&base.commit, Some(&replaced), commits)).unwrap().commits[1].0.clone();
    for stale in [None, Some(&base.commit), Some(&newer)] {
        let error = repo.push("origin", BRANCH, stale).unwrap_err();
        assert!(matches!(error, VcsError::BranchMoved { .. }), "{stale:?}: {error}");
        assert_eq!(repo.remote_branch("origin", BRANCH).unwrap().as_ref(), Some(&replaced));
    }
    repo.push("origin", BRANCH, Some(&replaced)).unwrap();
    assert_eq!(repo.remote_branch("origin", BRANCH).unwrap(), Some(newer));

    // Names that are no branch names, or words of a command line.
    for bad in ["", "-x", "--all", "a..b", "a b", "x.lock", "a~1", "HEAD", "a/", "/a", "a\nb", "x:y"] {
        assert!(repo.branch(bad).is_err(), "{bad:?}");
        assert!(repo.push("origin", bad, None).is_err(), "{bad:?}");
    }
}

#[test]
fn the_real_repository_conforms() {
    let repo = Repo::new(FILES).with_remote();
    conforms(&repo.open());
    repo.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn the_fake_repository_conforms() {
    let files = FILES.iter().map(|(path, text)| (*path, text.as_bytes()));
    conforms(&FakeRepository::new(files).with_remote("origin"));
}

#[test]
fn git_reads_the_commits_as_they_were_meant() {
    let repo = Repo::new(FILES);
    let port = repo.open();
    let mut commits = two_commits();
    commits[1].files.sort_by(|a, b| a.path.cmp(&b.path));
    port.commit(&draft(&port.head().unwrap().commit, None, commits)).unwrap();
    let format = "--format=%an <%ae> %aI|%cn <%ce> %cI|%s|%b";
    let log = repo.git(&["log", "--reverse", format, &format!("main..{BRANCH}")]);
    insta::assert_snapshot!("vcs_log", log);
    let trailers = repo.git(&["log", "-1", "--format=%(trailers:only,unfold)", BRANCH]);
    assert_eq!(trailers, "Orch-Run: r1\nOrch-Task: sha256:x");
    let diff = repo.git(&["diff", "--name-status", "main", BRANCH]);
    assert_eq!(diff, "M\tsrc/a.txt\nD\tsrc/b.txt\nA\tsrc/new/c.txt\nA\ttests/health.txt");
    assert_eq!(
        repo.git(&["log", "-1", "--format=%h %gs", "-g", BRANCH]).split_once(' ').unwrap().1,
        "orch: write branch"
    );
}

#[test]
fn commit_and_push_leave_the_dirty_checkout_as_it_was() {
    let repo = Repo::new(FILES).with_remote();
    repo.git(&["config", "core.fsmonitor", "touch fsmonitor-ran"]);
    repo.write("README.md", "edited, not staged\n");
    repo.write("src/a.txt", "staged\n");
    repo.git(&["add", "src/a.txt"]);
    repo.write("untracked.txt", "untracked\n");
    fs::remove_file(repo.root().join("src/b.txt")).unwrap();
    for hook in
        ["pre-push", "reference-transaction", "post-commit", "pre-commit", "commit-msg", "post-update"]
    {
        let path = format!(".git/hooks/{hook}");
        repo.write(&path, "#!/bin/sh\ntouch hook-ran\n");
        repo.set_executable(&path, true);
    }
    let before = repo.snapshot("feat");
    assert!(before.len() > 10 && before.contains_key(std::path::Path::new(".git/index")));

    let port = repo.open();
    let mut commits = two_commits();
    commits[1].files.sort_by(|a, b| a.path.cmp(&b.path));
    port.commit(&draft(&port.head().unwrap().commit, None, commits)).unwrap();
    port.push("origin", BRANCH, None).unwrap();
    port.remote_tip("origin", BRANCH).unwrap().unwrap();
    assert_eq!(repo.snapshot("feat"), before);
    let refs = repo.git(&["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, format!("refs/heads/{BRANCH}\nrefs/heads/main"));
}

#[test]
fn a_refused_draft_writes_no_object() {
    let repo = Repo::new(FILES);
    let port = repo.open();
    let count = || repo.git(&["count-objects", "-v"]);
    let before = count();
    let bad = vec![commit("ok", vec![create("fine", "x")]), commit("bad", vec![create("SRC/x", "x")])];
    assert!(port.commit(&draft(&port.head().unwrap().commit, None, bad)).is_err());
    assert_eq!(count(), before);
}

#[test]
fn remotes_that_name_programs_are_refused_and_nothing_runs() {
    let repo = Repo::new(FILES);
    let port = repo.open();
    port.commit(&draft(&port.head().unwrap().commit, None, vec![commit("x", vec![create("x", "x")])]))
        .unwrap();
    let mark = repo.beside("ran");
    let run = format!("touch {}", mark.display());
    for url in [
        format!("ext::sh -c '{run}'"),
        format!("--upload-pack={run}"),
        format!("ssh://-oProxyCommand={run}/x"),
    ] {
        repo.git(&["config", "remote.evil.url", &url]);
        let port = repo.open();
        for error in [
            port.push("evil", BRANCH, None).unwrap_err(),
            port.remote_branch("evil", BRANCH).unwrap_err(),
            port.remote_tip("evil", BRANCH).unwrap_err(),
        ] {
            assert!(matches!(error, VcsError::Remote { .. }), "{error}");
        }
    }
    // A rewrite in the config of the repository leads to a helper: git itself must refuse it.
    repo.git(&["config", "remote.evil.url", "/harmless"]);
    repo.git(&["config", &format!("url.ext::sh -c '{run}' #.insteadOf"), "/harmless"]);
    assert!(repo.open().push("evil", BRANCH, None).is_err());
    assert!(repo.open().remote_branch("evil", BRANCH).is_err());
    // A program for the other side, set in the config.
    let bare = repo.beside("bare.git");
    let bare = bare.to_str().unwrap();
    repo.git(&["init", "--quiet", "--bare", bare]);
    for section in ["plain", bare] {
        repo.git(&["config", &format!("remote.{section}.url"), bare]);
        repo.git(&["config", &format!("remote.{section}.receivepack"), &format!("{run};")]);
        repo.git(&["config", &format!("remote.{section}.uploadpack"), &format!("{run};")]);
    }
    repo.open().push("plain", BRANCH, None).unwrap();
    assert!(repo.open().remote_branch("plain", BRANCH).unwrap().is_some());
    assert!(!mark.exists(), "something ran");
}

#[test]
fn file_urls_and_relative_remotes_work_and_dead_ones_are_temporary() {
    let repo = Repo::new(FILES).with_remote();
    let port = repo.open();
    port.commit(&draft(&port.head().unwrap().commit, None, vec![commit("x", vec![create("x", "x")])]))
        .unwrap();
    let url = format!("file://{}", repo.beside("remote.git").display());
    repo.git(&["remote", "add", "by-url", &url]);
    repo.git(&["remote", "add", "relative", "../remote.git"]);
    repo.git(&["remote", "add", "dead", "../nowhere.git"]);
    let port = repo.open();
    port.push("by-url", BRANCH, None).unwrap();
    assert_eq!(
        port.remote_branch("relative", BRANCH).unwrap(),
        port.branch(BRANCH).unwrap().map(|tip| tip.commit)
    );
    let error = port.push("dead", BRANCH, None).unwrap_err();
    assert_eq!(error.class(), Class::Temporary);
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn a_remote_commit_that_is_not_here_is_fetched_without_a_ref() {
    let repo = Repo::new(FILES).with_remote();
    let port = repo.open();
    let clone = repo.beside("clone");
    repo.git(&["push", "--quiet", "origin", "main"]);
    repo.git(&["clone", "--quiet", repo.beside("remote.git").to_str().unwrap(), clone.to_str().unwrap()]);
    repo.git_in(&clone, &["commit", "--quiet", "--allow-empty", "-m", "theirs\n\nOrch-Task: sha256:y"]);
    repo.git_in(&clone, &["push", "--quiet", "origin", &format!("HEAD:refs/heads/{BRANCH}")]);
    let before = repo.snapshot("nothing-is-excepted");
    let tip = port.remote_tip("origin", BRANCH).unwrap().unwrap();
    assert_eq!(tip.trailers["Orch-Task"], "sha256:y");
    assert_eq!(tip.committer, "Somebody <somebody@example.com>");
    assert_eq!(repo.snapshot("nothing-is-excepted"), before);
}

#[test]
fn branches_in_use_or_in_the_way_are_refused() {
    let moved = |repo: &Repo| {
        let port = repo.open();
        let commits = vec![commit("x", vec![create("x", "x")])];
        let expected = port.branch(BRANCH).ok().flatten().map(|tip| tip.commit);
        match port.commit(&draft(&port.head().unwrap().commit, expected.as_ref(), commits)).unwrap_err() {
            VcsError::BranchMoved { why, .. } => why,
            error => panic!("{error}"),
        }
    };
    let repo = Repo::new(FILES);
    repo.git(&["branch", "feat/api"]);
    assert!(moved(&repo).contains("`feat/api`"));
    let repo = Repo::new(FILES);
    repo.git(&["branch", &format!("{BRANCH}/deeper")]);
    assert!(moved(&repo).contains("below"));
    let repo = Repo::new(FILES);
    repo.git(&["switch", "--quiet", "-c", BRANCH]);
    assert!(moved(&repo).contains("checked out"));
    let repo = Repo::new(FILES);
    repo.git(&["worktree", "add", "--quiet", "-b", BRANCH, repo.beside("wt").to_str().unwrap()]);
    assert!(moved(&repo).contains("checked out"));
    let repo = Repo::new(FILES);
    repo.git(&["symbolic-ref", &format!("refs/heads/{BRANCH}"), "refs/heads/main"]);
    assert!(repo.open().branch(BRANCH).is_err());
    let repo = Repo::new(FILES);
    repo.write(&format!(".git/refs/heads/{BRANCH}.lock"), "");
    assert!(moved(&repo).contains("is locked"));
}

#[test]
fn a_replaced_object_is_not_believed() {
    let repo = Repo::new(FILES);
    let (real, port) = (repo.git(&["rev-parse", "HEAD:README.md"]), repo.open());
    repo.write("other", "replaced\n");
    let other = repo.git(&["hash-object", "-w", "other"]);
    repo.git(&["replace", &real, &other]);
    let base = port.head().unwrap();
    assert_eq!(repo.open().file(&base.tree, "README.md").unwrap().as_deref(), Some(&b"hello\n"[..]));
    assert_eq!(port.entries(&base.tree).unwrap()[0].kind, EntryKind::File);
}
