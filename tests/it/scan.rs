//! `orch util scan`: facts of a folder, the same whatever the number of threads.

use std::fs;

use crate::env::TestEnv;

/// A password nobody chose, made here so that none stands in this file.
fn made_up(seed: usize) -> String {
    let mut state = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"bQ7xVz2kWj9hRq4mTd"[usize::try_from(state >> 33).unwrap_or_default() % 18]
    };
    (0..16).map(|_| char::from(next())).collect()
}

#[test]
fn a_folder_is_scanned_alike_on_any_number_of_threads() {
    let env = TestEnv::new();
    let folder = env.path("tree");
    for nth in 0..120 {
        let below = folder.join(format!("src/{}", nth % 7));
        fs::create_dir_all(&below).unwrap();
        let text = format!("# file {nth}\npassword = '{}'\nowner = 'maria{nth}@posteo.de'\n", made_up(nth));
        fs::write(below.join(format!("{nth}.py")), text).unwrap();
    }
    let of = |threads: &str| {
        env.orch(&env.path("."), &["util", "scan", "tree", "--format", "json", "--threads", threads])
            .exits(0)
            .stdout
    };
    let one = of("1");
    assert_eq!(one.lines().count(), 240);
    for nth in 0..120 {
        assert!(!one.contains(&made_up(nth)), "the password of file {nth} is shown");
    }
    for threads in ["2", "5"] {
        assert_eq!(of(threads), one);
    }
    let first: serde_json::Value = serde_json::from_str(one.lines().next().unwrap()).unwrap();
    assert_eq!((first["code"].as_str(), first["line"].as_u64()), (Some("secrets/password"), Some(2)));
}

#[test]
fn what_cannot_be_scanned_is_an_error() {
    let env = TestEnv::new();
    env.orch(&env.path("."), &["util", "scan", "nowhere"]).exits(2).says("no folder nowhere");
    env.orch(&env.path("."), &["util", "scan", ".", "--scanner", "nothing"])
        .exits(2)
        .says("no scanner `nothing`");
}
