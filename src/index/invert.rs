//! Blobs in, a segment out: words counted by chunk, each name taken apart once.
//!
//! Must never fail on any bytes, and must never keep text: only hashes, counts and line numbers.

use super::lines::definition;
use super::segment::{Blob, Doc, Segment, varint};
use super::sketch::{Chunk, Cutter, content};
use super::words::{self, Runs, Term};

/// So many words of chunks make a segment: what is read is not held longer.
const FULL: usize = 700_000;

/// Reads blobs one after the other; what was read becomes a segment.
#[derive(Default)]
pub struct Inverter {
    runs: Runs,
    terms: Terms,
    names: Names,
    docs: Vec<(Doc, usize)>,
    chunks: Vec<Chunk>,
    posts: Vec<Post>,
    counts: Vec<u32>,
    used: Vec<u32>,
}

/// How often a word comes in a chunk.
struct Post {
    term: u32,
    chunk: u32,
    count: u8,
}

impl Inverter {
    /// Reads a blob; each may be read once only.
    pub fn read(&mut self, blob: Blob, bytes: &[u8]) {
        let content = content(bytes);
        let mut doc = Doc {
            blob,
            content,
            bytes: bytes.len() as u64,
            chunk: self.chunks.len() as u32,
            chunks: 0,
            words: 0,
            defined: 0,
        };
        let posts = self.posts.len();
        if content.is_read() {
            self.lines(bytes, &mut doc);
        }
        doc.chunks = self.chunks.len() as u32 - doc.chunk;
        self.docs.push((doc, posts));
    }

    /// Tells whether so much was read that a segment should be made of it.
    pub fn is_full(&self) -> bool {
        self.posts.len() >= FULL
    }

    /// Tells whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    fn lines(&mut self, bytes: &[u8], doc: &mut Doc) {
        let mut cutter = Cutter::default();
        self.runs.look(bytes);
        let mut next = 0;
        while next < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[next..]).map_or(bytes.len(), |at| next + at);
            let line = next..end;
            let text = &bytes[line.clone()];
            next = end + 1;
            let empty = text.iter().all(u8::is_ascii_whitespace);
            if let Some(lines) = cutter.next(text, empty) {
                self.close(lines, doc);
            }
            if empty {
                continue;
            }
            self.runs.each(bytes, line, |run| self.names.add(run, &mut self.terms));
            if let Some(name) = definition(text) {
                words::each(name, |word| {
                    let term = self.terms.number(words::defined(word.term));
                    count(&mut self.counts, &mut self.used, term, 1);
                    doc.defined += u32::from(!word.whole);
                });
            }
        }
        self.close(cutter.last(), doc);
    }

    fn close(&mut self, (first, last): (u32, u32), doc: &mut Doc) {
        let mut words = 0;
        let (counts, used) = (&mut self.counts, &mut self.used);
        self.names.drain(|terms, parts, times| {
            words += parts * times;
            for term in terms {
                count(counts, used, *term, times);
            }
        });
        let chunk = self.chunks.len() as u32;
        for term in self.used.drain(..) {
            let times = std::mem::take(&mut self.counts[term as usize]);
            self.posts.push(Post { term, chunk, count: u8::try_from(times).unwrap_or(u8::MAX) });
        }
        self.chunks.push(Chunk { first, last, words });
        doc.words += words;
    }

    /// Makes a segment of what was read, and starts anew; the same blobs give the same segment, in whatever order they came.
    pub fn segment(&mut self) -> Segment {
        let mut order: Vec<usize> = (0..self.docs.len()).collect();
        order.sort_unstable_by_key(|at| self.docs[*at].0.blob);
        let mut segment = Segment::default();
        segment.docs.reserve_exact(self.docs.len());
        segment.chunks.reserve_exact(self.chunks.len());
        // Postings are laid out by word, and within a word by blob and chunk: nothing has to be compared.
        let mut next = self.starts();
        let mut laid = vec![(0_u32, 0_u8); self.posts.len()];
        for at in order {
            let (doc, first) = self.docs[at];
            let end = self.docs.get(at + 1).map_or(self.posts.len(), |(_, next)| *next);
            let chunk = segment.chunks.len() as u32;
            for post in &self.posts[first..end] {
                let place = &mut next[post.term as usize];
                laid[*place as usize] = (post.chunk - doc.chunk + chunk, post.count);
                *place += 1;
            }
            segment.docs.push(Doc { chunk, ..doc });
            let own = doc.chunk as usize..(doc.chunk + doc.chunks) as usize;
            segment.chunks.extend_from_slice(&self.chunks[own]);
        }
        // What was the start of each word is now its end.
        let mut sorted: Vec<(Term, u32)> = self.terms.all.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let mut posts = Vec::with_capacity(self.posts.len() * 5 / 2);
        segment.terms.reserve_exact(sorted.len());
        segment.ends.reserve_exact(sorted.len());
        for (term, number) in sorted {
            let start = number.checked_sub(1).map_or(0, |before| next[before as usize]);
            let mut before = 0;
            for (chunk, count) in &laid[start as usize..next[number as usize] as usize] {
                varint(&mut posts, chunk - before);
                posts.push(*count);
                before = *chunk;
            }
            segment.terms.push(term);
            segment.ends.push(u32::try_from(posts.len()).unwrap_or(u32::MAX));
        }
        // Just the room they need: what grows by doubling keeps up to twice as much for good.
        segment.posts = posts.as_slice().to_vec();
        self.clear();
        segment
    }

    /// Returns where the postings of each word start.
    fn starts(&self) -> Vec<u32> {
        let mut starts = vec![0_u32; self.terms.all.len()];
        self.posts.iter().for_each(|post| starts[post.term as usize] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        starts
    }

    fn clear(&mut self) {
        self.terms.clear();
        self.names.clear();
        self.docs.clear();
        self.chunks.clear();
        self.posts.clear();
    }
}

