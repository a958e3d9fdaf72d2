//! The index as files: a head that names parts by their digests, and parts that are never changed once written.
//!
//! Must never trust what it reads: a file that is spoiled, cut or of another version is refused with a reason, and no length
//! in it is believed before it fits into what is there.

use sha2::{Digest as _, Sha256};

use super::past::Commit;
use super::rank::signals::SIGNALS;
use super::segment::{Doc, Segment};
use super::sketch::{Chunk, Content};

/// Changes whenever words, chunks, weights or the format do: an index of another version is made anew.
pub const VERSION: u32 = 3;
const MAGIC: &[u8; 8] = b"ORCHIDX\n";

/// What the files hold.
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

/// A part: a file that is named by the digest of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The digest.
    pub digest: [u8; 32],
}

impl Part {
    /// Returns the part that some bytes are.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: Sha256::digest(bytes).into() }
    }

    /// Returns the name of its file.
    pub fn name(&self) -> String {
        self.digest.iter().take(12).fold(String::new(), |name, byte| name + &format!("{byte:02x}"))
    }
}

/// The file that names the parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The contents.
    pub segments: Vec<Part>,
    /// The commits.
    pub past: Vec<Part>,
    /// The commit they lead to.
    pub tip: Option<[u8; 20]>,
    /// The weights of the signals, as in [`Stored`].
    pub weights: Option<([f32; SIGNALS], u32)>,
}

/// Returns the bytes of a head.
pub fn write_head(head: &Head) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    number(&mut out, VERSION);
    match &head.weights {
        Some((weights, commits)) => {
            number(&mut out, SIGNALS as u32);
            for weight in weights {
                out.extend_from_slice(&weight.to_le_bytes());
            }
            number(&mut out, *commits);
        }
        None => number(&mut out, 0),
    }
    for parts in [&head.segments, &head.past] {
        number(&mut out, parts.len() as u32);
        for part in parts {
            out.extend_from_slice(&part.digest);
        }
    }
    out.push(u8::from(head.tip.is_some()));
    out.extend_from_slice(&head.tip.unwrap_or_default());
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    out
}

/// Returns the bytes of a segment.
pub fn write_segment(segment: &Segment) -> Vec<u8> {
    let mut out =
        Vec::with_capacity(segment.posts.len() + 12 * segment.terms.len() + 16 * segment.chunks.len());
    segment_out(&mut out, segment);
    out
}

/// Returns the bytes of commits.
pub fn write_commits<'a>(commits: impl ExactSizeIterator<Item = &'a Commit>) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, commits.len() as u32);
    for commit in commits {
        commit_out(&mut out, commit);
    }
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

/// Reads a head.
pub fn read_head(bytes: &[u8]) -> Result<Head, Spoiled> {
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
    from.head().filter(|_| from.rest.is_empty()).ok_or(Spoiled::Content)
}

/// Reads a segment that a head names.
pub fn read_segment(part: &Part, bytes: &[u8]) -> Result<Segment, Spoiled> {
    let mut from = Reader::of(part, bytes)?;
    from.segment().filter(|_| from.rest.is_empty()).ok_or(Spoiled::Content)
}

/// Reads commits that a head names.
pub fn read_commits(part: &Part, bytes: &[u8]) -> Result<Vec<Commit>, Spoiled> {
    let mut from = Reader::of(part, bytes)?;
    from.list(40, Reader::commit).filter(|_| from.rest.is_empty()).ok_or(Spoiled::Content)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn of(part: &Part, bytes: &'a [u8]) -> Result<Self, Spoiled> {
        if Part::of(bytes) == *part { Ok(Self { rest: bytes }) } else { Err(Spoiled::Digest) }
    }

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

    fn head(&mut self) -> Option<Head> {
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
        let named = |from: &mut Self| Some(Part { digest: from.array()? });
        let (segments, past) = (self.list(32, named)?, self.list(32, named)?);
        let tip = match self.array::<1>()? {
            [0] => self.array::<20>().map(|_| None)?,
            _ => Some(self.array()?),
        };
        Some(Head { segments, past, tip, weights })
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
