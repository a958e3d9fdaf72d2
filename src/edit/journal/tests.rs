//! Every step of a commit fails, or is the last one before a kill: the folder is as before or as after, never between.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::*;
use crate::edit::disk::{FailingDisk, RealDisk};

fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let name = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if entry.file_type().unwrap().is_dir() {
                files.insert(format!("{name}/"), Vec::new());
                folders.push(entry.path());
            } else {
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

fn start() -> (tempfile::TempDir, Vec<FileChange>) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("src/old")).unwrap();
    for (name, text) in [("a", "one\n"), ("src/b", "two\n"), ("src/old/c", "gone\n"), ("m", "mode\n")] {
        fs::write(root.path().join(name), text).unwrap();
    }
    let write = |path: &str, before: Option<&str>, after: &str, mode| {
        FileChange::write(path.parse().unwrap(), before.map(str::as_bytes), after.into(), mode)
    };
    let gone = FileChange {
        op: FileOp::Delete,
        after: None,
        content: None,
        ..write("src/old/c", Some("gone\n"), "", FileMode::Regular)
    };
    let changes = vec![
        write("a", Some("one\n"), "ONE\n", FileMode::Regular),
        write("m", Some("mode\n"), "mode\n", FileMode::Executable),
        write("new/deep/x", None, "new\n", FileMode::Regular),
        write("src/b", Some("two\n"), "TWO\n", FileMode::Regular),
        gone,
    ];
    (root, changes)
}

#[test]
fn every_fault_leaves_the_folder_as_it_was_or_as_it_should_be() {
    let (root, changes) = start();
    let before = tree(root.path());
    commit(&RealDisk, root.path(), &changes).unwrap();
    let after = tree(root.path());
    assert!(after.contains_key("new/deep/x") && !after.contains_key("src/old/") && after["a"] == b"ONE\n");
    for killed in [false, true] {
        let mut ends = [0, 0];
        for steps in 0.. {
            let (root, changes) = start();
            let disk = FailingDisk { left: Cell::new(steps), killed };
            let done = commit(&disk, root.path(), &changes);
            let untouched = disk.left.get() > 0 && disk.left.get() < usize::MAX;
            if !killed && done.is_err() {
                assert_eq!(tree(root.path()), before, "step {steps}");
            }
            // The next call mends what is left.
            let mended = recover(&RealDisk, root.path()).unwrap();
            let now = tree(root.path());
            let whole = if done.is_ok() { &after } else { &before };
            assert_eq!(&now, whole, "step {steps}, killed {killed}, {mended:?}");
            ends[usize::from(done.is_ok())] += 1;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = fs::metadata(root.path().join("m")).unwrap().permissions().mode();
                assert_eq!(mode & 0o111 != 0, done.is_ok(), "step {steps}");
            }
            if untouched {
                break;
            }
        }
        assert!(ends[0] > 10 && ends[1] > 1, "{ends:?}");
    }
}

#[test]
fn a_change_can_be_made_again_after_a_kill() {
    let (root, changes) = start();
    let disk = FailingDisk { left: Cell::new(13), killed: true };
    commit(&disk, root.path(), &changes).unwrap_err();
    assert!(root.path().join(JOURNAL).exists());
    commit(&RealDisk, root.path(), &changes).unwrap();
    assert_eq!(fs::read(root.path().join("a")).unwrap(), b"ONE\n");
    assert!(!root.path().join(JOURNAL).exists());
}

#[test]
fn what_somebody_else_wrote_since_is_not_undone() {
    let (root, changes) = start();
    // Everything is staged and the first file is in place.
    let disk = FailingDisk { left: Cell::new(13), killed: true };
    commit(&disk, root.path(), &changes).unwrap_err();
    assert_eq!(fs::read(root.path().join("a")).unwrap(), b"ONE\n");
    fs::write(root.path().join("a"), "theirs\n").unwrap();
    let error = recover(&RealDisk, root.path()).unwrap_err();
    assert!(matches!(&error, CommitError::Torn { files, .. } if files == "a"), "{error}");
    assert_eq!(fs::read(root.path().join("a")).unwrap(), b"theirs\n");
}

