//! What the scanner for test tampering says of real histories: `ORCH_HISTORY` names git repositories, `:` between them.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a walk that a person starts and reads")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use orch::scan::{Change, FileChange, MemoryTree, scan_change, tampering::Tampering};

fn git(repository: &Path, args: &[&str]) -> Vec<u8> {
    Command::new("git").arg("-C").arg(repository).args(args).output().unwrap().stdout
}

/// A file of a commit: its path, and what it was and is.
type File = (String, Option<Vec<u8>>, Option<Vec<u8>>);

/// Reads the files of one commit from lines as `git log --raw` writes them; links and submodules are none.
fn files(repository: &Path, raw: &[&str]) -> Vec<File> {
    let blob =
        |mode: &str, id: &str| mode.starts_with("100").then(|| git(repository, &["cat-file", "blob", id]));
    let mut files: Vec<File> = raw
        .iter()
        .filter_map(|line| {
            let (meta, path) = line.strip_prefix(':')?.split_once('\t')?;
            let parts: Vec<&str> = meta.split(' ').collect();
            Some((path.to_owned(), blob(parts[0], parts[2]), blob(parts[1], parts[3])))
        })
        .filter(|(_, before, after)| before.is_some() || after.is_some())
        .collect();
    files.sort();
    files
}

#[test]
#[ignore = "reads the repositories that ORCH_HISTORY names"]
fn histories() {
    let most: usize = std::env::var("ORCH_HISTORY_COMMITS").map_or(300, |n| n.parse().unwrap());
    for repository in std::env::var("ORCH_HISTORY").unwrap().split(':') {
        history(Path::new(repository), most);
    }
}

/// Prints what is found in the newest commits that touch tests, a line each, and then how often each kind of it is.
fn history(repository: &Path, most: usize) {
    const WIDEST: usize = 400;
    let log = git(
        repository,
        &["log", "--no-merges", "--raw", "--no-abbrev", "--no-renames", "--format=commit %H", "HEAD"],
    );
    let log = String::from_utf8_lossy(&log).into_owned();
    let (mut seen, mut slowest) = (0, Duration::ZERO);
    let mut kinds: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for part in log.split("commit ").skip(1) {
        let lines: Vec<&str> = part.lines().collect();
        let raw: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with(':')).collect();
        let of_tests = |line: &&&str| {
            let path = line.to_lowercase();
            ["test", "spec", "__snap"].iter().any(|word| path.contains(word))
        };
        if raw.len() > WIDEST || raw.iter().find(of_tests).is_none() {
            continue;
        }
        if seen == most {
            break;
        }
        seen += 1;
        let files = files(repository, &raw);
        let changes: Vec<FileChange<'_>> = files
            .iter()
            .map(|(path, before, after)| FileChange {
                path,
                before: before.as_deref(),
                after: after.as_deref(),
            })
            .collect();
        let start = Instant::now();
        let tree = MemoryTree::default();
        let facts = scan_change(&[&Tampering], &Change { files: &changes, tree: &tree }, None);
        slowest = slowest.max(start.elapsed());
        let mut here = std::collections::BTreeSet::new();
        for fact in facts {
            let attribute = |name: &str| fact.attributes.get(name).map_or("", String::as_str);
            let kind =
                format!("{} {} {:?} {}", fact.code, attribute("kind"), fact.confidence, attribute("follows"));
            println!("{} {kind}\t{}:{}\t{}", &lines[0][..10], fact.path, fact.line, fact.message);
            here.insert(kind);
        }
        for kind in here {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    println!("{}: {seen} commits, the slowest took {slowest:?}", repository.display());
    for (kind, commits) in kinds {
        println!("  {kind}: {commits} commits");
    }
}
