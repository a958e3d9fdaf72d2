//! The index as one file: versioned, with a digest over all of it.
//!
//! Must never trust what it reads: a file that is spoiled, cut or of another version is refused with a reason, and no length
//! in it is believed before it fits into what is there.

use sha2::{Digest as _, Sha256};

use super::past::Commit;
use super::rank::signals::SIGNALS;
use super::segment::{Doc, Segment};
use super::sketch::{Chunk, Content};

/// Changes whenever words, chunks, weights or the format do: an index of another version is made anew.
pub const VERSION: u32 = 2;
const MAGIC: &[u8; 8] = b"ORCHIDX\n";

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The contents.
    pub segments: Vec<Segment>,
    /// The commits, newest first.
    pub commits: Vec<Commit>,
    /// The commit they lead to.
    pub tip: Option<[u8; 20]>,
    /// The weights of the signals that the past up to a commit gave, with how many commits that were.
    pub weights: Option<([f32; SIGNALS], u32)>,
}

/// Why a file is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Spoiled {
    /// It is something else.
    #[error("it is no index")]
    Other,
    /// Another version wrote it.
    #[error("it is of version {0}, not {VERSION}")]
    Version(u32),
    /// Its digest does not fit.
    #[error("its digest does not fit its content")]
    Digest,
    /// It ends early, or says what cannot be.
    #[error("its content makes no sense")]
    Content,
}

/// Returns the bytes of the file.
pub fn write(stored: &Stored) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    number(&mut out, VERSION);
    match &stored.weights {
        Some((weights, commits)) => {
            number(&mut out, SIGNALS as u32);
            for weight in weights {
                out.extend_from_slice(&weight.to_le_bytes());
            }
            number(&mut out, *commits);
        }
        None => number(&mut out, 0),
    }
    number(&mut out, stored.segments.len() as u32);
    stored.segments.iter().for_each(|segment| segment_out(&mut out, segment));
    out.push(u8::from(stored.tip.is_some()));
    out.extend_from_slice(&stored.tip.unwrap_or_default());
    number(&mut out, stored.commits.len() as u32);
    stored.commits.iter().for_each(|commit| commit_out(&mut out, commit));
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    out
}

fn number(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn text(out: &mut Vec<u8>, value: &str) {
    number(out, value.len() as u32);
    out.extend_from_slice(value.as_bytes());
}

fn segment_out(out: &mut Vec<u8>, segment: &Segment) {
    number(out, segment.docs.len() as u32);
    for doc in &segment.docs {
        out.extend_from_slice(&doc.blob);
        out.push(doc.content as u8);
        out.extend_from_slice(&doc.bytes.to_le_bytes());
        for value in [doc.chunk, doc.chunks, doc.words, doc.defined] {
            number(out, value);
        }
    }
    number(out, segment.chunks.len() as u32);
    for chunk in &segment.chunks {
        for value in [chunk.first, chunk.last, chunk.words] {
            number(out, value);
        }
    }
    number(out, segment.terms.len() as u32);
    segment.terms.iter().for_each(|term| out.extend_from_slice(&term.to_le_bytes()));
    segment.ends.iter().for_each(|end| number(out, *end));
    number(out, segment.posts.len() as u32);
    out.extend_from_slice(&segment.posts);
}

fn commit_out(out: &mut Vec<u8>, commit: &Commit) {
    out.extend_from_slice(&commit.id);
    out.extend_from_slice(&commit.time.to_le_bytes());
    number(out, commit.words.len() as u32);
    for (term, count) in &commit.words {
        out.extend_from_slice(&term.to_le_bytes());
        out.push(*count);
    }
    number(out, commit.paths.len() as u32);
    commit.paths.iter().for_each(|path| text(out, path));
    number(out, commit.moved.len() as u32);
    for (from, to) in &commit.moved {
        text(out, from);
        text(out, to);
    }
}

/// Reads a file.
pub fn read(bytes: &[u8]) -> Result<Stored, Spoiled> {
    let body = bytes.len().checked_sub(32).ok_or(Spoiled::Other)?;
    let (body, digest) = bytes.split_at(body);
    let mut from = Reader { rest: body };
    if from.take(8) != Some(MAGIC.as_slice()) {
        return Err(Spoiled::Other);
    }
    match from.number() {
        Some(VERSION) => {}
        Some(other) => return Err(Spoiled::Version(other)),
        None => return Err(Spoiled::Content),
    }
    if Sha256::digest(body).as_slice() != digest {
        return Err(Spoiled::Digest);
    }
    from.stored().filter(|_| from.rest.is_empty()).ok_or(Spoiled::Content)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads so many items; none of them is smaller than `least` bytes, so no list is longer than what is left.
    fn list<T>(&mut self, least: usize, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()? as usize;
        if count.checked_mul(least)? > self.rest.len() {
            return None;
        }
        let mut list = Vec::with_capacity(count);
        for _ in 0..count {
            list.push(item(self)?);
        }
        Some(list)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.number()? as usize;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn stored(&mut self) -> Option<Stored> {
        let weights = match self.number()? as usize {
            0 => None,
            SIGNALS => {
                let mut weights = [0.0; SIGNALS];
                for weight in &mut weights {
                    *weight = f32::from_le_bytes(self.array()?);
                }
                let sane = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
                Some((weights, self.number()?)).filter(|_| sane)
            }
            _ => return None,
        };
        let segments = self.list(16, Self::segment)?;
        let tip = match self.array::<1>()? {
            [0] => self.array::<20>().map(|_| None)?,
            _ => Some(self.array()?),
        };
        let commits = self.list(40, Self::commit)?;
        Some(Stored { segments, commits, tip, weights })
    }

    fn segment(&mut self) -> Option<Segment> {
        let docs = self.list(45, |from| {
            Some(Doc {
                blob: from.array()?,
                content: Content::of(from.array::<1>()?[0])?,
                bytes: u64::from_le_bytes(from.array()?),
                chunk: from.number()?,
                chunks: from.number()?,
                words: from.number()?,
                defined: from.number()?,
            })
        })?;
        let chunks = self.list(12, |from| {
            Some(Chunk { first: from.number()?, last: from.number()?, words: from.number()? })
        })?;
        // The chunks of all blobs, one after the other, are the chunks.
        let mut next = 0_u32;
        for doc in &docs {
            if doc.chunk != next {
                return None;
            }
            next = next.checked_add(doc.chunks)?;
        }
        if next as usize != chunks.len() {
            return None;
        }
        let count = self.number()? as usize;
        let terms = self.take(count.checked_mul(8)?)?;
        let terms = terms
            .chunks_exact(8)
            .map(|part| u64::from_le_bytes(part.try_into().unwrap_or_default()))
            .collect();
        let ends = self.take(count.checked_mul(4)?)?;
        let ends = ends
            .chunks_exact(4)
            .map(|part| u32::from_le_bytes(part.try_into().unwrap_or_default()))
            .collect();
        let length = self.number()? as usize;
        let posts = self.take(length)?.to_vec();
        Some(Segment { docs, chunks, terms, ends, posts })
    }

    fn commit(&mut self) -> Option<Commit> {
        Some(Commit {
            id: self.array()?,
            time: i64::from_le_bytes(self.array()?),
            words: self.list(9, |from| Some((u64::from_le_bytes(from.array()?), from.array::<1>()?[0])))?,
            paths: self.list(4, Self::text)?,
            moved: self.list(8, |from| Some((from.text()?, from.text()?)))?,
        })
    }
}
