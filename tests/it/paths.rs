//! Edits that try to leave the repository.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use orch::artifact::digest::Digest;
use orch::artifact::path::RepoPath;
use orch::artifact::types::change_set::{ChangeSet, FileChange, FileMode, FileOp};
use orch::diagnostic::{Class, Failure as _};
use orch::edit::apply::{ApplyError, apply};
use orch::edit::patch::{self, Before};
use orch::ports::vcs::{BranchDraft, CommitDraft, FakeRepository, Signature, VcsRead as _, VcsWrite as _};
use orch::ports::workspace::{FakeWorkspaces, TempWorkspaces, WorkspaceError, Workspaces};
use proptest::prelude::*;

use crate::support::{Repo, create, delete, modify};

/// Paths no artifact may even hold.
const IMPOSSIBLE: &[&str] = &[
    "/etc/passwd",
    "../outside",
    "a/../../outside",
    "..",
    ".git/config",
    ".git/hooks/pre-commit",
    "sub/.git/config",
    ".GIT/config",
    ".Git/hooks/x",
    "git~1/config",
    "GIT~1/config",
    ".git\u{200c}/config",
    ".g\u{200d}it/config",
    ".git /config",
    ".git./config",
    ".git::$INDEX_ALLOCATION/config",
    "C:/x",
    "C:x",
    "a\\..\\b",
    "\\\\host\\share",
    "con",
    "aux.txt",
    "nul.tar.gz",
    "com1",
    "LPT9.log",
    "x/con/y",
    "trailing.",
    "trailing ",
    "a//b",
    "./a",
    "a/.",
    "a\0b",
    "a\nb",
    "a:stream",
    "evil\u{202e}txt",
    "",
];

/// Changes whose paths look harmless, each with a part of the reason it must be refused for.
fn refused_changes() -> Vec<(FileChange, &'static str)> {
    vec![
        (create("link-out/x", "x"), "symbolic link"),
        (create("link-in/x", "x"), "symbolic link"),
        (modify("link-file", "hello\n", "x"), "symbolic link"),
        (create("link-file", "x"), "exists already"),
        (delete("link-file", "hello\n"), "symbolic link"),
        (create("README.md", "x"), "exists already"),
        (create("README.md/x", "x"), "below the file"),
        (create("readme.md", "x"), "another spelling"),
        (create("ReadMe.md/x", "x"), "another spelling"),
        (create("SRC/x", "x"), "another spelling"),
        (create("\u{17f}rc/x", "x"), "another spelling"),
        (create("cafe\u{301}/x", "x"), "another spelling"),
        (create("CAF\u{c9}/x", "x"), "another spelling"),
        (create("\u{ff53}rc/x", "x"), "another spelling"),
        (modify("src/a.txt", "not this\n", "x"), "does not hold"),
        (delete("src/a.txt", "not this\n"), "does not hold"),
        (modify("src", "one\n", "x"), "folder"),
        (delete("nope", "x"), "does not exist"),
    ]
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) {
    std::os::unix::fs::symlink(target, at).unwrap();
}

/// A repository with links in, out and to a file.
#[cfg(unix)]
fn linked_repo() -> Repo {
    let repo = Repo::empty();
    for (path, text) in [("README.md", "hello\n"), ("src/a.txt", "one\n"), ("caf\u{e9}/x.txt", "x\n")] {
        repo.write(path, text);
    }
    fs::create_dir(repo.beside("outside")).unwrap();
    link(&repo.beside("outside"), &repo.root().join("link-out"));
    link(Path::new("src"), &repo.root().join("link-in"));
    link(Path::new("README.md"), &repo.root().join("link-file"));
    repo.commit("base");
    repo
}

fn everything(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap().map(Result::unwrap) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let content = if kind.is_dir() {
                folders.push(path.clone());
                "folder".to_owned()
            } else if kind.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else {
                Digest::of(fs::read(&path).unwrap()).to_string()
            };
            found.insert(path.strip_prefix(folder).unwrap().display().to_string(), content);
        }
    }
    found
}

