//! Runs scanners over many files on several threads; the facts come out the same whatever the number.
//!
//! Must never hold more than one file's bytes per thread.

use std::sync::Mutex;

use super::allow::Comments;
use super::{Confidence, Fact, Scanner, Sink, Source, View};

/// Scans files one after another, for one thread.
pub struct Worker<'s> {
    scanners: Vec<&'s dyn Scanner>,
    facts: Vec<Fact>,
    /// The day, as `2026-11-27`, on which allow comments are judged; without one no comment with a date counts.
    today: Option<String>,
    least: Confidence,
}

impl<'s> Worker<'s> {
    /// Returns a worker for these scanners.
    pub fn new(scanners: &[&'s dyn Scanner], today: Option<&str>) -> Self {
        Self {
            scanners: scanners.to_vec(),
            facts: Vec::new(),
            today: today.map(str::to_owned),
            least: Confidence::Medium,
        }
    }

    /// Takes facts of this confidence and above; without it, of medium and above.
    #[must_use]
    pub fn at_least(mut self, least: Confidence) -> Self {
        self.least = least;
        self
    }

    /// Scans one file.
    pub fn scan(&mut self, source: &Source<'_>) {
        let view = View::new(source);
        for scanner in &self.scanners {
            let mut sink = Sink::new(*scanner, &view).at_least(self.least);
            scanner.scan(&view, &mut sink);
            let facts = sink.finish();
            if !facts.is_empty() {
                let comments = Comments::new(&view, self.today.as_deref());
                self.facts.extend(facts.into_iter().filter(|fact| !comments.allow(fact)));
            }
        }
    }

    /// Returns what was found so far, unsorted.
    pub fn into_facts(self) -> Vec<Fact> {
        self.facts
    }
}

/// Brings the facts of several workers into one order.
pub fn merge(parts: impl IntoIterator<Item = Vec<Fact>>) -> Vec<Fact> {
    let mut facts: Vec<Fact> = parts.into_iter().flatten().collect();
    facts.sort();
    facts
}

/// Scans many files; `with` opens each, and may skip one by not calling back. It is given a buffer to read into, which each
/// thread keeps for its next file.
///
/// Items are taken as they come, so a walk over a large tree can go on while its first files are scanned.
pub fn scan_all<T, I, F>(
    scanners: &[&dyn Scanner],
    items: I,
    threads: usize,
    today: Option<&str>,
    least: Confidence,
    with: F,
) -> Vec<Fact>
where
    I: Iterator<Item = T> + Send,
    F: Fn(T, &mut Vec<u8>, &mut dyn FnMut(&Source<'_>)) + Sync,
{
    const CHUNK: usize = 16;
    /// A larger buffer is given back after its file.
    const KEPT: usize = 4 << 20;
    let items = Mutex::new(items);
    let parts = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let run = || {
            let mut worker = Worker::new(scanners, today).at_least(least);
            let mut buffer = Vec::new();
            loop {
                let chunk: Vec<T> = match items.lock() {
                    Ok(mut items) => items.by_ref().take(CHUNK).collect(),
                    Err(_) => break,
                };
                if chunk.is_empty() {
                    break;
                }
                for item in chunk {
                    with(item, &mut buffer, &mut |source| worker.scan(source));
                    if buffer.capacity() > KEPT {
                        buffer = Vec::new();
                    }
                }
            }
            if let Ok(mut parts) = parts.lock() {
                parts.push(worker.into_facts());
            }
        };
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(run)).collect();
        run();
        // A panic of a thread must not look like a clean file.
        for other in others {
            if let Err(panic) = other.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    merge(parts.into_inner().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::SCANNERS;

    #[test]
    fn the_order_is_the_same_on_any_number_of_threads() {
        let files: Vec<(String, String)> = (0..200)
            .map(|n| (format!("src/{}/{n}.py", n % 9), format!("x = 1\nowner = 'maria{n}@posteo.de'\n")))
            .collect();
        let scan = |threads| {
            scan_all(SCANNERS, files.iter(), threads, None, Confidence::Medium, |(path, text), _, scan| {
                scan(&Source::new(path, text.as_bytes()));
            })
        };
        let one = scan(1);
        assert_eq!(one.len(), 200);
        assert!(one.is_sorted());
        for threads in [2, 3, 16] {
            assert_eq!(scan(threads), one);
        }
    }

    #[test]
    fn only_changed_lines_are_reported() {
        let text = b"a = 'maria.keller@posteo.de'\nb = 'jo.weber@posteo.de'\n";
        let mut worker = Worker::new(SCANNERS, None);
        worker.scan(&Source { changed: Some(&[2..=2]), ..Source::new("a.py", text) });
        assert_eq!(worker.into_facts().iter().map(|f| f.line).collect::<Vec<_>>(), [2]);
    }
}
