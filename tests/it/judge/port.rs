//! The port that tells changes: the real one and the fake say the same.

use orch::ports::vcs::{Delta, EntryKind, FakeRepository, Span, VcsChanges, VcsRead as _};

use crate::support::Repo;

type Files = &'static [(&'static str, &'static str)];

/// HEAD, index and working tree.
const CASES: &[(Files, Files, Files)] = &[
    (&[("a", "1")], &[("a", "1")], &[("a", "1")]),
    (&[("a", "1")], &[("a", "2")], &[("a", "3")]),
    (&[("a", "1"), ("b/c", "2")], &[("a", "1")], &[("a", "1"), ("b/c", "2")]),
    (&[("a", "1")], &[("a", "1"), ("n/e/w", "x")], &[("a", "1")]),
    (&[("a", "1")], &[("a", "2")], &[("a", "1")]),
    (&[("a/b", "1"), ("a.b", "2"), ("a0", "3")], &[("a", "x"), ("a.b", "2")], &[("a/b/c", "y"), ("a0", "3")]),
    (&[("d/1", "1"), ("d/2", "2"), ("e/1", "1")], &[("d/2", "2"), ("e/1", "9")], &[("f", "")]),
];

fn bytes(files: Files) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    files.iter().map(|(path, text)| (*path, text.as_bytes()))
}

fn fake((head, index, work): (Files, Files, Files)) -> FakeRepository {
    FakeRepository::new(bytes(head)).with_index(bytes(index)).with_work(bytes(work))
}

fn real((head, index, work): (Files, Files, Files)) -> Repo {
    let repo = Repo::new(head);
    let replace = |files: Files| {
        for entry in std::fs::read_dir(repo.root()).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && !path.ends_with(".git") {
                std::fs::remove_dir_all(path).unwrap();
            } else if path.is_file() {
                std::fs::remove_file(path).unwrap();
            }
        }
        for (path, text) in files {
            repo.write(path, text);
        }
    };
    replace(index);
    repo.git(&["add", "-A"]);
    replace(work);
    repo
}

fn all(port: &dyn VcsChanges) -> Vec<Vec<Delta>> {
    let head = port.head().unwrap().tree;
    let mut found: Vec<_> =
        [Span::Staged { index: None }, Span::Work].iter().map(|s| port.deltas(s).unwrap()).collect();
    found.push(port.deltas(&Span::Trees { before: None, after: head.clone() }).unwrap());
    found.push(port.deltas(&Span::Trees { before: Some(head.clone()), after: head }).unwrap());
    found
}

#[test]
fn both_ports_tell_the_same_changes() {
    for case in CASES {
        let (fake, folder) = (fake(*case), real(*case));
        let real = folder.open();
        assert_eq!(all(&real), all(&fake), "{case:?}");
        let files = |port: &dyn VcsChanges| -> Vec<(Vec<u8>, EntryKind, bool, Vec<u8>)> {
            let mut buffer = Vec::new();
            let files = port.working_files().unwrap().into_iter().map(|file| {
                let there = port.read_working(&file, &mut buffer).unwrap();
                (file.path.clone(), file.kind, there, buffer.clone())
            });
            // Tracked files that are gone are told and not there.
            files.filter(|(_, _, there, _)| *there).collect()
        };
        assert_eq!(files(&real), files(&fake), "{case:?}");
        let head = |port: &dyn VcsChanges| port.commit_named("HEAD").unwrap();
        assert_eq!(head(&real).commit, real.head().unwrap().commit);
        for port in [&real as &dyn VcsChanges, &fake] {
            let commit = head(port);
            assert_eq!(port.merge_base(&commit.commit, &commit.commit).unwrap().unwrap(), commit);
            assert!(port.commit_named("nowhere").is_err());
            assert_eq!(port.remote_default().unwrap(), None);
            let side = |path: &str| port.side(&commit.tree, path.as_bytes()).unwrap();
            for (path, text) in case.0 {
                assert_eq!(side(path).unwrap().content.unwrap(), text.as_bytes());
            }
            assert!(side("nope").is_none() && side("").is_none());
        }
    }
}
