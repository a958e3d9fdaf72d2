//! Segments together, and one tree seen through them.
//!
//! Must never count a blob that the tree does not hold: an index that was brought up to date answers as a fresh one does.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::kind::{Kind, Kinds};
use super::segment::{Blob, Doc, Segment};
use super::sketch::Chunk;
use super::words::{self, Term};

/// Segments, numbered through.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    segments: Vec<Segment>,
    by_blob: HashMap<Blob, u32>,
    docs: Vec<Doc>,
    chunks: Vec<Chunk>,
    owner: Vec<u32>,
}

impl Corpus {
    /// Adds a segment; a blob that is there already stays where it is.
    pub fn push(&mut self, segment: Segment) {
        let base = self.chunks.len() as u32;
        for doc in &segment.docs {
            let number = self.docs.len() as u32;
            self.by_blob.entry(doc.blob).or_insert(number);
            self.docs.push(Doc { chunk: doc.chunk + base, ..*doc });
            self.owner.extend(std::iter::repeat_n(number, doc.chunks as usize));
        }
        self.chunks.extend_from_slice(&segment.chunks);
        self.segments.push(segment);
    }

    /// Returns one segment of the blobs for which `keep` says so; it is what building it anew would give.
    pub fn compact(&self, keep: impl Fn(&Blob) -> bool) -> Segment {
        Segment::merge(&self.segments, keep)
    }

    /// Returns its segments.
    pub fn into_segments(self) -> Vec<Segment> {
        self.segments
    }

    /// Returns the segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Returns the number of a blob.
    pub fn doc(&self, blob: &Blob) -> Option<u32> {
        self.by_blob.get(blob).copied()
    }

    /// Returns the blobs.
    pub fn docs(&self) -> &[Doc] {
        &self.docs
    }

    /// Returns the chunks of all blobs.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// Returns the blob of each chunk.
    pub fn owners(&self) -> &[u32] {
        &self.owner
    }

    /// Calls back with each chunk that has a word, and how often.
    pub fn each(&self, term: Term, mut found: impl FnMut(u32, u8)) {
        let mut base = 0;
        for segment in &self.segments {
            segment.each(term, |chunk, count| found(base + chunk, count));
            base += segment.chunks.len() as u32;
        }
    }
}

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path; bytes that are no UTF-8 are shown as such.
    pub path: String,
    /// What it is for.
    pub kind: Kind,
    /// The number of its blob.
    pub doc: u32,
}

/// No file.
pub const NONE: u32 = u32::MAX;

/// A tree seen through a corpus.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The files, sorted by path.
    pub files: Vec<File>,
    /// For each blob, its first file.
    pub first: Vec<u32>,
    /// For each file, the next one of the same blob.
    pub next: Vec<u32>,
    /// Mean words of a file.
    pub words: f32,
    /// Mean words of a chunk.
    pub chunk_words: f32,
    /// Mean words of the definitions of a file.
    pub defined: f32,
    /// How many different blobs there are, and chunks.
    pub docs: u32,
    pub(crate) chunks: u32,
    /// For each file, the number of its folder.
    pub folders: Vec<u32>,
    /// For each file, the hash of its name without its ending and what marks a test.
    pub stems: Vec<Term>,
    names: OnceLock<Names>,
}

/// Words of paths.
#[derive(Clone, Debug, Default)]
struct Names {
    words: HashMap<Term, Vec<(u32, f32)>>,
    lengths: Vec<f32>,
    length: f32,
}

