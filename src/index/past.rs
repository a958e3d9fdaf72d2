//! What past commits tell: which words went with which files, and which files went together.
//!
//! Must never know a commit that the tree's own commit does not descend from.

use std::collections::HashMap;

use super::corpus::Tree;
use super::words::{self, Term};

/// A commit as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: [u8; 20],
    /// The time of the commit, in seconds.
    pub time: i64,
    /// The words of its message, with how often each comes; [`WHOLE`] marks names of several parts.
    pub words: Vec<(Term, u8)>,
    /// The paths it touched.
    pub paths: Vec<String>,
    /// Paths that were moved: from, to.
    pub moved: Vec<(String, String)>,
}

/// Marks a name of several parts in a count of words.
pub const WHOLE: u8 = 0x80;

/// The most files of a commit that says something about one of them.
pub const MAX_TOUCHED: usize = 60;
/// The most files of a commit that says which go together.
const MAX_TOGETHER: usize = 24;

/// Returns the words of a message as the past keeps them: the subject twice, and its scope as a word of its own.
pub fn message(text: &str) -> Vec<(Term, u8)> {
    let subject = text.lines().next().unwrap_or_default();
    let body: String = text
        .lines()
        .skip(1)
        .filter(|line| !is_trailer(line))
        .take(40)
        .fold(String::new(), |all, line| all + line + "\n");
    let count = |word: words::Word, count: u32| (count.min(8) as u8) | if word.whole { WHOLE } else { 0 };
    let mut out: Vec<(Term, u8)> =
        words::query(subject).into_iter().map(|(word, n)| (word.term, count(word, 2 * n))).collect();
    for (word, n) in words::query(&body) {
        match out.iter_mut().find(|(term, _)| *term == word.term) {
            Some((_, all)) => *all = (*all & WHOLE) | ((*all & !WHOLE) + n.min(8) as u8),
            None => out.push((word.term, count(word, n))),
        }
    }
    out.truncate(120);
    out.extend(scope(subject).map(|term| (term, 2)));
    out
}

fn is_trailer(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, _)| {
        key.ends_with("-by")
            || key.ends_with("-By")
            || matches!(key, "Change-Id" | "Pull-Request" | "PiperOrigin-RevId")
    })
}

/// Returns the word of a subject's scope: `css` of `fix(css): …`, `autodoc` of `autodoc: …`.
pub fn scope(subject: &str) -> Option<Term> {
    let (before, _) = subject.split_once(':')?;
    if before.len() > 40 || before.split_whitespace().count() > 2 {
        return None;
    }
    let scope = match before.split_once('(') {
        Some((_, rest)) => rest.trim_end_matches([')', '!', ' ']),
        None => before,
    };
    let scope = scope.trim().to_ascii_lowercase();
    (!scope.is_empty()).then(|| words::hash(format!("scope:{scope}").as_bytes()))
}

/// One past commit, by files of the tree.
#[derive(Clone, Debug)]
pub struct Past {
    /// Commits, newest first: the files each touched that are still there, and how many it touched.
    pub touched: Vec<(Vec<u32>, u32)>,
    /// Their ids.
    pub ids: Vec<[u8; 20]>,
    lengths: Vec<f32>,
    length: f32,
    posts: HashMap<Term, Vec<(u32, u8)>>,
    /// For each file, the commits that touched it, newest first.
    pub by_file: Vec<Vec<u32>>,
    /// For each file: whether the very last commits touched it, how lately, how often.
    pub standing: Vec<[f32; 3]>,
}

