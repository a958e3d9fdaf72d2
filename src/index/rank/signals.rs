//! The signals: each tells from its own point of view how likely a file is meant.
//!
//! Must never look at what is newer than the tree, and must never weigh one signal against another.

use std::collections::HashMap;

use super::super::corpus::{Corpus, NONE, Tree};
use super::super::kind::Kind;
use super::super::past::{self, Past};
use super::super::words::{self, Term, Word};

/// How many signals there are.
pub const SIGNALS: usize = Signal::ALL.len();

macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A signal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Signal { $($(#[$doc])* $name,)* }
        impl Signal {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// Returns its name as shown.
            pub const fn name(self) -> &'static str { match self { $(Self::$name => $text,)* } }
        }
    };
}

signals! {
    /// Words of the whole file.
    Body = "body",
    /// Words of its best chunk.
    Chunk = "chunk",
    /// Words of its path.
    Path = "path",
    /// Words of what it defines.
    Defined = "defined",
    /// Names of several parts that it holds or defines.
    Names = "names",
    /// How much of its file name the request says.
    Stem = "stem",
    /// How much of the request it says, by the weight of the words.
    Cover = "cover",
    /// How long it is.
    Size = "size",
    /// Messages like the request, of commits that touched it.
    Alike = "alike",
    /// The message most like the request.
    Nearest = "nearest",
    /// All messages of commits that touched it, as one text.
    Said = "said",
    /// The same, as a share of all that the request says.
    SaidAll = "said-all",
    /// How lately it was touched.
    Recent = "recent",
    /// Whether the very last commits touched it.
    Latest = "latest",
    /// How often it was touched.
    Often = "often",
    /// What went together with the best files.
    Together = "together",
    /// The best of its folder.
    Folder = "folder",
    /// Tests that carry its name.
    Tested = "tested",
}

impl Signal {
    /// Tells whether it depends on the request at all.
    pub const fn is_of_request(self) -> bool {
        matches!(self, Self::Body | Self::Path | Self::Defined | Self::Alike | Self::Said)
    }
}

/// One row: what each signal says of a file.
pub type Row = [f32; SIGNALS];

/// A request, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Query {
    words: Vec<(Word, f32)>,
    scope: Option<Term>,
}

impl Query {
    /// Takes a request apart; the first line counts more than what follows.
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        let subject = text.lines().next().unwrap_or_default();
        let mut words: Vec<(Word, f32)> = words::query(subject)
            .into_iter()
            .map(|(word, count)| (word, 1.0 + (count as f32).ln()))
            .collect();
        let rest: String = text.lines().skip(1).take(60).fold(String::new(), |all, line| all + line + "\n");
        let rest = words::query(&rest);
        let damp = (12.0 / rest.len().max(1) as f32).clamp(0.25, 0.7);
        for (word, count) in rest {
            let weight = damp * (1.0 + (count as f32).ln());
            match words.iter_mut().find(|(known, _)| known.term == word.term) {
                Some((_, sum)) => *sum += 0.5 * weight,
                None => words.push((word, weight)),
            }
        }
        for (joined, term) in joined(text) {
            if !words.iter().any(|(word, _)| word.term == term) && joined {
                words.push((Word { term, whole: true }, 0.7));
            }
        }
        Self { words, scope: past::scope(subject) }
    }

    /// Takes a kept message apart: words of its subject were counted twice.
    pub fn of_message(kept: &[(Term, u8)]) -> Self {
        let word = |(term, count): &(Term, u8)| {
            let weight = f32::from(count & !past::WHOLE).min(2.0) / 2.0;
            (Word { term: *term, whole: count & past::WHOLE != 0 }, weight)
        };
        Self { words: kept.iter().map(word).collect(), scope: None }
    }

    /// Tells whether nothing can be looked for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Returns pairs and triples of words that stand next to each other, as the names that code makes of them.
fn joined(text: &str) -> Vec<(bool, Term)> {
    let gap = |c: char| !(c.is_alphanumeric() || c == '_');
    let mut out = Vec::new();
    for line in text.lines().take(30) {
        let runs: Vec<&str> = line.split(gap).filter(|run| !run.is_empty() && run.len() < 24).collect();
        for length in [2, 3] {
            for pair in runs.windows(length) {
                let plain = pair.iter().all(|run| run.len() > 1 && !words::is_stop(&run.to_lowercase()));
                let name = pair.concat().to_lowercase();
                if plain {
                    words::each(name.as_bytes(), |word| out.push((true, word.term)));
                }
            }
        }
    }
    out.truncate(80);
    out
}