#[test]
fn impossible_paths_do_not_parse_alone_or_in_an_artifact() {
    for path in IMPOSSIBLE {
        assert!(path.parse::<RepoPath>().is_err(), "{path:?}");
        let text = serde_json::json!({
            "base_tree": "0".repeat(40),
            "files": [{"path": path, "op": "create", "mode": "regular", "after": Digest::of("x"), "content": {"text": "x"}}],
        });
        assert!(serde_json::from_value::<ChangeSet>(text).is_err(), "{path:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_refuses_them_all_and_nothing_is_written() {
    let repo = linked_repo();
    let (root, outside) = (repo.root(), repo.beside("outside"));
    let before = (everything(&root), everything(&outside));
    for (change, why) in refused_changes() {
        // A good change before and after it: all or none.
        let mut changes = vec![create("aaa/fine", "x"), change.clone(), create("zzz/fine", "x")];
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        let error = apply(&root, &changes).unwrap_err();
        let ApplyError::Refused(refusal) = &error else { panic!("{error}") };
        assert!(refusal.why.contains(why), "{}: {refusal}", change.path);
        assert_eq!((everything(&root), everything(&outside)), before, "{}", change.path);
    }
}

#[cfg(unix)]
#[test]
fn a_commit_refuses_them_all_and_nothing_is_written() {
    let repo = linked_repo();
    let port = repo.open();
    let base = port.head().unwrap();
    let before = (everything(&repo.root()), everything(&repo.beside("outside")));
    for (change, why) in refused_changes() {
        let commit =
            |files| CommitDraft { subject: "x".into(), body: String::new(), trailers: vec![], files };
        let time = "2026-11-21T10:00:00Z".parse().unwrap();
        let error = port
            .commit(&BranchDraft {
                branch: "feat/x".into(),
                base: base.commit.clone(),
                commits: vec![commit(vec![create("aaa/fine", "x")]), commit(vec![change.clone()])],
                author: Signature { name: "a".into(), email: "b".into(), time },
                expected: None,
            })
            .unwrap_err();
        assert_eq!(error.class(), Class::Denied);
        assert!(error.to_string().contains(why), "{}: {error}", change.path);
        assert_eq!((everything(&repo.root()), everything(&repo.beside("outside"))), before);
    }
}

#[cfg(unix)]
#[test]
fn what_is_applied_has_the_right_modes_and_no_traces() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = Repo::new(&[("a.txt", "a\n"), ("b.txt", "b\n"), ("c/d.txt", "d\n")]);
    let script =
        FileChange::write("run.sh".parse().unwrap(), None, b"#!/bin/sh\n".to_vec(), FileMode::Executable);
    let changes =
        [modify("a.txt", "a\n", "A\n"), delete("c/d.txt", "d\n"), create("n/e/w.txt", "new\n"), script];
    apply(&repo.root(), &changes).unwrap();
    let names: Vec<_> = everything(&repo.root()).into_keys().filter(|p| !p.starts_with(".git")).collect();
    assert_eq!(names, ["a.txt", "b.txt", "n", "n/e", "n/e/w.txt", "run.sh"]);
    let mode = |path: &str| fs::metadata(repo.root().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("run.sh"), mode("a.txt"), mode("n/e/w.txt")), (0o755, 0o644, 0o644));
}

