//! The index of a repository at a commit: read from its cache, brought up to date, asked.
//!
//! Must never look at a commit that the one asked about does not descend from, nor keep a blob that could not be read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::artifact::id::CommitId;
use crate::diagnostic::{Class, Failure};
use crate::ports::vcs::past::{Id, PastReader};
use crate::ports::vcs::{PastCommit, VcsError};

use super::corpus::{Corpus, Tree};
use super::invert::Inverter;
use super::keep;
use super::kind::Kind;
use super::over::Changes;
use super::past::{self, Commit, Past};
use super::rank::{Query, SIGNALS, Signal, fit, weigh};
use super::segment::Segment;
use super::sketch::Content;
use super::store::{Head, Part as FilePart, Stored, write_commits, write_segment};

/// Commits that are known of the past; what is older tells little.
pub const MAX_COMMITS: usize = 12_000;
/// After so many more commits the weights are looked at again.
const WEIGH_AGAIN: usize = 100;
/// Of more small segments than this one is made, and of more segments than this altogether as well.
const MAX_SMALL: usize = 16;
const MAX_SEGMENTS: usize = 80;
/// A segment of fewer chunks is small.
const SMALL: usize = 4096;
/// More parts of the past than this are made one.
const MAX_PAST: usize = 8;

/// Why there is no index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The repository could not be read.
    #[error(transparent)]
    Vcs(#[from] VcsError),
    /// The cache could not be written.
    #[error("cannot write the index {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Failure for IndexError {
    fn class(&self) -> Class {
        match self {
            Self::Vcs(error) => error.class(),
            Self::Write { .. } => Class::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Vcs(error) => error.help(),
            Self::Write { .. } => {
                Some("Name a file that can be written with --cache, or use --no-cache.".into())
            }
        }
    }
}

/// What was done to have the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Told {
    /// Files of the tree.
    pub files: usize,
    /// Blobs that were read now.
    pub read: usize,
    /// Commits that were read now.
    pub commits_read: usize,
    /// Commits that are known.
    pub commits: usize,
    /// Why the cache was not used, where there was one.
    pub rebuilt: Option<String>,
    /// Files whose words are not in the index, with the reason.
    pub left_out: Vec<(String, String)>,
    /// True where the weights were moved by the repository's own past.
    pub adapted: bool,
}

/// The index of a repository at one commit.
#[derive(Debug)]
pub struct Index {
    stored: Corpus,
    commits: Vec<Commit>,
    tip: Id,
    tree: Tree,
    past: OnceLock<Past>,
    weights: [f32; SIGNALS],
    weighed: u32,
    told: Told,
    changed: bool,
    kept: Kept,
}

/// What of an index is in files already.
#[derive(Debug, Default)]
struct Kept {
    head: Head,
    /// The part of each segment that has one.
    segments: Vec<Option<FilePart>>,
    /// The commits that are in no part.
    fresh: HashSet<Id>,
    /// True where the parts of the past hold what is not known any more.
    past_is_old: bool,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Found {
    /// Its path.
    pub path: String,
    /// What it is for.
    pub kind: Kind,
    /// How well it fits; comparable within one answer only.
    pub score: f32,
    /// Its best chunk, as `path@blob:first-last`; none where its words are not in the index.
    pub chunk: Option<String>,
    /// What each signal adds to the score, the most first.
    pub parts: Vec<Part>,
}

/// What one signal adds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Part {
    /// The signal.
    pub signal: &'static str,
    /// What it says, mostly from 0 to 1.
    pub value: f32,
    /// What that adds to the score.
    pub adds: f32,
}

fn stored(commit: PastCommit) -> Commit {
    let words = if commit.merge { Vec::new() } else { past::message(&commit.message) };
    Commit { id: commit.id, time: commit.time, words, paths: commit.paths, moved: commit.moved }
}

impl Index {
    /// Returns the index at a commit, with what is cached of it; the cache is not written.
    pub fn open(reader: &PastReader, commit: &CommitId, cache: Option<&Path>) -> Result<Self, IndexError> {
        let (before, head, rebuilt) = match cache.map(keep::read) {
            None | Some(Ok(None)) => (Stored::default(), Head::default(), None),
            Some(Ok(Some((stored, head)))) => (stored, head, None),
            Some(Err(why)) => (Stored::default(), Head::default(), Some(why)),
        };
        let mut index = Self::grown(reader, commit, before, head, &Changes::default())?;
        index.told.rebuilt = rebuilt;
        Ok(index)
    }

    /// Returns the index of a working tree over the commit it is on; it must not be written.
    pub fn over(
        reader: &PastReader,
        commit: &CommitId,
        cache: Option<&Path>,
        changes: &Changes,
    ) -> Result<Self, IndexError> {
        let (before, head) = cache.and_then(|cache| keep::read(cache).ok().flatten()).unwrap_or_default();
        Self::grown(reader, commit, before, head, changes)
    }