impl Tree {
    /// Lays a list of files over a corpus that knows their blobs; a file whose blob it does not know is left out.
    pub fn of(corpus: &Corpus, files: &[(String, Blob)]) -> Self {
        let mut kinds = Kinds::default();
        let known = files.iter().filter_map(|(path, blob)| {
            Some(File { path: path.clone(), kind: kinds.of(path), doc: corpus.doc(blob)? })
        });
        let mut tree = Self { files: known.collect(), ..Self::default() };
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.first = vec![NONE; corpus.docs().len()];
        tree.next = vec![NONE; tree.files.len()];
        for at in (0..tree.files.len()).rev() {
            let doc = tree.files[at].doc as usize;
            tree.next[at] = tree.first[doc];
            tree.first[doc] = at as u32;
        }
        let (mut words, mut chunks, mut defined, mut docs) = (0_u64, 0_u64, 0_u64, 0_u32);
        for (doc, first) in corpus.docs().iter().zip(&tree.first) {
            if *first != NONE && doc.words > 0 {
                docs += 1;
                words += u64::from(doc.words);
                chunks += u64::from(doc.chunks);
                defined += u64::from(doc.defined);
            }
        }
        let mean = |sum: u64, of: u64| (sum as f32 / of.max(1) as f32).max(1.0);
        tree.words = mean(words, u64::from(docs));
        tree.chunk_words = mean(words, chunks);
        tree.defined = mean(defined, u64::from(docs));
        tree.docs = docs;
        tree.chunks = u32::try_from(chunks).unwrap_or(u32::MAX);
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let (mut folders, mut stems) =
            (Vec::with_capacity(tree.files.len()), Vec::with_capacity(tree.files.len()));
        for file in &tree.files {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let fresh = numbers.len() as u32;
            folders.push(*numbers.entry(folder).or_insert(fresh));
            stems.push(words::hash(stem(&file.path).as_bytes()));
        }
        (tree.folders, tree.stems) = (folders, stems);
        tree
    }

    fn name_paths(&self) -> Names {
        let mut names = Names::default();
        for (at, file) in self.files.iter().enumerate() {
            let (folders, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            let base = name.split_once('.').map_or(name, |(base, _)| base);
            let last = folders.rsplit('/').next().unwrap_or_default();
            let mut length = 0.0;
            let mut add = |text: &str, weight: f32| {
                words::each(text.as_bytes(), |word| {
                    length += weight;
                    let posts = names.words.entry(word.term).or_default();
                    match posts.last_mut().filter(|(file, _)| *file == at as u32) {
                        Some((_, sum)) => *sum += weight,
                        None => posts.push((at as u32, weight)),
                    }
                });
            };
            add(base, 2.0);
            add(&name[base.len()..], 0.3);
            add(last, 1.2);
            add(&folders[..folders.len() - last.len()], 0.7);
            names.lengths.push(length);
        }
        names.length = (names.lengths.iter().sum::<f32>() / names.lengths.len().max(1) as f32).max(1.0);
        names
    }

    /// Calls back with each file whose path has a word, and how much of the path it is.
    pub fn each_named(&self, term: Term, mut found: impl FnMut(u32, f32)) -> usize {
        let names = self.names.get_or_init(|| self.name_paths());
        let list = names.words.get(&term).map_or(&[][..], Vec::as_slice);
        for (file, weight) in list {
            let norm = 0.5 + 0.5 * names.lengths[*file as usize] / names.length;
            found(*file, weight / (weight + 1.2 * norm));
        }
        list.len()
    }

    /// Returns a file by its path.
    pub fn find(&self, path: &str) -> Option<u32> {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().map(|at| at as u32)
    }

    /// Tells whether a blob is in the tree.
    pub fn holds(&self, doc: u32) -> bool {
        self.first.get(doc as usize).is_some_and(|first| *first != NONE)
    }

    /// Returns the files of a blob.
    pub fn files_of(&self, doc: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.first.get(doc as usize).copied().filter(|file| *file != NONE);
        std::iter::successors(first, |file| Some(self.next[*file as usize]).filter(|next| *next != NONE))
    }
}

/// Returns a file name without its ending and what marks a test.
pub(super) fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem).to_ascii_lowercase();
    let stem = stem.strip_prefix("test_").unwrap_or(&stem);
    let cut = ["_test", "_tests", "-test", "_spec", "tests", "test", "spec"];
    cut.iter()
        .find_map(|end| stem.strip_suffix(end))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(stem)
        .replace('_', "")
}