/// What every maker of clean copies must do with a repository that holds `src/a.txt` ("one\n").
fn copies_conform(workspaces: &dyn Workspaces, tree: &orch::artifact::id::TreeId) {
    let path = |text: &str| text.parse::<RepoPath>().unwrap();
    let mut copy = workspaces.clean_copy(tree).unwrap();
    assert_eq!(copy.exported().files, 2);
    assert_eq!(copy.digest(&path("src/a.txt")).unwrap(), Some(Digest::of("one\n")));
    assert_eq!(copy.digest(&path("src")).unwrap(), None);
    assert_eq!(copy.digest(&path("nope/x")).unwrap(), None);
    for bad in [create("README.md", "x"), create("SRC/x", "x"), modify("src/a.txt", "no", "x")] {
        let error = copy.apply(&[create("AAA", "x"), bad]).unwrap_err();
        assert!(matches!(error, WorkspaceError::Refused { .. }), "{error}");
        assert_eq!(copy.digest(&path("AAA")).unwrap(), None);
    }
    copy.apply(&[create("new/x", "x"), modify("src/a.txt", "one\n", "two\n")]).unwrap();
    assert_eq!(copy.digest(&path("src/a.txt")).unwrap(), Some(Digest::of("two\n")));
    copy.apply(&[delete("src/a.txt", "two\n")]).unwrap();
    assert_eq!(copy.digest(&path("src/a.txt")).unwrap(), None);
    let other = workspaces.clean_copy(tree).unwrap();
    assert_eq!(other.digest(&path("src/a.txt")).unwrap(), Some(Digest::of("one\n")), "copies are apart");
}

#[test]
fn clean_copies_conform_and_go_away() {
    let files: [(&str, &str); 2] = [("README.md", "hello\n"), ("src/a.txt", "one\n")];
    let fake = FakeRepository::new(files.map(|(path, text)| (path, text.as_bytes())));
    copies_conform(&FakeWorkspaces::new(&fake), &fake.head().unwrap().tree);

    let repo = Repo::new(&files);
    let port = repo.open();
    let temp = tempfile::tempdir().unwrap();
    let workspaces = TempWorkspaces::open_in(&port, temp.path()).unwrap();
    copies_conform(&workspaces, &port.head().unwrap().tree);
    let left: Vec<_> = everything(temp.path()).into_keys().filter(|p| p.contains("copy-")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn leftovers_of_killed_processes_go_and_live_copies_stay() {
    let repo = Repo::new(&[("README.md", "hello\n")]);
    let port = repo.open();
    let temp = tempfile::tempdir().unwrap();
    let workspaces = TempWorkspaces::open_in(&port, temp.path()).unwrap();
    let live = workspaces.clean_copy(&port.head().unwrap().tree).unwrap();
    let home = live.root().parent().unwrap().to_owned();
    // What a process leaves that was killed with a copy, and one that was killed before it had a lock.
    for name in ["copy-dead", "copy-early"] {
        fs::create_dir_all(home.join(name).join("deep")).unwrap();
        fs::write(home.join(name).join("deep/file"), "x").unwrap();
    }
    fs::write(home.join("copy-dead.lock"), "").unwrap();
    fs::write(home.join("copy-gone.lock"), "").unwrap();
    TempWorkspaces::open_in(&port, temp.path()).unwrap();
    assert!(live.root().join("README.md").exists());
    let mut left: Vec<_> = fs::read_dir(&home).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    let live_name = live.root().file_name().unwrap().to_owned();
    let mut lock = live_name.clone();
    lock.push(".lock");
    assert_eq!(left, [live_name, lock, "gate.lock".into()]);
}

#[cfg(unix)]
#[test]
fn the_temporary_folder_is_private_and_in_no_repository() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = Repo::new(&[("README.md", "hello\n")]);
    let port = repo.open();
    let error = TempWorkspaces::open_in(&port, &repo.root()).unwrap_err();
    assert!(matches!(error, WorkspaceError::Io { .. }), "{error}");
    let temp = tempfile::tempdir().unwrap();
    let workspaces = TempWorkspaces::open_in(&port, temp.path()).unwrap();
    let copy = workspaces.clean_copy(&port.head().unwrap().tree).unwrap();
    for folder in [copy.root(), copy.root().parent().unwrap()] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    // Somebody else's link in the place of the folder.
    let trap = tempfile::tempdir().unwrap();
    let name = copy.root().parent().unwrap().file_name().unwrap();
    link(temp.path(), &trap.path().join(name));
    assert!(TempWorkspaces::open_in(&port, trap.path()).is_err());
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(vec!["a\n", "b\n", "c\n", "d\r\n", "\n", " x\n", "e\rf\n", "--- a\n", "@@ -1 +1 @@\n"]), 0..12)
            .prop_map(|lines| lines.concat().into_bytes()),
        2 => "[a-c\\n\\r\u{e9}]{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => prop::collection::vec(any::<u8>(), 60_000..70_000),
    ]
}

