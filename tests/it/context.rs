//! `orch context`: which files a request concerns.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::env::TestEnv;

const FILES: &[(&str, &str)] = &[
    ("src/auth/login.py", "def login(user, password):\n    return check(user, password)\n"),
    ("src/cache.py", "class Cache:\n    def evict(self, key):\n        self.items.pop(key)\n"),
    ("src/mail.py", "def send(message):\n    pass\n"),
    ("tests/test_cache.py", "from cache import Cache\n\ndef test_evict():\n    Cache().evict(1)\n"),
    ("docs/cache.md", "How the cache evicts keys.\n"),
];

fn paths(found: &Value) -> Vec<&str> {
    found["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect()
}

fn commit(env: &TestEnv, root: &Path, path: &str, bytes: &[u8], message: &str) {
    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
    fs::write(root.join(path), bytes).unwrap();
    env.git(root, &["add", "-A"]);
    env.git(root, &["commit", "-q", "-m", message]);
}

#[test]
fn the_file_that_is_meant_comes_first_and_says_why() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    let said = env.orch(&root, &["context", "--json", "evict", "keys", "from", "the", "cache"]).exits(0);
    let found = said.json();
    assert_eq!(paths(&found)[0], "src/cache.py");
    assert_eq!(found["files"][0]["kind"], "source");
    let chunk = found["files"][0]["chunk"].as_str().unwrap();
    assert!(chunk.starts_with("src/cache.py@") && chunk.ends_with(":1-3"), "{chunk}");
    assert!(!paths(&found).contains(&"src/mail.py"));
    let parts = found["files"][0]["parts"].as_array().unwrap();
    let sum: f64 = parts.iter().map(|part| part["adds"].as_f64().unwrap()).sum();
    assert!((sum - found["files"][0]["score"].as_f64().unwrap()).abs() < 1e-3);
    env.orch(&root, &["context", "--explain", "evict"]).exits(0).says("src/cache.py:1-3").says("chunk ");
    env.orch(&root, &["context", "zzz", "qqq"]).exits(78).says("no file has anything to do with that");
    env.orch(&root, &["context", "the"]).exits(78);
    assert_eq!(env.git(&root, &["status", "--porcelain"]), "");
}

#[test]
fn the_past_counts_and_nothing_later_does() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    commit(&env, &root, "src/mail.py", b"def send(message):\n    return 1\n", "frobnicate the widgets");
    commit(&env, &root, "src/cache.py", b"class Cache:\n    pass\n", "polish the doohickey");
    let first = |at: &str, words: &[&str]| {
        let args = [&["context", "--json", "--at", at], words].concat();
        let said = env.orch(&root, &args);
        let found = said.json();
        paths(&found).first().map(|path| (*path).to_owned())
    };
    assert_eq!(first("HEAD", &["frobnicate", "widgets"]).as_deref(), Some("src/mail.py"));
    assert_eq!(first("HEAD~1", &["frobnicate", "widgets"]).as_deref(), Some("src/mail.py"));
    assert_eq!(first("HEAD", &["doohickey"]).as_deref(), Some("src/cache.py"));
    // The cache knows the later commit by now; it must not be told.
    assert_eq!(first("HEAD~1", &["doohickey"]), None);
    assert_eq!(first("HEAD~2", &["frobnicate", "widgets"]), None);
}

#[test]
fn only_what_changed_is_read_again_and_the_answer_is_that_of_a_fresh_index() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    let cold = env.orch(&root, &["context", "--json", "evict"]).exits(0).json();
    assert_eq!((&cold["index"]["read"], &cold["index"]["commits_read"]), (&5.into(), &1.into()));
    let warm = env.orch(&root, &["context", "--json", "evict"]).exits(0).json();
    assert_eq!((&warm["index"]["read"], &warm["index"]["commits_read"]), (&0.into(), &0.into()));
    assert_eq!(cold["files"], warm["files"]);
    commit(
        &env,
        &root,
        "src/lru.py",
        b"def evict_oldest(cache):\n    cache.evict(0)\n",
        "evict the oldest first",
    );
    let grown = env.orch(&root, &["context", "--json", "evict", "the", "oldest"]).exits(0).json();
    assert_eq!((&grown["index"]["read"], &grown["index"]["commits_read"]), (&1.into(), &1.into()));
    let fresh =
        env.orch(&root, &["context", "--json", "--no-cache", "evict", "the", "oldest"]).exits(0).json();
    assert_eq!(grown["files"], fresh["files"]);
    assert_eq!(paths(&grown)[0], "src/lru.py");
}

#[test]
fn a_spoiled_cache_is_said_and_made_anew() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    let cache = env.path("kept/index.bin");
    let args = ["context", "--cache", cache.to_str().unwrap(), "evict"];
    env.orch(&root, &args).exits(0);
    let whole = fs::read(&cache).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (bytes, why) in [
        (flipped, "its digest does not fit"),
        (whole[..whole.len() / 2].to_vec(), "its digest does not fit"),
        (b"nothing of the kind, but longer than a digest is".to_vec(), "it is no index"),
        (Vec::new(), "it is no index"),
    ] {
        fs::write(&cache, bytes).unwrap();
        let said = env.orch(&root, &args).exits(0).says(why).says("src/cache.py");
        assert!(said.stderr.contains("made anew"), "{}", said.stderr);
        assert_eq!(fs::read(&cache).unwrap(), whole);
    }
    let folder = env.path("kept");
    env.orch(&root, &["context", "--cache", folder.to_str().unwrap(), "evict"])
        .exits(2)
        .says("cannot write the index");
}

