//! `orch graph`: what depends on what, and how far a change reaches.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;

use orch::artifact::envelope::Envelope;
use orch::artifact::types::graph::RepositoryGraph;
use serde_json::Value;

use crate::env::TestEnv;

const FILES: &[(&str, &str)] = &[
    (".github/CODEOWNERS", "* @org/all\n/shop/ @org/shop\n"),
    ("CODEOWNERS", "* @nobody\n"),
    ("shop/__init__.py", ""),
    ("shop/core.py", "def price():\n    return 1\n"),
    ("shop/cart.py", "from .core import price\n\n\ndef total():\n    return price()\n"),
    ("shop/page.py", "from shop import cart\nfrom .gone import x\n"),
    ("tests/test_core.py", "from shop.core import price\n"),
    ("tests/test_cart.py", ""),
    ("README.md", "shop\n"),
];

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn a_working_tree_is_seen_where_it_is_asked_for() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    env.orch(&root, &["graph", "--json"]).exits(0);
    let cache = || fs::read(root.join(".git/orch/graph.bin")).unwrap();
    let before = cache();
    fs::write(
        root.join("shop/fresh.py"),
        "from .core import price\n\n\ndef discount():\n    return price()\n",
    )
    .unwrap();
    fs::write(root.join("shop/page.py"), "from . import fresh\n").unwrap();
    fs::remove_file(root.join("shop/cart.py")).unwrap();
    fs::write(root.join(".github/CODEOWNERS"), "* @org/new\n").unwrap();
    env.orch(&root, &["graph", "shop/fresh.py"]).exits(2).says("nothing there is called");
    let said = env.orch(&root, &["graph", "--json", "shop/core.py"]).exits(0).json();
    assert_eq!(
        (&said["of"], texts(&said["asked"][0]["modules"][0]["imported_by"])),
        (&"commit".into(), vec!["shop/cart.py"])
    );
    let said = env.orch(&root, &["graph", "--json", "--worktree", "shop/core.py"]).exits(0).json();
    assert_eq!(said["of"], "working-tree");
    assert_eq!(texts(&said["asked"][0]["modules"][0]["imported_by"]), ["shop/fresh.py"]);
    assert_eq!(texts(&said["asked"][0]["modules"][0]["owners"]), ["@org/new"]);
    assert_eq!(said["reach"]["levels"], serde_json::json!([["shop/fresh.py"], ["shop/page.py"]]));
    let said = env.orch(&root, &["graph", "--json", "--worktree", "discount"]).exits(0).json();
    assert_eq!(said["asked"][0]["modules"][0]["defines"], "shop/fresh.py:4");
    assert_eq!(
        env.orch(&root, &["graph", "--json", "--worktree"]).exits(0).json()["counts"]["unresolved"],
        0
    );
    // Nothing of it is kept, and no artifact says it is a tree of git.
    assert!(cache() == before);
    for other in [["--at", "HEAD"], ["--diff", "HEAD..HEAD"], ["--save", "g.json"]] {
        env.orch(&root, &[["graph", "--worktree"], other].concat()).exits(2);
    }
}

#[test]
fn a_file_a_folder_and_a_name_are_answered() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    let said = env.orch(&root, &["graph", "--json", "shop/core.py"]).exits(0).json();
    let module = &said["asked"][0]["modules"][0];
    assert_eq!(module["path"], "shop/core.py");
    assert_eq!(texts(&module["imported_by"]), ["shop/cart.py"]);
    assert_eq!(texts(&module["tests"]), ["tests/test_core.py"]);
    assert_eq!(texts(&module["owners"]), ["@org/shop"]);
    assert_eq!(said["reach"]["levels"], serde_json::json!([["shop/cart.py"], ["shop/page.py"]]));
    assert_eq!(said["counts"]["unresolved"], 1);
    let shallow = env.orch(&root, &["graph", "--json", "--depth", "1", "shop/core.py"]).exits(0).json();
    assert_eq!(shallow["reach"]["modules"], 1);
    // By a name it defines, and all of a folder.
    let said = env.orch(&root, &["graph", "--json", "total"]).exits(0).json();
    assert_eq!(said["asked"][0]["modules"][0]["defines"], "shop/cart.py:4");
    assert_eq!(texts(&said["asked"][0]["modules"][0]["tests"]), ["tests/test_cart.py"]);
    let said = env.orch(&root, &["graph", "--json", "shop"]).exits(0).json();
    assert_eq!(said["asked"][0]["modules"].as_array().unwrap().len(), 4);
    env.orch(&root, &["graph", "shop/core.py"])
        .exits(0)
        .says("imported by: shop/cart.py")
        .says("owned by: @org/shop")
        .says("1 import that lead nowhere");
    let summary = env.orch(&root, &["graph"]).exits(0);
    assert!(summary.stdout.contains("6 modules, 2 of them tests"), "{}", summary.stdout);
    env.orch(&root, &["graph", "shop/coer.py"]).exits(2).says("shop/core.py");
    env.orch(&root, &["graph", "README.md"]).exits(2).says("is no module");
    let dot = env.orch(&root, &["graph", "--dot", "shop/core.py"]).exits(0);
    assert!(dot.stdout.contains("\"shop/cart.py\" -> \"shop/core.py\";"), "{}", dot.stdout);
    assert!(!dot.stdout.contains("page.py"), "{}", dot.stdout);
}

