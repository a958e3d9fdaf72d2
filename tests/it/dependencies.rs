//! What the dependencies scanner says of real histories: `ORCH_HISTORY` names git repositories, `:` between them.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a walk that a person starts and reads")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use orch::scan::{Change, FileChange, Tree, dependencies::Dependencies, manifest, scan_change};

/// A path with what it holds before and after.
type Sides<'a> = (&'a String, Option<Vec<u8>>, Option<Vec<u8>>);

fn git(repository: &Path, args: &[&str]) -> Vec<u8> {
    Command::new("git").arg("-C").arg(repository).args(args).output().unwrap().stdout
}

fn lines(bytes: Vec<u8>) -> Vec<String> {
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

struct Commit<'a> {
    repository: &'a Path,
    name: &'a str,
    paths: Vec<String>,
}

impl Tree for Commit<'_> {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let at = self.paths.binary_search_by(|p| p.as_str().cmp(path)).ok()?;
        Some(git(self.repository, &["show", &format!("{}:{}", self.name, self.paths[at])]))
    }
}

#[test]
#[ignore = "reads the repositories that ORCH_HISTORY names"]
fn histories() {
    let most: usize = std::env::var("ORCH_HISTORY_COMMITS").map_or(300, |n| n.parse().unwrap());
    for repository in std::env::var("ORCH_HISTORY").unwrap().split(':') {
        history(Path::new(repository), most);
    }
}

fn history(repository: &Path, most: usize) {
    let mut spent = Duration::ZERO;
    let (mut seen, mut facts) = (0, 0);
    for commit in lines(git(repository, &["rev-list", "--no-merges", "HEAD"])) {
        let changed = lines(git(repository, &["diff-tree", "-r", "--no-commit-id", "--name-only", &commit]));
        let of_interest = |path: &String| {
            manifest::format(path).is_some() || path.ends_with("setup.py") || path.ends_with("build.rs")
        };
        if !changed.iter().any(of_interest) {
            continue;
        }
        seen += 1;
        if seen > most {
            break;
        }
        let mut paths = lines(git(repository, &["ls-tree", "-r", "--name-only", &commit]));
        paths.sort();
        let tree = Commit { repository, name: &commit, paths };
        let old = lines(git(repository, &["ls-tree", "-r", "--name-only", &format!("{commit}^")]));
        let sides: Vec<Sides<'_>> = changed
            .iter()
            .filter(|path| of_interest(path))
            .map(|path| {
                let before =
                    old.contains(path).then(|| git(repository, &["show", &format!("{commit}^:{path}")]));
                (path, before, tree.file(path))
            })
            .collect();
        let mut files: Vec<FileChange<'_>> = sides
            .iter()
            .map(|(path, before, after)| FileChange {
                path,
                before: before.as_deref(),
                after: after.as_deref(),
            })
            .collect();
        files.sort_by_key(|file| file.path);
        let start = Instant::now();
        let found = scan_change(&[&Dependencies], &Change { files: &files, tree: &tree }, None);
        spent += start.elapsed();
        facts += found.len();
        for fact in found {
            println!(
                "{}\t{:?}\t{}:{}\t{}\t{}\t{:?}",
                fact.code,
                fact.confidence,
                fact.path,
                fact.line,
                &commit[..10],
                fact.message,
                fact.attributes
            );
        }
    }
    println!("# {}: {seen} commits, {facts} facts, {spent:?}", repository.display());
}