#[test]
fn files_that_nobody_reads_are_told_and_odd_names_do_no_harm() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    fs::write(root.join("logo.png"), b"\x89PNG\0\0evict").unwrap();
    fs::write(root.join("huge.sql"), "evict evict\n".repeat(100_000)).unwrap();
    fs::write(root.join("app.min.js"), "evict();".repeat(2000)).unwrap();
    fs::write(root.join("latin.py"), b"# caf\xe9\ndef evict_latin():\n    pass\n").unwrap();
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        fs::write(root.join(std::ffi::OsStr::from_bytes(b"odd\xff.py")), "def evict_odd(): pass\n").unwrap();
    }
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "odd files"]);
    let found = env.orch(&root, &["context", "--json", "--limit", "50", "evict"]).exits(0).json();
    let left: Vec<(&str, &str)> = found["index"]["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect();
    assert_eq!(left, [("app.min.js", "minified"), ("huge.sql", "too large"), ("logo.png", "binary")]);
    assert!(paths(&found).contains(&"latin.py"));
    assert!(!paths(&found).contains(&"logo.png"));
    env.orch(&root, &["context", "huge"]).exits(0).says("huge.sql");
}

#[test]
fn repositories_with_nothing_in_them_are_answered() {
    let env = TestEnv::new();
    let empty = env.repository("empty", &[]);
    env.orch(&empty, &["context", "anything"]).exits(78);
    let unborn = env.path("unborn");
    fs::create_dir_all(&unborn).unwrap();
    env.git(&unborn, &["init", "-q"]);
    env.orch(&unborn, &["context", "anything"]).exits(2).says("no commit yet");
    env.orch(&empty, &["context", "--at", "nothing", "x"]).exits(2).says("nothing");
    env.orch(&empty, &["context"]).exits(2);
    env.orch(&env.path("home"), &["context", "x"]).exits(2).says("not in a git repository");
}

#[test]
fn a_working_tree_is_seen_where_it_is_asked_for() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    fs::write(root.join("src/fresh.py"), "def frobnicate(widget):\n    return widget\n").unwrap();
    fs::write(root.join("src/mail.py"), "def frobnicate_mail():\n    pass\n").unwrap();
    fs::remove_file(root.join("src/cache.py")).unwrap();
    fs::write(root.join(".gitignore"), "secret.py\n").unwrap();
    fs::write(root.join("secret.py"), "def frobnicate_secret(): pass\n").unwrap();
    env.orch(&root, &["context", "frobnicate"]).exits(78).says("what is not committed is not seen");
    let asked = |words: &[&str]| {
        let said = env.orch(&root, &[&["context", "--json", "--worktree"], words].concat()).exits(0).json();
        assert_eq!(said["of"], "working-tree");
        said
    };
    let found = asked(&["frobnicate"]);
    let mut names = paths(&found);
    names.sort_unstable();
    assert_eq!(names, ["src/fresh.py", "src/mail.py"]);
    env.orch(&root, &["context", "items", "pop"]).exits(0).says("src/cache.py");
    env.orch(&root, &["context", "--worktree", "items", "pop"]).exits(78);
    // Pieces cite what is on the disk.
    let pack = asked(&["--pack", "2000", "frobnicate", "widget"]);
    let text = pack["parts"][0]["text"].as_str().unwrap();
    assert!(text.contains("def frobnicate(widget)"), "{text}");
    // Nothing of it is kept.
    let said = env.orch(&root, &["context", "--json", "evict"]).exits(0).json();
    assert_eq!((&said["of"], &said["index"]["read"]), (&"commit".into(), &0.into()));
    env.orch(&root, &["context", "--worktree", "--at", "HEAD", "x"]).exits(2);
}

#[test]
fn a_small_commit_adds_a_part_and_a_spoiled_part_is_made_anew() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    let parts = || {
        let folder = root.join(".git/orch/index.bin.d");
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let ask = || env.orch(&root, &["context", "evict", "the", "oldest"]).exits(0);
    ask();
    let first = parts();
    assert_eq!(first.len(), 2);
    let mut texts: Vec<Vec<u8>> = first.iter().map(|path| fs::read(path).unwrap()).collect();
    for round in 0..20 {
        let text = format!("def evict_{round}(cache):\n    cache.evict({round})\n");
        commit(&env, &root, "src/lru.py", text.as_bytes(), &format!("evict the oldest {round}"));
        ask();
        let now = parts();
        if round == 0 {
            // What was there stays as it was; the commit added its own.
            assert_eq!(now.len(), 4);
            assert!(first.iter().all(|path| now.contains(path)));
            let same: Vec<Vec<u8>> = first.iter().map(|path| fs::read(path).unwrap()).collect();
            assert_eq!(same, std::mem::take(&mut texts));
        }
        // Those of this state and of the one before, which somebody may be reading.
        assert!(now.len() <= 2 * (16 + 9), "{}", now.len());
    }
    let grown = env.orch(&root, &["context", "--json", "evict", "the", "oldest"]).exits(0).json();
    let fresh =
        env.orch(&root, &["context", "--json", "--no-cache", "evict", "the", "oldest"]).exits(0).json();
    assert_eq!(grown["files"], fresh["files"]);
    for path in parts().into_iter().take(1) {
        let mut bytes = fs::read(&path).unwrap();
        bytes[3] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    for path in parts().into_iter().skip(1) {
        fs::remove_file(path).unwrap();
    }
    let said = ask();
    assert!(said.stderr.contains("made anew"), "{}", said.stderr);
    assert!(!ask().stderr.contains("made anew"));
}