    /// Brings what is known to a commit.
    pub fn learn(reader: &PastReader, commit: &CommitId, before: Stored) -> Result<Self, IndexError> {
        Self::grown(reader, commit, before, Head::default(), &Changes::default())
    }

    fn grown(
        reader: &PastReader,
        commit: &CommitId,
        before: Stored,
        head: Head,
        changes: &Changes,
    ) -> Result<Self, IndexError> {
        let mut files = reader.files(commit)?;
        let now = changes.lay(&mut files);
        let mut told = Told { files: files.len(), ..Told::default() };
        let mut kept = Kept {
            segments: head.segments.iter().map(|part| Some(*part)).collect(),
            head,
            ..Kept::default()
        };
        let mut corpus = Corpus::default();
        before.segments.into_iter().for_each(|segment| corpus.push(segment));
        told.read = read_changed(now, &mut corpus) + read_missing(reader, &files, &mut corpus);
        let mut is_new = told.read > 0;
        let alive: HashSet<Id> = files.iter().map(|(_, blob)| *blob).collect();
        kept.segments.resize(corpus.segments().len(), None);
        let small = |segment: &&Segment| segment.chunks.len() < SMALL;
        if corpus.docs().len() > 2 * alive.len() + 200 || corpus.segments().len() > MAX_SEGMENTS {
            let whole = corpus.compact(|blob| alive.contains(blob));
            corpus = Corpus::default();
            corpus.push(whole);
            kept.segments = vec![None];
            is_new = true;
        } else if corpus.segments().iter().filter(small).count() > MAX_SMALL {
            (corpus, kept.segments) = with_small_ones_merged(corpus, kept.segments);
            is_new = true;
        }
        let tree = Tree::of(&corpus, &files);
        for (path, blob) in &files {
            match corpus.doc(blob).map(|doc| corpus.docs()[doc as usize].content) {
                None => told.left_out.push((path.clone(), "not in this clone".into())),
                Some(content @ (Content::Binary | Content::Huge | Content::Minified)) => {
                    told.left_out.push((path.clone(), content.name().into()));
                }
                Some(_) => {}
            }
        }
        let (tip, commits) = history(reader, commit, (before.tip, before.commits), &mut told, &mut kept)?;
        is_new |= told.commits_read > 0 || before.tip != Some(tip);
        drop(files);
        let mut index = Self {
            stored: corpus,
            commits,
            tip,
            tree,
            past: OnceLock::new(),
            weights: weigh::WEIGHTS,
            weighed: 0,
            told,
            changed: is_new,
            kept,
        };
        match before.weights {
            Some((weights, weighed))
                if index.told.commits_read < WEIGH_AGAIN
                    && index.commits.len().abs_diff(weighed as usize) < WEIGH_AGAIN =>
            {
                (index.weights, index.weighed) = (weights, weighed);
            }
            _ => {
                index.weights = weigh::adapt(&index.stored, &index.tree, index.past(), &index.commits);
                index.weighed = index.commits.len() as u32;
                index.changed = true;
            }
        }
        index.told.adapted = index.weights != weigh::WEIGHTS;
        Ok(index)
    }

    /// Writes the cache where anything changed: parts that are new, and the head.
    pub fn save(&self, path: &Path) -> Result<(), IndexError> {
        if !self.changed && path.is_file() {
            return Ok(());
        }
        self.write(path).map_err(|source| IndexError::Write { path: path.to_owned(), source })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let writer = keep::Writer::to(path)?;
        let segments = self.stored.segments().iter().enumerate().map(|(at, segment)| {
            let known = self.kept.segments.get(at).copied().flatten();
            known.map_or_else(|| writer.part(&write_segment(segment)), Ok)
        });
        let segments = segments.collect::<std::io::Result<Vec<FilePart>>>()?;
        let mut past = self.kept.head.past.clone();
        if self.kept.past_is_old || past.len() >= MAX_PAST {
            past = vec![writer.part(&write_commits(self.commits.iter()))?];
        } else if !self.kept.fresh.is_empty() {
            let new: Vec<&Commit> =
                self.commits.iter().filter(|commit| self.kept.fresh.contains(&commit.id)).collect();
            past.push(writer.part(&write_commits(new.into_iter()))?);
        }
        let head = Head { segments, past, tip: Some(self.tip), weights: Some((self.weights, self.weighed)) };
        writer.end(&head, &self.kept.head)
    }

    /// Returns what the cache holds.
    pub fn to_store(&self) -> Stored {
        Stored {
            segments: self.stored.segments().to_vec(),
            commits: self.commits.clone(),
            tip: Some(self.tip),
            weights: Some((self.weights, self.weighed)),
        }
    }

