//! `orch index`, and the workflow that keeps what it makes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::env::TestEnv;

const FILES: &[(&str, &str)] = &[
    ("shop/__init__.py", ""),
    ("shop/core.py", "def price():\n    return 1\n"),
    ("shop/cart.py", "from .core import price\n"),
];

#[test]
fn what_is_known_of_a_commit_is_kept_and_brought_up_to_date() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    let first = env.orch(&root, &["index", "--format", "json"]).exits(0).json();
    assert_eq!((&first["index"]["read"], &first["graph_read"]), (&3.into(), &3.into()), "{first:#}");
    let kept = root.join(".git/orch");
    for file in ["index.bin", "graph.bin", "graph.json"] {
        assert!(kept.join(file).is_file(), "{file}");
    }
    // The commands that ask find it there.
    let asked = env.orch(&root, &["context", "--json", "price"]).exits(0).json();
    assert_eq!(asked["index"]["read"], 0);
    let again = env.orch(&root, &["index", "--format", "json"]).exits(0).json();
    assert_eq!((&again["index"]["read"], &again["graph_read"]), (&0.into(), &0.into()));
    // An older state somewhere else is the base of a newer one.
    let other = env.path("restored");
    for (path, bytes) in crate::env::files_below(&kept) {
        fs::create_dir_all(other.join(&path).parent().unwrap()).unwrap();
        fs::write(other.join(&path), bytes).unwrap();
    }
    fs::write(root.join("shop/core.py"), "import shop.cart\n").unwrap();
    env.git(&root, &["commit", "-q", "-a", "-m", "change"]);
    let into = other.to_str().unwrap();
    let grown = env.orch(&root, &["index", "--into", into, "--format", "json"]).exits(0).json();
    assert_eq!((&grown["index"]["read"], &grown["graph_read"]), (&1.into(), &1.into()), "{grown:#}");
    let fresh = env.path("fresh");
    env.orch(&root, &["index", "--into", fresh.to_str().unwrap()]).exits(0).says("3 modules");
    assert_eq!(fs::read(other.join("graph.json")).unwrap(), fs::read(fresh.join("graph.json")).unwrap());
    assert_eq!(env.git(&root, &["status", "--porcelain"]), "");
    let file = env.path("file");
    fs::write(&file, "").unwrap();
    env.orch(&root, &["index", "--into", file.to_str().unwrap()]).exits(2).says("cannot write the index");
}

/// Commits files by one run of `git fast-import`: many are a pack, few are loose.
#[expect(clippy::unwrap_used, reason = "a test stops at the first fault")]
fn import(env: &TestEnv, root: &Path, subject: &str, files: &[(String, String)]) {
    let mut text = format!(
        "commit refs/heads/main\ncommitter t <t@example.invalid> 1700000000 +0000\ndata {}\n{subject}\n",
        subject.len()
    );
    if root.join(".git/refs/heads/main").is_file() {
        text += "from refs/heads/main^0\n";
    }
    for (path, content) in files {
        write!(text, "M 100644 inline {path}\ndata {}\n{content}\n", content.len()).unwrap();
    }
    let stream = env.path("stream");
    fs::write(&stream, text).unwrap();
    let mut git = env.command("git", root);
    git.args(["fast-import", "--quiet"]).stdin(fs::File::open(&stream).unwrap());
    assert!(git.status().unwrap().success());
}

#[test]
fn a_large_repository_is_read_as_its_packs_lie() {
    let env = TestEnv::new();
    let root = env.path("large");
    fs::create_dir_all(&root).unwrap();
    env.git(&root, &["init", "-q", "-b", "main"]);
    let files = |folder: &str, count: usize, beast: &str| {
        let file = |at: usize| {
            let word = if at == count / 2 { beast } else { "grass" };
            (format!("{folder}/{}/f{at}.rs", at % 90), format!("fn {folder}_{at}() {{ {word}() }}\n"))
        };
        (0..count).map(file).collect::<Vec<_>>()
    };
    import(&env, &root, "many", &files("plain", 12_100, "quagga"));
    import(&env, &root, "more", &files("forest", 150, "okapi"));
    import(&env, &root, "few", &files("swamp", 5, "tapir"));
    let packs = fs::read_dir(root.join(".git/objects/pack")).unwrap().flatten();
    assert_eq!(packs.filter(|entry| entry.path().extension().is_some_and(|end| end == "pack")).count(), 2);
    // One that is not there does not keep the others from being read.
    let gone = env.git(&root, &["rev-parse", "main:swamp/0/f0.rs"]);
    let (folder, name) = gone.trim().split_at(2);
    fs::remove_file(root.join(".git/objects").join(folder).join(name)).unwrap();
    let made = env.orch(&root, &["index", "--format", "json"]).exits(0).json();
    assert_eq!((&made["index"]["files"], &made["index"]["read"]), (&12_255.into(), &12_254.into()));
    assert_eq!(made["index"]["left_out"], serde_json::json!([["swamp/0/f0.rs", "not in this clone"]]));
    for (beast, path) in
        [("quagga", "plain/20/f6050.rs"), ("okapi", "forest/75/f75.rs"), ("tapir", "swamp/2/f2.rs")]
    {
        let asked = env.orch(&root, &["context", "--json", beast]).exits(0).json();
        assert_eq!(asked["files"][0]["path"], path, "{beast}");
        assert_eq!(asked["index"]["read"], 0);
    }
}

#[test]
fn indexing_is_a_pipeline_of_its_own() {
    let env = TestEnv::new();
    let both = "pipeline: x\nversion: 1\nsummary: x\nsteps:\n  - index: commit\n  - stage: intake\n";
    let root = env.repository("r", &[("both.yml", both), ("odd.yml", &both.replace("commit", "world"))]);
    env.orch(&root, &["compile", "both.yml", "--print"]).exits(2).says("beside other steps");
    env.orch(&root, &["compile", "odd.yml", "--print"]).exits(2);
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.github/workflows/indexing.yml")).unwrap();
    let workflow: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let jobs = workflow["jobs"].as_mapping().unwrap();
    assert_eq!(jobs.len(), 1);
    let job = &workflow["jobs"]["index"];
    // It holds none of the three powers: it reads contents, and takes what is in a cache.
    assert_eq!(serde_yaml::to_string(&job["permissions"]).unwrap(), "contents: read\n");
    assert!(!text.contains("secrets") && !text.contains("persist-credentials: true"));
    let steps = job["steps"].as_sequence().unwrap();
    let uses = |name: &str| {
        steps
            .iter()
            .position(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with(name)))
            .unwrap()
    };
    let (restore, save) = (uses("actions/cache/restore@"), uses("actions/cache/save@"));
    assert!(restore < uses("./.orch-action") && uses("./.orch-action") < save);
    assert_eq!(steps[restore]["with"]["key"], steps[save]["with"]["key"]);
    let key = steps[save]["with"]["key"].as_str().unwrap();
    assert!(key.starts_with(steps[restore]["with"]["restore-keys"].as_str().unwrap()));
    // No job of any workflow that holds a key or a token takes from a cache.
    for file in orch::compile::shipped(&orch::compile::Origin::Own).unwrap() {
        let other = file.name != "indexing.yml";
        assert!(!(other && file.text.contains("actions/cache")), "{}", file.name);
    }
}
