//! What every store must do; run against the real one and the fake.
#![expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking, in tests only")]

use super::ArtifactStore;

/// Checks an empty store; panics where it does not do what a store must.
///
/// # Panics
///
/// When the store does not conform.
pub fn conforms(store: &dyn ArtifactStore) {
    assert_eq!(store.list().unwrap(), Vec::<String>::new());
    assert_eq!(store.read("a/b.json").unwrap(), None);
    store.write("a/b.json", b"1").unwrap();
    store.write("a.json", b"2").unwrap();
    store.write("a/b.json", b"3").unwrap();
    assert_eq!(store.read("a/b.json").unwrap().as_deref(), Some(&b"3"[..]));
    assert_eq!(store.read("a.json/x").unwrap(), None);
    assert_eq!(store.list().unwrap(), ["a.json", "a/b.json"]);
    store.append("c.jsonl", b"4\n").unwrap();
    store.append("c.jsonl", b"5\n").unwrap();
    assert_eq!(store.read("c.jsonl").unwrap().as_deref(), Some(&b"4\n5\n"[..]));
    store.remove("c.jsonl").unwrap();
    store.preserve(&["a/b.json".into(), "gone.json".into()], "attempts/1").unwrap();
    assert_eq!(store.read("attempts/1/a/b.json").unwrap().as_deref(), Some(&b"3"[..]));
    assert_eq!(store.read("a/b.json").unwrap().as_deref(), Some(&b"3"[..]));
    store.remove("a/b.json").unwrap();
    store.remove("a/b.json").unwrap();
    store.sweep().unwrap();
    assert_eq!(store.list().unwrap(), ["a.json", "attempts/1/a/b.json"]);
}