/// What the signals say of a tree's files.
pub struct Table {
    /// One row for each file of the tree.
    pub rows: Vec<Row>,
    /// The best chunk of each blob.
    pub best_chunk: Vec<u32>,
}

fn idf(all: f32, with: usize) -> f32 {
    (1.0 + (all - with as f32 + 0.5).max(0.0) / (with as f32 + 0.5)).ln()
}

/// Asks the signals that need nothing but the request.
///
/// `from` is the newest commit that may be known: commits before it in the list did not happen yet.
pub fn ask(corpus: &Corpus, tree: &Tree, past: &Past, query: &Query, from: u32) -> Table {
    let mut table =
        Table { rows: vec![[0.0; SIGNALS]; tree.files.len()], best_chunk: vec![NONE; corpus.docs().len()] };
    contents(corpus, tree, query, &mut table);
    paths(tree, query, &mut table);
    history(past, query, from, &mut table);
    table
}

fn contents(corpus: &Corpus, tree: &Tree, query: &Query, table: &mut Table) {
    let docs = corpus.docs();
    let mut whole = vec![0.0_f32; docs.len()];
    let mut names = vec![0.0_f32; docs.len()];
    let mut cover = vec![0.0_f32; docs.len()];
    let mut full = 0.0;
    let mut defined = vec![0.0_f32; docs.len()];
    let mut chunks = vec![0.0_f32; corpus.chunks().len()];
    let mut hits: Vec<(u32, u32, u8)> = Vec::new();
    let mut per_doc: Vec<(u32, f32)> = Vec::new();
    let owners = corpus.owners();
    for (word, weight) in &query.words {
        gather(corpus, tree, word.term, owners, &mut hits, &mut per_doc);
        let idf = idf(tree.docs as f32, per_doc.len());
        if !per_doc.is_empty() && !word.whole {
            full += weight * idf;
            for (doc, _) in &per_doc {
                cover[*doc as usize] += weight * idf;
            }
        }
        for (chunk, _, count) in &hits {
            let norm = 0.4 + 0.6 * corpus.chunks()[*chunk as usize].words as f32 / tree.chunk_words;
            let count = f32::from(*count);
            chunks[*chunk as usize] += weight * idf * count * 2.0 / (count + norm);
        }
        for (doc, count) in &per_doc {
            let norm = 0.45 + 0.55 * docs[*doc as usize].words as f32 / tree.words;
            let score = weight * idf * count * 2.2 / (count + 1.2 * norm);
            whole[*doc as usize] += score;
            if word.whole {
                names[*doc as usize] += idf * count / (count + 1.0);
            }
        }
        gather(corpus, tree, words::defined(word.term), owners, &mut hits, &mut per_doc);
        let idf = self::idf(tree.docs as f32, per_doc.len());
        for (doc, count) in &per_doc {
            let norm = 0.6 + 0.4 * docs[*doc as usize].defined as f32 / tree.defined;
            defined[*doc as usize] += weight * idf * count * 2.2 / (count + 1.2 * norm);
            if word.whole {
                names[*doc as usize] += 1.5 * idf;
            }
        }
    }
    let mut best = vec![0.0_f32; docs.len()];
    for (chunk, score) in chunks.iter().enumerate() {
        let doc = owners[chunk] as usize;
        if *score > best[doc] {
            best[doc] = *score;
            table.best_chunk[doc] = chunk as u32;
        }
    }
    for (row, file) in table.rows.iter_mut().zip(&tree.files) {
        let doc = file.doc as usize;
        row[Signal::Body as usize] = whole[doc];
        row[Signal::Chunk as usize] = best[doc];
        row[Signal::Defined as usize] = defined[doc];
        row[Signal::Names as usize] = names[doc];
        row[Signal::Cover as usize] = cover[doc] / f32::max(full, 1e-6);
        row[Signal::Size as usize] = (docs[doc].words as f32 / 40.0).ln_1p() / 6.0;
    }
}