/// A disk where somebody else writes a file just before a step.
struct MeddlingDisk<'a> {
    file: &'a Path,
    left: Cell<usize>,
    wrote: Cell<bool>,
}

impl MeddlingDisk<'_> {
    fn step(&self) {
        if self.left.get() == 0 {
            self.wrote.set(self.wrote.get() || fs::write(self.file, "theirs\n").is_ok());
        }
        self.left.set(self.left.get().wrapping_sub(1));
    }
}

impl Disk for MeddlingDisk<'_> {
    fn write_new(&self, path: &Path, bytes: &[u8], like: Option<&Path>, executable: bool) -> io::Result<()> {
        self.step();
        RealDisk.write_new(path, bytes, like, executable)
    }

    fn note(&self, path: &Path, line: &str) -> io::Result<()> {
        self.step();
        RealDisk.note(path, line)
    }

    fn keep(&self, file: &Path, name: &Path) -> io::Result<()> {
        self.step();
        RealDisk.keep(file, name)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step();
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step();
        RealDisk.remove(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.step();
        RealDisk.make_folder(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.step();
        RealDisk.remove_folder(path)
    }
}

#[test]
fn a_file_changed_meanwhile_is_refused_with_nothing_half_done_and_nothing_lost() {
    let (root, changes) = start();
    let before = tree(root.path());
    commit(&RealDisk, root.path(), &changes).unwrap();
    let after = tree(root.path());
    // Changed files, one whose mode alone changes, and one that goes.
    for (path, deleted) in [("a", false), ("src/b", false), ("m", false), ("src/old/c", true)] {
        let (mut refused, mut late) = (0, 0);
        for steps in 0.. {
            let (root, changes) = start();
            let file = root.path().join(path);
            let disk = MeddlingDisk { file: &file, left: Cell::new(steps), wrote: Cell::new(false) };
            let done = commit(&disk, root.path(), &changes);
            let now = tree(root.path());
            if !disk.wrote.get() {
                assert_eq!(now, after, "{path} {steps}");
                break;
            }
            let mut wanted = if done.is_ok() { after.clone() } else { before.clone() };
            wanted.insert(path.into(), b"theirs\n".to_vec());
            if deleted && done.is_ok() {
                wanted.insert("src/old/".into(), Vec::new());
            }
            assert_eq!(now, wanted, "{path} {steps} {done:?}");
            match done {
                Ok(()) => late += 1,
                Err(CommitError::Apply(ApplyError::Refused(refusal))) => {
                    assert!(refusal.path == path && refusal.why.contains("changed while"), "{refusal:?}");
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(refused > 10 && late > 0, "{path}: {refused} {late}");
    }
}

#[test]
fn a_journal_that_is_not_ours_does_nothing() {
    let (root, _) = start();
    let before = tree(root.path());
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), "x").unwrap();
    let after = Digest::of("x");
    for path in ["../x", "/etc/passwd", "link/x", ".git/x"] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
        let entry =
            Entry { path: path.into(), new: None, old: None, before: None, after: Some(after.clone()) };
        let head = Head { entries: vec![entry], folders: vec![] };
        fs::write(root.path().join(JOURNAL), serde_json::to_string(&head).unwrap() + "\n").unwrap();
        assert_eq!(recover(&RealDisk, root.path()).unwrap(), Recovered::Nothing);
        assert!(outside.path().join("x").exists());
        let _ = fs::remove_file(root.path().join("link"));
        assert_eq!(tree(root.path()), before);
    }
}

#[test]
fn two_calls_do_not_work_in_one_folder_at_a_time() {
    let (root, changes) = start();
    let _lock = Lock::take(root.path()).unwrap();
    assert!(matches!(commit(&RealDisk, root.path(), &changes), Err(CommitError::Busy(_))));
}

#[cfg(unix)]
#[test]
fn a_read_only_file_stops_everything() {
    use std::os::unix::fs::PermissionsExt as _;
    let (root, changes) = start();
    fs::set_permissions(root.path().join("src/b"), fs::Permissions::from_mode(0o444)).unwrap();
    let before = tree(root.path());
    let error = commit(&RealDisk, root.path(), &changes).unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!(tree(root.path()), before);
}
