//! What one pass over the bytes of a file finds: chunks, words by chunk, words of what it defines.
//!
//! Must never fail on any bytes, and must never keep text: only hashes, counts and line numbers.

use super::lines::definition;
use super::words::{self, Term};

/// Files above this are listed by path only: nobody wrote them by hand.
pub const MAX_BYTES: usize = 1 << 20;
/// A chunk ends at the next border after this many lines…
const CHUNK_LINES: u32 = 24;
/// … and at any line after this many.
const CHUNK_MOST: u32 = 72;
/// Bytes that are looked at to tell what kind of file it is.
const HEAD: usize = 8000;

/// What kind of content a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Content {
    /// Text that a person reads.
    Text = 0,
    /// Not text.
    Binary = 1,
    /// Larger than [`MAX_BYTES`].
    Huge = 2,
    /// Lines far longer than a person writes.
    Minified = 3,
    /// Says of itself that a program wrote it; its words count, at a discount.
    Generated = 4,
}

impl Content {
    /// Returns the content from its number.
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Text),
            1 => Some(Self::Binary),
            2 => Some(Self::Huge),
            3 => Some(Self::Minified),
            4 => Some(Self::Generated),
            _ => None,
        }
    }

    /// Returns its name as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Huge => "too large",
            Self::Minified => "minified",
            Self::Generated => "generated",
        }
    }

    /// Tells whether its words are in the index.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Text | Self::Generated)
    }
}

/// A piece of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its first line, from 1.
    pub first: u32,
    /// Its last line.
    pub last: u32,
    /// How many words it has.
    pub words: u32,
}

/// How often a word comes in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Post {
    /// The word.
    pub term: Term,
    /// The chunk's number in its file.
    pub chunk: u16,
    /// How often.
    pub count: u8,
}

/// What a pass over a file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// What kind of content it is.
    pub content: Content,
    /// Its size.
    pub bytes: u64,
    /// Its chunks, in order.
    pub chunks: Vec<Chunk>,
    /// Its words, by chunk; in no order within one.
    pub posts: Vec<Post>,
    /// How many words its definitions have.
    pub defined: u32,
}

/// Counts words of one chunk; kept from file to file so that nothing is allocated.
pub struct Counter {
    keys: Vec<Term>,
    counts: Vec<u32>,
    used: Vec<u32>,
}

impl Default for Counter {
    fn default() -> Self {
        Self { keys: vec![0; 4096], counts: vec![0; 4096], used: Vec::new() }
    }
}

impl Counter {
    fn add(&mut self, term: Term) {
        let mask = self.keys.len() - 1;
        let mut at = usize::try_from(term >> 20).unwrap_or_default() & mask;
        loop {
            if self.counts[at] == 0 {
                self.keys[at] = term;
                self.counts[at] = 1;
                self.used.push(u32::try_from(at).unwrap_or(u32::MAX));
                if self.used.len() * 2 > self.keys.len() {
                    self.grow();
                }
                return;
            }
            if self.keys[at] == term {
                self.counts[at] += 1;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let pairs: Vec<(Term, u32)> =
            self.used.iter().map(|at| (self.keys[*at as usize], self.counts[*at as usize])).collect();
        let size = self.keys.len() * 2;
        *self = Self { keys: vec![0; size], counts: vec![0; size], used: Vec::new() };
        let mask = size - 1;
        for (term, count) in pairs {
            let mut at = usize::try_from(term >> 20).unwrap_or_default() & mask;
            while self.counts[at] != 0 {
                at = (at + 1) & mask;
            }
            self.keys[at] = term;
            self.counts[at] = count;
            self.used.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
    }

    fn drain(&mut self, chunk: u16, posts: &mut Vec<Post>) {
        for at in self.used.drain(..) {
            let at = at as usize;
            let count = u8::try_from(self.counts[at]).unwrap_or(u8::MAX);
            posts.push(Post { term: self.keys[at], chunk, count });
            self.counts[at] = 0;
        }
    }
}

/// Tells what kind of content bytes are.
pub fn content(bytes: &[u8]) -> Content {
    let head = &bytes[..bytes.len().min(HEAD)];
    if memchr::memchr(0, head).is_some() {
        return Content::Binary;
    }
    if bytes.len() > MAX_BYTES {
        return Content::Huge;
    }
    let lines = memchr::memchr_iter(b'\n', bytes).count() + 1;
    if bytes.len() > 4096 && bytes.len() / lines > 400 {
        return Content::Minified;
    }
    let head = &head[..head.len().min(1200)];
    let says = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    if says(b"DO NOT EDIT") || says(b"@generated") || says(b"Do not edit this file") || says(b"autogenerated")
    {
        return Content::Generated;
    }
    Content::Text
}

/// Reads a file.
pub fn sketch(bytes: &[u8], counter: &mut Counter) -> Sketch {
    let content = content(bytes);
    let mut sketch =
        Sketch { content, bytes: bytes.len() as u64, chunks: Vec::new(), posts: Vec::new(), defined: 0 };
    if !content.is_read() {
        return sketch;
    }
    let (mut first, mut line, mut count, mut blank) = (1, 0, 0, true);
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
        let text = &bytes[start..end];
        start = end + 1;
        let empty = text.iter().all(u8::is_ascii_whitespace);
        let flush =
            text.first().is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'}' | b')' | b']'));
        let long = line + 1 - first;
        if (long >= CHUNK_LINES && !empty && blank && flush) || long >= CHUNK_MOST {
            sketch.close(first, line, &mut count, counter);
            first = line + 1;
        }
        line += 1;
        blank = empty;
        if empty {
            continue;
        }
        words::each(text, |word| {
            counter.add(word.term);
            count += u32::from(!word.whole);
        });
        if let Some(name) = definition(text) {
            words::each(name, |word| {
                counter.add(words::defined(word.term));
                sketch.defined += u32::from(!word.whole);
            });
        }
    }
    sketch.close(first, line.max(1), &mut count, counter);
    // Many are held at once.
    sketch.posts.shrink_to_fit();
    sketch.chunks.shrink_to_fit();
    sketch
}

impl Sketch {
    fn close(&mut self, first: u32, last: u32, count: &mut u32, counter: &mut Counter) {
        let Ok(number) = u16::try_from(self.chunks.len()) else {
            counter.drain(u16::MAX, &mut self.posts);
            return;
        };
        self.chunks.push(Chunk { first, last, words: std::mem::take(count) });
        counter.drain(number, &mut self.posts);
    }

    /// Returns how many words it has.
    pub fn words(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.words).sum()
    }
}