/// Gathers the chunks of the tree's own blobs that have a word, and the blobs.
fn gather(
    corpus: &Corpus,
    tree: &Tree,
    term: Term,
    owners: &[u32],
    hits: &mut Vec<(u32, u32, u8)>,
    per_doc: &mut Vec<(u32, f32)>,
) {
    hits.clear();
    per_doc.clear();
    corpus.each(term, |chunk, count| {
        let doc = owners[chunk as usize];
        if !tree.holds(doc) {
            return;
        }
        hits.push((chunk, doc, count));
        match per_doc.last_mut().filter(|(last, _)| *last == doc) {
            Some((_, sum)) => *sum += f32::from(count),
            None => per_doc.push((doc, f32::from(count))),
        }
    });
}

fn paths(tree: &Tree, query: &Query, table: &mut Table) {
    let all = tree.files.len() as f32;
    for (word, weight) in &query.words {
        let mut count = 0;
        tree.each_named(word.term, |_, _| count += 1);
        let idf = idf(all, count);
        tree.each_named(word.term, |file, share| {
            table.rows[file as usize][Signal::Path as usize] += weight * idf * share * 2.2;
        });
    }
    let wanted: HashMap<Term, f32> = query.words.iter().map(|(word, weight)| (word.term, *weight)).collect();
    for (row, file) in table.rows.iter_mut().zip(&tree.files) {
        if row[Signal::Path as usize] <= 0.0 {
            continue;
        }
        let mut parts = file.path.rsplit('/');
        let name = parts.next().unwrap_or_default();
        let mut stem = name.split_once('.').map_or(name, |(stem, _)| stem);
        if matches!(stem, "mod" | "index" | "__init__" | "main" | "lib") {
            stem = parts.next().unwrap_or(stem);
        }
        let (mut said, mut all) = (0.0, 0.0);
        words::each(stem.as_bytes(), |word| {
            if !word.whole {
                all += 1.0;
                said += wanted.get(&word.term).map_or(0.0, |weight| weight.min(1.0));
            }
        });
        if all > 0.0 {
            row[Signal::Stem as usize] = said / all;
        }
    }
}

fn history(past: &Past, query: &Query, from: u32, table: &mut Table) {
    const NEAR: usize = 60;
    let mut wanted: Vec<(Term, f32)> =
        query.words.iter().map(|(word, weight)| (word.term, *weight)).collect();
    wanted.extend(query.scope.map(|term| (term, 1.0)));
    let near = past.alike(&wanted, from, NEAR);
    let own = past.own(&wanted).max(1e-6);
    for (commit, score) in &near {
        let (files, many) = &past.touched[*commit as usize];
        let age = (*commit - from) as f32;
        let strength = (score / own).min(1.0).powi(2) * (0.5 + 0.5 * (-age / 1500.0).exp());
        for file in files {
            let row = &mut table.rows[*file as usize];
            row[Signal::Alike as usize] += strength / (*many as f32).sqrt();
            let nearest = (score / own).min(1.0) / (1.0 + 0.15 * (*many as f32).ln());
            row[Signal::Nearest as usize] = row[Signal::Nearest as usize].max(nearest);
        }
    }
    said(past, &wanted, from, table);
    for row in &mut table.rows {
        let sum = row[Signal::Alike as usize];
        row[Signal::Alike as usize] = sum / (sum + 0.25);
    }
    if from == 0 {
        for (row, standing) in table.rows.iter_mut().zip(&past.standing) {
            [row[Signal::Latest as usize], row[Signal::Recent as usize], row[Signal::Often as usize]] =
                *standing;
        }
        return;
    }
    for (row, commits) in table.rows.iter_mut().zip(&past.by_file) {
        [row[Signal::Latest as usize], row[Signal::Recent as usize], row[Signal::Often as usize]] =
            past.standing(commits, from);
    }
}