#[test]
fn a_change_is_told_by_what_depends_on_it_before() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    fs::write(root.join("shop/core.py"), "def price():\n    return 2\n").unwrap();
    // What the change itself takes away from the importers does not make it reach less.
    fs::write(root.join("shop/page.py"), "").unwrap();
    fs::write(root.join("tests/test_new.py"), "").unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "change"]);
    let said = env.orch(&root, &["graph", "--json", "--diff", "HEAD~1..HEAD"]).exits(0).json();
    assert_eq!(texts(&said["modules"]), ["shop/core.py", "shop/page.py"]);
    let radius = &said["radius"];
    assert_eq!((&radius["direct"], &radius["dependents"]), (&1.into(), &1.into()));
    assert_eq!(radius["tests"], serde_json::json!({ "covering": 1, "changed": 1 }));
    assert_eq!(texts(&radius["owners"]), ["@org/all", "@org/shop"]);
    env.orch(&root, &["graph", "--diff", "HEAD~1"]).exits(0).says("1 module may be reached");
    env.orch(&root, &["graph", "--diff", "..HEAD"]).exits(2).says("is no range of commits");
}

#[test]
fn the_artifact_is_the_same_from_a_cache_and_from_a_spoiled_one() {
    let env = TestEnv::new();
    let root = env.repository("r", FILES);
    let save = |name: &str, more: &[&str]| {
        let path = env.path(name);
        let args = [&["graph", "--json", "--save", path.to_str().unwrap()], more].concat();
        let said = env.orch(&root, &args).exits(0).json();
        (fs::read(path).unwrap(), said["read_now"].as_u64().unwrap())
    };
    let (fresh, read) = save("a/graph.json", &["--no-cache"]);
    // Two empty files are one blob.
    assert_eq!(read, 5);
    assert_eq!(save("b.json", &[]), (fresh.clone(), 5));
    assert_eq!(save("c.json", &[]), (fresh.clone(), 0));
    let cache = root.join(".git/orch/graph.bin");
    let whole = fs::read(&cache).unwrap();
    for at in [0, 9, whole.len() / 2, whole.len() - 1] {
        let mut spoiled = whole.clone();
        spoiled[at] ^= 1;
        fs::write(&cache, spoiled).unwrap();
        assert_eq!(save("d.json", &[]), (fresh.clone(), 5), "a flipped bit at {at}");
        assert_eq!(fs::read(&cache).unwrap(), whole);
    }
    let read: Envelope<RepositoryGraph> = Envelope::from_bytes(&fresh).unwrap();
    assert_eq!(read.body.modules.len(), 6);
    // Only what changed is read again.
    fs::write(root.join("shop/core.py"), "import shop.page\n").unwrap();
    env.git(&root, &["commit", "-q", "-a", "-m", "change"]);
    assert_eq!(save("e.json", &[]).1, 1);
}

#[test]
fn a_wide_change_needs_approval_where_a_limit_says_so() {
    let env = TestEnv::new();
    let settings = "policy:\n  settings:\n    blast_radius_approve: 0\n    blast_radius_warn: 0\n";
    let root = env.repository("r", &[FILES, &[("orch.yml", settings)]].concat());
    fs::write(root.join("shop/core.py"), "def price():\n    return 2\n").unwrap();
    let args = ["stage", "policy", "--work", "--format", "json"];
    let said = env.orch(&root, &args).exits(4).json();
    let codes: Vec<&str> =
        said["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["paths/blast-radius"], "{said:#}");
    assert!(said["findings"][0]["message"].as_str().unwrap().contains("as shop/cart.py"));
    // What nothing imports is allowed, and what is no source is not looked at.
    env.git(&root, &["checkout", "-q", "."]);
    fs::write(root.join("shop/page.py"), "import os\n").unwrap();
    env.orch(&root, &args).exits(0);
    // With the limits as they are, a small repository is not looked at, and the verdict says so.
    fs::write(root.join("orch.yml"), "policy: {}\n").unwrap();
    env.git(&root, &["commit", "-q", "-a", "-m", "limits"]);
    fs::write(root.join("shop/core.py"), "def price():\n    return 3\n").unwrap();
    let said = env.orch(&root, &args).exits(0).json();
    let skipped =
        said["skipped"].as_array().unwrap().iter().find(|rule| rule["code"] == "paths/blast-radius");
    assert!(skipped.is_some(), "{said:#}");
}

#[test]
fn odd_trees_are_answered() {
    let env = TestEnv::new();
    let empty = env.repository("empty", &[]);
    env.orch(&empty, &["graph"]).exits(78);
    let root =
        env.repository("odd", &[("a.py", "import b\n"), ("b.py", ""), ("c.min.js", ""), ("d.py", "\0")]);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        fs::write(root.join(std::ffi::OsStr::from_bytes(b"odd\xff.py")), "import a\n").unwrap();
        env.git(&root, &["add", "-A"]);
        env.git(&root, &["commit", "-q", "-m", "odd"]);
    }
    let said = env.orch(&root, &["graph", "--json"]).exits(0).json();
    assert_eq!((&said["modules"], &said["counts"]["unread"]), (&3.into(), &1.into()), "{said:#}");
    let folder = env.path("kept");
    fs::create_dir_all(&folder).unwrap();
    env.orch(&root, &["graph", "--cache", folder.to_str().unwrap()]).exits(2).says("cannot write");
}