    /// Returns what was done to have it.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// Returns the tree, its files sorted by path.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Returns the past.
    pub fn past(&self) -> &Past {
        self.past.get_or_init(|| Past::of(&self.tree, self.commits.iter()))
    }

    /// Returns the contents.
    pub fn corpus(&self) -> &Corpus {
        &self.stored
    }

    /// Returns the blob at a path; nothing where it is not known.
    pub fn blob(&self, path: &str) -> Option<&Id> {
        let file = self.tree.files.get(self.tree.find(path)? as usize)?;
        self.stored.docs().get(file.doc as usize).map(|doc| &doc.blob)
    }

    /// Returns the files a request concerns, the best first; files about which no signal says anything are left out.
    pub fn rank(&self, text: &str, limit: usize) -> Vec<Found> {
        let query = Query::of(text);
        if query.is_empty() {
            return Vec::new();
        }
        let table = weigh::rows(&self.stored, &self.tree, self.past(), &query, 0, &self.weights);
        let speaks = |row: &[f32; SIGNALS]| {
            Signal::ALL.iter().any(|signal| signal.is_of_request() && row[*signal as usize] > 0.0)
        };
        let mut best: Vec<(f32, usize)> = table
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| speaks(row))
            .map(|(at, row)| (fit::dot(&self.weights, row) * self.tree.files[at].kind.share(), at))
            .collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        best.truncate(limit);
        best.into_iter().map(|(score, at)| self.found(score, at, &table)).collect()
    }

    fn found(&self, score: f32, at: usize, table: &super::rank::Table) -> Found {
        let file = &self.tree.files[at];
        let row = &table.rows[at];
        let adds =
            |signal: &Signal| self.weights[*signal as usize] * row[*signal as usize] * file.kind.share();
        let mut parts: Vec<Part> = Signal::ALL
            .iter()
            .map(|signal| Part { signal: signal.name(), value: row[*signal as usize], adds: adds(signal) })
            .filter(|part| part.adds > 0.0)
            .collect();
        parts.sort_by(|a, b| b.adds.total_cmp(&a.adds));
        let chunk =
            table.best_chunk.get(file.doc as usize).and_then(|chunk| self.chunk_id(at as u32, *chunk));
        Found { path: file.path.clone(), kind: file.kind, score, chunk, parts }
    }

    /// Returns the chunks, by their ids, that seem to define a name; by path, source before the rest.
    pub fn definitions(&self, name: &str) -> Vec<String> {
        self.holding(name, super::words::defined)
    }

    /// Returns the chunks, by their ids, that hold a name, whether they define it or not.
    pub fn references(&self, name: &str) -> Vec<String> {
        self.holding(name, |term| term)
    }

    fn holding(&self, name: &str, field: impl Fn(super::words::Term) -> super::words::Term) -> Vec<String> {
        // The last word that comes of a name is the name as a whole.
        let mut whole = None;
        super::words::each(name.as_bytes(), |word| whole = Some(word.term));
        let Some(term) = whole else { return Vec::new() };
        let mut found = Vec::new();
        self.stored.each(field(term), |chunk, _| {
            let doc = self.stored.owners()[chunk as usize];
            found.extend(
                self.tree.files_of(doc).map(|file| (self.tree.files[file as usize].kind, file, chunk)),
            );
        });
        found.sort_unstable();
        found.iter().filter_map(|(_, file, chunk)| self.chunk_id(*file, *chunk)).collect()
    }

    /// Returns the files that past commits changed together with one, the most often first.
    pub fn neighbours(&self, path: &str, limit: usize) -> Vec<(String, f32)> {
        let Some(file) = self.tree.find(path) else { return Vec::new() };
        let mut found: Vec<(u32, f32)> = Vec::new();
        self.past().together(file, 0, |other, share| found.push((other, share)));
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found.iter().map(|(file, share)| (self.tree.files[*file as usize].path.clone(), *share)).collect()
    }

    /// Returns the id of a chunk of a file.
    pub fn chunk_id(&self, file: u32, chunk: u32) -> Option<String> {
        let file = self.tree.files.get(file as usize)?;
        let blob = self.stored.docs().get(file.doc as usize)?.blob;
        let chunk = self.stored.chunks().get(chunk as usize)?;
        let blob: String = blob.iter().take(6).fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        Some(format!("{}@{blob}:{}-{}", file.path, chunk.first, chunk.last))
    }

    /// Returns the text of a chunk by its id; nothing where the tree holds no such file, blob or lines.
    pub fn chunk_text(&self, reader: &PastReader, id: &str) -> Option<String> {
        let (path, rest) = id.rsplit_once('@')?;
        let (blob, lines) = rest.split_once(':')?;
        let (first, last) = lines.split_once('-')?;
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        let known = self.blob(path)?;
        let hex: String = known.iter().fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        if blob.len() < 8 || !hex.starts_with(blob) || first == 0 || last < first {
            return None;
        }
        let bytes = reader.blob(known)?;
        let text = String::from_utf8_lossy(&bytes);
        let shown: Vec<&str> = text.split_inclusive('\n').skip(first - 1).take(last + 1 - first).collect();
        (!shown.is_empty()).then(|| shown.concat())
    }
}

