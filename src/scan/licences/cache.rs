//! Texts that were read before: vendored trees have the same few hundreds of times.
//!
//! Must never hold a text, and never more than a bounded number of readings.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex};

use super::text::{self, Reading};

/// More readings are not kept.
const MOST: usize = 4_096;

/// Readings by the hash and the length of their texts.
type Readings = HashMap<(u64, usize), Arc<Reading>>;

static READ: LazyLock<Mutex<Readings>> = LazyLock::new(Mutex::default);
/// With keys of its own in each process, so that no text can be made to be taken for another.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Reads a text, or returns what was read when the same text was there before.
pub fn read(text: &str) -> Arc<Reading> {
    let key = (KEYS.hash_one(text), text.len());
    if let Some(reading) = READ.lock().ok().and_then(|cache| cache.get(&key).cloned()) {
        return reading;
    }
    let reading = Arc::new(text::read(text));
    if let Ok(mut cache) = READ.lock()
        && cache.len() < MOST
    {
        cache.insert(key, Arc::clone(&reading));
    }
    reading
}