fn count(counts: &mut Vec<u32>, used: &mut Vec<u32>, term: u32, times: u32) {
    let at = term as usize;
    if at >= counts.len() {
        counts.resize((at + 1).next_power_of_two(), 0);
    }
    if counts[at] == 0 {
        used.push(term);
    }
    counts[at] += times;
}

/// Returns the first place to look for a hash in a table whose size is a power of two.
fn place(hash: u64, size: usize) -> usize {
    (hash >> 20) as usize & (size - 1)
}

/// Words, numbered as they come.
#[derive(Default)]
struct Terms {
    all: Vec<Term>,
    /// The number of a word, and one.
    slots: Vec<u32>,
}

impl Terms {
    fn number(&mut self, term: Term) -> u32 {
        if 2 * self.all.len() >= self.slots.len() {
            self.grow();
        }
        let mut at = place(term, self.slots.len());
        loop {
            match self.slots[at].checked_sub(1) {
                None => break,
                Some(number) if self.all[number as usize] == term => return number,
                Some(_) => at = (at + 1) & (self.slots.len() - 1),
            }
        }
        self.all.push(term);
        self.slots[at] = self.all.len() as u32;
        self.all.len() as u32 - 1
    }

    fn grow(&mut self) {
        let size = (2 * self.slots.len()).max(4096);
        self.slots = vec![0; size];
        for (number, term) in (1..).zip(&self.all) {
            let mut at = place(*term, size);
            while self.slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = number;
        }
    }

    fn clear(&mut self) {
        self.all.clear();
        self.slots.fill(0);
    }
}

/// Names as they stand in the text, each with its words, and how often each came in the chunk.
///
/// The same names come again and again: each is taken apart once, and found by its hash after that.
#[derive(Default)]
struct Names {
    slots: Vec<Slot>,
    known: Vec<Name>,
    words: Vec<u32>,
    used: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u64,
    /// How often the name came.
    count: u32,
    /// The number of the name, and one.
    name: u32,
}

/// Where the words of a name are, and how many of them are parts of it.
struct Name {
    start: u32,
    length: u8,
    parts: u8,
}

impl Names {
    fn add(&mut self, run: &[u8], terms: &mut Terms) {
        if 2 * self.known.len() >= self.slots.len() {
            self.grow();
        }
        let hash = words::hash(run);
        let mask = self.slots.len() - 1;
        let mut at = place(hash, self.slots.len());
        while self.slots[at].name != 0 && self.slots[at].hash != hash {
            at = (at + 1) & mask;
        }
        let slot = &mut self.slots[at];
        if slot.count == 0 {
            self.used.push(at as u32);
        }
        slot.count += 1;
        if slot.name == 0 {
            (slot.hash, slot.name) = (hash, self.known.len() as u32 + 1);
            let (start, mut parts) = (self.words.len(), 0);
            words::name(run, &mut |word| {
                parts += u8::from(!word.whole);
                self.words.push(terms.number(word.term));
            });
            let length = u8::try_from(self.words.len() - start).unwrap_or(u8::MAX);
            self.known.push(Name { start: start as u32, length, parts });
        }
    }

    /// Calls back with the words of each name that came, with how many of them are parts of it, and how often it came.
    fn drain(&mut self, mut came: impl FnMut(&[u32], u32, u32)) {
        for at in self.used.drain(..) {
            let slot = &mut self.slots[at as usize];
            let name = &self.known[slot.name as usize - 1];
            let words = &self.words[name.start as usize..][..usize::from(name.length)];
            came(words, u32::from(name.parts), std::mem::take(&mut slot.count));
        }
    }

    fn grow(&mut self) {
        let size = (2 * self.slots.len()).max(4096);
        let before = std::mem::replace(&mut self.slots, vec![Slot::default(); size]);
        self.used.clear();
        for slot in before.into_iter().filter(|slot| slot.name != 0) {
            let mut at = place(slot.hash, size);
            while self.slots[at].name != 0 {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = slot;
            if slot.count > 0 {
                self.used.push(at as u32);
            }
        }
    }

    fn clear(&mut self) {
        self.slots.fill(Slot::default());
        self.known.clear();
        self.words.clear();
    }
}
