//! Output as it comes: the first and the last part kept, the rest counted.
//!
//! Must never hold more than it may keep, however much is printed.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Captured;
use super::neutral::neutralise;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// What all streams of a command printed together.
#[derive(Debug)]
pub(super) struct Meter {
    printed: AtomicU64,
    limit: u64,
    closed: AtomicBool,
}

impl Meter {
    /// Returns a meter that tells when more than `limit` bytes were printed.
    pub(super) fn new(limit: u64) -> Self {
        Self { printed: AtomicU64::new(0), limit, closed: AtomicBool::new(false) }
    }

    /// Says that the command is gone: what is not in the pipes yet does not count.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Tells whether the command is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Tells whether too much was printed.
    pub(super) fn is_over(&self) -> bool {
        self.printed.load(Ordering::SeqCst) > self.limit
    }

    /// Counts bytes; returns true once, with the bytes that go over the limit.
    fn add(&self, bytes: u64) -> bool {
        let before = self.printed.fetch_add(bytes, Ordering::SeqCst);
        before <= self.limit && before.saturating_add(bytes) > self.limit
    }
}

/// Reads a stream to its end; `over` is called once when all streams together printed too much.
pub(super) fn drain(mut from: impl Read, keep: u64, meter: &Meter, over: impl Fn()) -> Captured {
    let mut kept = Kept::new(keep);
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => {
                kept.push(chunk.get(..length).unwrap_or_default());
                if meter.add(length as u64) {
                    over();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A stream that cannot be read has ended as far as anyone can tell.
            Err(_) => break,
        }
    }
    kept.finish()
}

/// The first and the last bytes of a stream.
#[derive(Debug)]
struct Kept {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: u64,
}

impl Kept {
    fn new(keep: u64) -> Self {
        let half = usize::try_from(keep / 2).unwrap_or(usize::MAX);
        Self { half, head: Vec::new(), tail: VecDeque::new(), bytes: 0 }
    }

    fn push(&mut self, chunk: &[u8]) {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        let room = self.half.saturating_sub(self.head.len()).min(chunk.len());
        let (head, rest) = chunk.split_at(room);
        self.head.extend_from_slice(head);
        let rest = rest.get(rest.len().saturating_sub(self.half)..).unwrap_or_default();
        let surplus = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..surplus.min(self.tail.len()));
        self.tail.extend(rest);
    }

    fn finish(self) -> Captured {
        let tail: Vec<u8> = self.tail.into();
        let dropped = self.bytes.saturating_sub((self.head.len() + tail.len()) as u64);
        let text = if dropped == 0 {
            neutralise(&[self.head, tail].concat())
        } else {
            // Whole lines on both sides of the gap, so that no half of a line looks like another one.
            let (head, tail) = (neutralise(&self.head), neutralise(&tail));
            let end = if head.is_empty() || head.ends_with('\n') { "" } else { "\n" };
            format!("{head}{end}[... {dropped} bytes left out ...]\n{tail}")
        };
        Captured { text, bytes: self.bytes }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    fn capture(bytes: &[u8], keep: u64) -> Captured {
        drain(bytes, keep, &Meter::new(u64::MAX), || {})
    }

    #[test]
    fn short_output_is_kept_whole() {
        assert_eq!(capture(b"one\ntwo\n", 8), Captured { text: "one\ntwo\n".into(), bytes: 8 });
    }

    #[test]
    fn the_middle_of_long_output_is_left_out_and_counted() {
        let kept = capture(b"first\n-------\nlast\n", 10);
        assert_eq!(kept.text, "first\n[... 9 bytes left out ...]\nlast\n");
        assert_eq!(kept.bytes, 19);
    }

    #[test]
    fn a_mark_cut_in_two_by_the_gap_does_not_come_back() {
        let kept = capture(b"aaaa\nxxxx::error::b", 10);
        assert!(kept.text.lines().all(|line| !line.starts_with("::")), "{}", kept.text);
    }

    #[test]
    fn the_limit_is_told_once() {
        let told = Cell::new(0);
        let meter = Meter::new(100);
        drain(io::repeat(b'x').take(1 << 20), 10, &meter, || told.set(told.get() + 1));
        drain(io::repeat(b'x').take(1 << 20), 10, &meter, || told.set(told.get() + 1));
        assert_eq!(told.get(), 1);
    }

    proptest! {
        #[test]
        fn never_more_than_may_be_kept(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20), keep in 0_u64..64) {
            let mut kept = Kept::new(keep);
            for chunk in &chunks {
                kept.push(chunk);
                prop_assert!((kept.head.len() + kept.tail.len()) as u64 <= keep);
            }
            let all = chunks.concat();
            prop_assert_eq!(kept.bytes, all.len() as u64);
            prop_assert!(all.starts_with(&kept.head));
            let tail: Vec<u8> = kept.tail.iter().copied().collect();
            prop_assert!(all.ends_with(&tail));
        }
    }
}
