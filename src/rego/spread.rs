//! Parsing, mending and checking of many modules, spread over the cores.
//!
//! Must never evaluate one: which rules answer in time must not hang on how many cores there are. Must never lose an item
//! without a trace: what a thread could not finish is `None` in its place.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, available_parallelism, scope};

use super::limit::STACK_BYTES;

/// More threads than this cost more than they give: rules are few and small.
const MAX_THREADS: usize = 4;

/// Returns how many threads are worth it for so many items.
fn threads(items: usize) -> usize {
    available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS).min(items).max(1)
}

/// Does `work` on every item, on threads with room for deep ones, and returns the results in the order of the items.
pub fn spread<'i, T: Sync, R: Send>(items: &'i [T], work: impl Fn(&'i T) -> R + Sync) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    scope(|scope| {
        let worker = || Builder::new().name("policy".into()).stack_size(STACK_BYTES);
        let start = |_| worker().spawn_scoped(scope, run).ok();
        let workers: Vec<_> = (0..threads(items.len())).filter_map(start).collect();
        for worker in workers {
            // One that panicked leaves a place empty, and who asked has to say no.
            let _ = worker.join();
        }
    });
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    for (at, result) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
        results[at] = Some(result);
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        let doubled: Vec<_> = spread(&items, |n| n * 2).into_iter().map(Option::unwrap).collect();
        assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert!(spread(&[] as &[u8], |n| *n).is_empty());
    }
}
