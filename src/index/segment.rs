//! An inverted index over the contents of a set of blobs, never changed once built.
//!
//! Must never know a path: what a blob says is the same wherever it lies.

use super::sketch::{Chunk, Content};
use super::words::Term;

/// The id of a blob, 20 bytes.
pub type Blob = [u8; 20];

/// A blob in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doc {
    /// Its id.
    pub blob: Blob,
    /// What kind of content it has.
    pub content: Content,
    /// Its size.
    pub bytes: u64,
    /// The number of its first chunk.
    pub chunk: u32,
    /// How many chunks it has.
    pub chunks: u32,
    /// How many words it has.
    pub words: u32,
    /// How many words its definitions have.
    pub defined: u32,
}

/// An inverted index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The blobs, by their ids.
    pub docs: Vec<Doc>,
    /// The chunks of all blobs.
    pub chunks: Vec<Chunk>,
    /// The words, sorted.
    pub terms: Vec<Term>,
    /// Where the postings of each word end.
    pub ends: Vec<u32>,
    /// Postings: the distance to the chunk before, as a variable-length number, and a count.
    pub posts: Vec<u8>,
}

impl Segment {
    /// Makes one segment of several, with the blobs for which `keep` says so; it is what building it anew would give.
    ///
    /// Word by word, so that no more is held than what goes in and what comes out.
    pub fn merge(segments: &[Self], keep: impl Fn(&Blob) -> bool) -> Self {
        let mut docs: Vec<(Blob, usize, usize)> = Vec::new();
        for (of, segment) in segments.iter().enumerate() {
            let kept = segment.docs.iter().enumerate().filter(|(_, doc)| keep(&doc.blob));
            docs.extend(kept.map(|(at, doc)| (doc.blob, of, at)));
        }
        docs.sort_unstable();
        docs.dedup_by_key(|(blob, ..)| *blob);
        let mut merged = Self::default();
        let mut moved: Vec<Vec<u32>> =
            segments.iter().map(|segment| vec![u32::MAX; segment.chunks.len()]).collect();
        for (_, of, at) in docs {
            let doc = &segments[of].docs[at];
            let first = merged.chunks.len() as u32;
            for step in 0..doc.chunks {
                let from = (doc.chunk + step) as usize;
                if let (Some(to), Some(chunk)) = (moved[of].get_mut(from), segments[of].chunks.get(from)) {
                    *to = merged.chunks.len() as u32;
                    merged.chunks.push(*chunk);
                }
            }
            merged.docs.push(Doc { chunk: first, ..*doc });
        }
        let mut next = vec![0; segments.len()];
        let mut found: Vec<(u32, u8)> = Vec::new();
        while let Some(term) =
            segments.iter().zip(&next).filter_map(|(segment, at)| segment.terms.get(*at)).min().copied()
        {
            found.clear();
            for ((segment, at), moved) in segments.iter().zip(&mut next).zip(&moved) {
                if segment.terms.get(*at) == Some(&term) {
                    segment.each_at(*at, |chunk, count| match moved.get(chunk as usize) {
                        Some(&to) if to != u32::MAX => found.push((to, count)),
                        _ => {}
                    });
                    *at += 1;
                }
            }
            if found.is_empty() {
                continue;
            }
            found.sort_unstable();
            merged.terms.push(term);
            let mut before = 0;
            for (chunk, count) in &found {
                varint(&mut merged.posts, chunk - before);
                merged.posts.push(*count);
                before = *chunk;
            }
            merged.ends.push(u32::try_from(merged.posts.len()).unwrap_or(u32::MAX));
        }
        merged
    }

    /// Calls back with each chunk that has a word, and how often, in order.
    pub fn each(&self, term: Term, found: impl FnMut(u32, u8)) {
        if let Ok(at) = self.terms.binary_search(&term) {
            self.each_at(at, found);
        }
    }

    /// Calls back with each chunk that has the word of a number.
    fn each_at(&self, at: usize, mut found: impl FnMut(u32, u8)) {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(at).copied().unwrap_or_default();
        let mut rest = self.posts.get(start as usize..end as usize).unwrap_or_default();
        let mut chunk = 0;
        while let Some((step, after)) = read_varint(rest) {
            let Some((count, after)) = after.split_first() else { return };
            chunk = u32::saturating_add(chunk, step);
            rest = after;
            if chunk as usize >= self.chunks.len() {
                return;
            }
            found(chunk, *count);
        }
    }
}

/// Writes a number, seven bits a byte, the lowest first.
pub(super) fn varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}