impl Past {
    /// Lays commits, newest first, over a tree.
    pub fn of<'a>(tree: &Tree, commits: impl Iterator<Item = &'a Commit>) -> Self {
        let mut past = Self {
            touched: Vec::new(),
            ids: Vec::new(),
            lengths: Vec::new(),
            length: 1.0,
            posts: HashMap::new(),
            by_file: vec![Vec::new(); tree.files.len()],
            standing: Vec::new(),
        };
        let mut now: HashMap<&str, &str> = HashMap::new();
        for commit in commits {
            for (from, to) in &commit.moved {
                let to = now.get(to.as_str()).copied().unwrap_or(to);
                now.insert(from, to);
            }
            let at = past.touched.len() as u32;
            let many = commit.paths.len();
            let mut files: Vec<u32> = if many > MAX_TOUCHED {
                Vec::new()
            } else {
                commit
                    .paths
                    .iter()
                    .filter_map(|path| tree.find(now.get(path.as_str()).copied().unwrap_or(path)))
                    .collect()
            };
            files.sort_unstable();
            files.dedup();
            if files.is_empty() {
                continue;
            }
            for file in &files {
                past.by_file[*file as usize].push(at);
            }
            for (term, count) in &commit.words {
                past.posts.entry(*term).or_default().push((at, *count & !WHOLE));
            }
            past.lengths.push(commit.words.iter().map(|(_, count)| f32::from(*count & !WHOLE)).sum());
            past.ids.push(commit.id);
            past.touched.push((files, many as u32));
        }
        past.length = (past.lengths.iter().sum::<f32>() / past.lengths.len().max(1) as f32).max(1.0);
        past.standing = past.by_file.iter().map(|commits| past.standing(commits, 0)).collect();
        past
    }

    /// Returns how a file stands by the commits from `from` on: touched by the very last ones, lately, often.
    pub fn standing(&self, commits: &[u32], from: u32) -> [f32; 3] {
        let (mut latest, mut recent, mut often) = (0.0_f32, 0.0_f32, 0.0_f32);
        for commit in commits.iter().filter(|commit| **commit >= from).take(400) {
            let age = (*commit - from) as f32;
            let share = 1.0 / (self.touched[*commit as usize].1 as f32).sqrt();
            latest += share * (-age / 5.0).exp();
            recent += share * (-age / 120.0).exp();
            often += share * (-age / 2000.0).exp();
        }
        [latest.min(1.0), (1.0 + 4.0 * recent).ln(), often.ln_1p()]
    }

    /// Returns how alike the messages of commits from `from` on are to a request, best first, at most `most`.
    pub fn alike(&self, query: &[(Term, f32)], from: u32, most: usize) -> Vec<(u32, f32)> {
        let mut scores = vec![0.0_f32; self.touched.len()];
        let total = self.touched.len() as f32;
        for (term, weight) in query {
            let Some(list) = self.posts.get(term) else { continue };
            let idf = (1.0 + (total - list.len() as f32 + 0.5) / (list.len() as f32 + 0.5)).ln();
            for (commit, count) in list {
                let count = f32::from(*count);
                let norm = 0.4 + 0.6 * self.lengths[*commit as usize] / self.length;
                scores[*commit as usize] += weight * idf * count * 2.2 / (count + 1.2 * norm);
            }
        }
        let mut best: Vec<(u32, f32)> = scores
            .iter()
            .enumerate()
            .filter(|(at, score)| **score > 0.0 && *at as u32 >= from)
            .map(|(at, score)| (at as u32, *score))
            .collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(most);
        best
    }

    /// Returns how alike a request would be to a commit of the very same words.
    pub fn own(&self, query: &[(Term, f32)]) -> f32 {
        let total = self.touched.len() as f32;
        let length: f32 = query.len() as f32;
        let norm = 0.4 + 0.6 * length / self.length;
        query
            .iter()
            .map(|(term, weight)| {
                let with = self.posts.get(term).map_or(0.0, |list| list.len() as f32);
                let idf = (1.0 + (total - with + 0.5) / (with + 0.5)).ln();
                // Words that no message has tell little of how alike two could be.
                let share = if with > 0.0 { 1.0 } else { 0.3 };
                share * weight * idf * 2.2 / (1.0 + 1.2 * norm) * 1.3
            })
            .sum()
    }

    /// Calls back with each commit from `from` on whose message has a word.
    pub fn each(&self, term: Term, from: u32, mut found: impl FnMut(u32, u8)) {
        for (commit, count) in self.posts.get(&term).map_or(&[][..], Vec::as_slice) {
            if *commit >= from {
                found(*commit, *count);
            }
        }
    }

    /// Calls back with the files that went together with one, and how often of its times, at most its newest 200 commits.
    pub fn together(&self, file: u32, from: u32, mut found: impl FnMut(u32, f32)) {
        let mut seen: HashMap<u32, f32> = HashMap::new();
        let mut all = 0.0;
        for commit in self.by_file[file as usize].iter().filter(|commit| **commit >= from).take(200) {
            let (files, many) = &self.touched[*commit as usize];
            if *many as usize > MAX_TOGETHER {
                continue;
            }
            all += 1.0;
            for other in files.iter().filter(|other| **other != file) {
                *seen.entry(*other).or_default() += 1.0 / (*many as f32).sqrt();
            }
        }
        for (other, sum) in seen {
            found(other, sum / (all + 4.0));
        }
    }
}