/// Makes segments of blobs as they come.
#[derive(Default)]
struct Segments {
    inverter: Inverter,
    made: Vec<Segment>,
    read: usize,
}

impl Segments {
    fn add(&mut self, blob: &Id, bytes: &[u8]) {
        self.inverter.read(*blob, bytes);
        self.read += 1;
        if self.inverter.is_full() {
            self.made.push(self.inverter.segment());
        }
    }

    fn end(mut self) -> (usize, Vec<Segment>) {
        if !self.inverter.is_empty() {
            self.made.push(self.inverter.segment());
        }
        (self.read, self.made)
    }
}

/// Adds what changes lay over a tree, and a corpus does not know; returns how many that are.
fn read_changed(mut now: Vec<(Id, &[u8])>, corpus: &mut Corpus) -> usize {
    now.sort_unstable_by_key(|(blob, _)| *blob);
    now.dedup_by_key(|(blob, _)| *blob);
    let mut segments = Segments::default();
    let fresh = now.into_iter().filter(|(blob, _)| corpus.doc(blob).is_none());
    for (blob, bytes) in fresh {
        segments.add(&blob, bytes);
    }
    let (read, made) = segments.end();
    for segment in made {
        corpus.push(segment);
    }
    read
}

/// Reads the blobs that a corpus does not know, on all cores, and adds them; returns how many were read.
fn read_missing(reader: &PastReader, files: &[(String, Id)], corpus: &mut Corpus) -> usize {
    let mut missing: Vec<Id> =
        files.iter().map(|(_, blob)| *blob).filter(|blob| corpus.doc(blob).is_none()).collect();
    missing.sort_unstable();
    missing.dedup();
    let mut all = 0;
    for (read, made) in reader.share(&missing, Segments::add, Segments::end) {
        all += read;
        for segment in made {
            corpus.push(segment);
        }
    }
    all
}

/// Makes one of the small segments; the large ones stay as they are, and in their files.
fn with_small_ones_merged(corpus: Corpus, parts: Vec<Option<FilePart>>) -> (Corpus, Vec<Option<FilePart>>) {
    let (mut all, mut kept, mut small) = (Corpus::default(), Vec::new(), Vec::new());
    for (segment, part) in corpus.into_segments().into_iter().zip(parts) {
        if segment.chunks.len() >= SMALL {
            all.push(segment);
            kept.push(part);
        } else {
            small.push(segment);
        }
    }
    all.push(Segment::merge(&small, |_| true));
    kept.push(None);
    (all, kept)
}

/// Returns the commits up to one, newest first; known ones are not read again.
fn history(
    reader: &PastReader,
    commit: &CommitId,
    before: (Option<Id>, Vec<Commit>),
    told: &mut Told,
    kept: &mut Kept,
) -> Result<(Id, Vec<Commit>), IndexError> {
    const FEW: usize = 2000;
    let (tip, mut commits) = before;
    let known: HashSet<Id> = commits.iter().map(|commit| commit.id).collect();
    let since = tip.and_then(|tip| reader.since(commit, &tip, |id| known.contains(id), FEW));
    let (missing, keep): (Vec<Id>, Option<HashSet<Id>>) = if let Some(fresh) = since {
        (fresh, None)
    } else {
        let order = reader.log(commit, MAX_COMMITS)?;
        let missing = order.iter().filter(|id| !known.contains(*id)).copied().collect();
        (missing, Some(order.into_iter().collect()))
    };
    let read = reader.commits(&missing);
    told.commits_read = read.len();
    kept.fresh = read.iter().map(|commit| commit.id).collect();
    commits.extend(read.into_iter().map(stored));
    let all = commits.len();
    if let Some(keep) = keep {
        commits.retain(|commit| keep.contains(&commit.id));
    }
    // What does not lead here must not be in the parts, nor much that is too old.
    kept.past_is_old = commits.len() < all || all > MAX_COMMITS + MAX_COMMITS / 8;
    commits.sort_by(|a, b| b.time.cmp(&a.time).then(a.id.cmp(&b.id)));
    commits.dedup_by_key(|commit| commit.id);
    commits.truncate(MAX_COMMITS);
    told.commits = commits.len();
    Ok((PastReader::id(commit)?, commits))
}