proptest! {
    #[test]
    fn what_parses_as_a_path_stays_inside(text in "([./\\\\:a-c~ \\PC]|\\.git|git~1|con){0,12}") {
        if let Ok(path) = text.parse::<RepoPath>() {
            let inside = Path::new(path.as_str()).components().all(|c| matches!(c, std::path::Component::Normal(_)));
            prop_assert!(inside, "{text:?}");
            prop_assert_eq!(path.as_str(), text);
            prop_assert!(path.components().all(|c| !c.eq_ignore_ascii_case(".git")));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn git_apply_makes_the_same_tree(
        files in prop::collection::btree_map(
            prop::sample::select(vec!["a", "b c", "d/e f/g", "d/h", "\u{fc}\u{65e5}", "b/x b/x", "-dash", "'q'", "i.bin"]),
            (prop::option::of((content(), any::<bool>())), prop::option::of((content(), any::<bool>()))),
            1..7,
        )
    ) {
        let repo = Repo::empty();
        repo.write("keep", "kept\n");
        let mode = |executable| if executable { FileMode::Executable } else { FileMode::Regular };
        for (path, (before, _)) in &files {
            if let Some((before, executable)) = before {
                repo.write(path, before);
                repo.set_executable(path, *executable);
            }
        }
        repo.commit("base");
        let changes: Vec<_> = files.iter().filter_map(|(path, (before, after))| {
            let path: RepoPath = path.parse().unwrap();
            let change = match (before, after) {
                (None, None) => return None,
                (Some((before, executable)), None) => FileChange {
                    path, op: FileOp::Delete, mode: mode(*executable),
                    before: Some(Digest::of(before)), after: None, content: None,
                },
                (before, Some((after, executable))) => {
                    let before = before.as_ref().map(|(bytes, _)| bytes.as_slice());
                    FileChange::write(path, before, after.clone(), mode(*executable))
                }
            };
            let before = before.clone().map(|(bytes, executable)| Before { bytes, mode: mode(executable) });
            Some((change, before))
        }).collect();
        let list: Vec<_> = changes.iter().map(|(change, before)| (change, before.clone())).collect();
        let rendered = patch::render_from(&list).unwrap();
        let backwards: Vec<_> = list.iter().rev().cloned().collect();
        prop_assert_eq!(&patch::render_from(&backwards).unwrap(), &rendered);

        let port = repo.open();
        let time = "2026-11-21T10:00:00Z".parse().unwrap();
        let commit = CommitDraft {
            subject: "x".into(), body: String::new(), trailers: vec![],
            files: changes.into_iter().map(|(change, _)| change).collect(),
        };
        let written = port.commit(&BranchDraft {
            branch: "x/y".into(), base: port.head().unwrap().commit, commits: vec![commit],
            author: Signature { name: "a".into(), email: "b".into(), time }, expected: None,
        }).unwrap();

        let file = repo.beside("change.patch");
        fs::write(&file, &rendered).unwrap();
        if !rendered.is_empty() {
            repo.git(&["apply", "--index", "--whitespace=nowarn", file.to_str().unwrap()]);
        }
        prop_assert_eq!(repo.git(&["write-tree"]), written.commits[0].1.to_string());
        repo.git(&["diff", "--exit-code"]);
        if !rendered.is_empty() {
            repo.git(&["apply", "--index", "-R", "--whitespace=nowarn", file.to_str().unwrap()]);
        }
    }
}