/// Every file's messages as one text, weighed as BM25 weighs texts.
fn said(past: &Past, wanted: &[(Term, f32)], from: u32, table: &mut Table) {
    let lengths: Vec<f32> = past.by_file.iter().map(|commits| commits.len() as f32).collect();
    let touched = lengths.iter().filter(|length| **length > 0.0).count().max(1) as f32;
    let mean = (lengths.iter().sum::<f32>() / touched).max(1.0);
    let mut sums: HashMap<u32, f32> = HashMap::new();
    let mut full = 0.0;
    for (term, weight) in wanted {
        sums.clear();
        past.each(*term, from, |commit, count| {
            let (files, many) = &past.touched[commit as usize];
            let age = (commit - from) as f32;
            let share = f32::from(count).sqrt() / (*many as f32).sqrt() * (0.3 + 0.7 * (-age / 2500.0).exp());
            for file in files {
                *sums.entry(*file).or_default() += share;
            }
        });
        let idf = idf(touched, sums.len());
        full += weight * idf;
        for (file, count) in &sums {
            let norm = 0.3 + 0.7 * lengths[*file as usize] / mean;
            table.rows[*file as usize][Signal::Said as usize] +=
                weight * idf * count * 2.2 / (count + 1.2 * norm);
        }
    }
    for row in &mut table.rows {
        row[Signal::SaidAll as usize] = row[Signal::Said as usize] / (2.2 * f32::max(full, 1e-6));
    }
}

/// Brings every signal to 0..1 by its best source file.
pub fn level(tree: &Tree, rows: &mut [Row]) {
    let mut top = [0.0_f32; SIGNALS];
    for (row, file) in rows.iter().zip(&tree.files) {
        if file.kind == Kind::Source {
            for (top, value) in top.iter_mut().zip(row) {
                *top = top.max(*value);
            }
        }
    }
    for row in rows {
        for ((value, top), signal) in row.iter_mut().zip(&top).zip(Signal::ALL) {
            if matches!(
                signal,
                Signal::Stem
                    | Signal::Latest
                    | Signal::Alike
                    | Signal::Nearest
                    | Signal::SaidAll
                    | Signal::Cover
                    | Signal::Size
            ) {
                continue;
            }
            *value = if *top > 0.0 { (*value / top).min(1.2) } else { 0.0 };
        }
    }
}

/// Asks the signals that start from files that look good already: rows are levelled, scores are of a first pass.
pub fn spread(tree: &Tree, past: &Past, first: &[f32], from: u32, rows: &mut [Row]) {
    const SEEDS: usize = 8;
    let mut order: Vec<u32> =
        (0..tree.files.len() as u32).filter(|at| tree.files[*at as usize].kind != Kind::Docs).collect();
    order.sort_by(|a, b| first[*b as usize].total_cmp(&first[*a as usize]).then(a.cmp(b)));
    let best = order.first().map_or(0.0, |at| first[*at as usize]);
    let mut together = vec![0.0_f32; tree.files.len()];
    for seed in order.iter().take(SEEDS) {
        let strength = (6.0 * (first[*seed as usize] - best)).exp();
        past.together(*seed, from, |other, share| together[other as usize] += strength * share);
    }
    let mut folders = vec![[0.0_f32; 4]; tree.files.len()];
    let mut tests: HashMap<Term, f32> = HashMap::new();
    for (at, file) in tree.files.iter().enumerate() {
        let score = (3.0 * (first[at] - best)).exp();
        match file.kind {
            Kind::Source => {
                // The four best of a folder, in order.
                let mut next = score;
                for place in &mut folders[tree.folders[at] as usize] {
                    if next > *place {
                        std::mem::swap(place, &mut next);
                    }
                }
            }
            Kind::Test => {
                let entry = tests.entry(tree.stems[at]).or_default();
                *entry = entry.max(score);
            }
            _ => {}
        }
    }
    for (at, row) in rows.iter_mut().enumerate() {
        row[Signal::Together as usize] = together[at];
        row[Signal::Folder as usize] = folders[tree.folders[at] as usize].iter().sum::<f32>() / 4.0;
        row[Signal::Tested as usize] = tests.get(&tree.stems[at]).copied().unwrap_or_default();
    }
    let mut top = [0.0_f32; SIGNALS];
    let late = [Signal::Together, Signal::Folder, Signal::Tested];
    for (row, file) in rows.iter().zip(&tree.files) {
        for signal in late.iter().filter(|_| file.kind == Kind::Source) {
            top[*signal as usize] = top[*signal as usize].max(row[*signal as usize]);
        }
    }
    for row in rows {
        for signal in late {
            let top = top[signal as usize];
            row[signal as usize] = if top > 0.0 { (row[signal as usize] / top).min(1.2) } else { 0.0 };
        }
    }
}
