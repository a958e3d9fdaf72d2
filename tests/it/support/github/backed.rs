//! The commits and branches of the fake in a real repository, for whoever clones it.
#![expect(clippy::disallowed_methods, reason = "the objects are made by git itself")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::state::{CommitRecord, State};

fn git(bare: &Path, words: &[&str], input: &[u8], about: &[(&str, &str)]) -> String {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(bare).args(words).envs(about.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "git {words:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// Makes a commit of a tree the fake knows, and returns its id.
pub fn commit(bare: &Path, state: &State, record: &CommitRecord, time: u64) -> String {
    let index = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::remove_file(&index).unwrap();
    let index = index.display().to_string();
    let about = [("GIT_INDEX_FILE", index.as_str())];
    let mut entries = String::new();
    for (path, entry) in &state.trees[&record.tree] {
        git(bare, &["hash-object", "-w", "--stdin"], &state.blobs[&entry.blob], &[]);
        writeln!(entries, "{} {}\t{path}", entry.mode, entry.blob).unwrap();
    }
    git(bare, &["update-index", "--add", "--index-info"], entries.as_bytes(), &about);
    let tree = git(bare, &["write-tree"], b"", &about);
    assert_eq!(tree, record.tree, "the fake makes the trees that git makes");
    let mut words = vec!["commit-tree", &tree];
    for parent in &record.parents {
        words.extend(["-p", parent]);
    }
    let date = format!("{} +0000", 1_767_225_600 + time);
    let about = [
        ("GIT_AUTHOR_NAME", record.name.as_str()),
        ("GIT_AUTHOR_EMAIL", &record.email),
        ("GIT_AUTHOR_DATE", &date),
        ("GIT_COMMITTER_NAME", &record.name),
        ("GIT_COMMITTER_EMAIL", &record.email),
        ("GIT_COMMITTER_DATE", &date),
    ];
    git(bare, &words, record.message.as_bytes(), &about)
}

/// Lets a branch be at a commit, or be no more.
pub fn point(bare: &Path, branch: &str, commit: Option<&str>) {
    let name = format!("refs/heads/{branch}");
    match commit {
        Some(commit) => git(bare, &["update-ref", &name, commit], b"", &[]),
        None => git(bare, &["update-ref", "-d", &name], b"", &[]),
    };
}
