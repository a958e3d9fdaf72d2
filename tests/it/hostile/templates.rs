//! Templates of a repository that try to write where they must not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::env::{Said, TestEnv, files_below};

/// A template that a request `do WORD` takes; `files` is YAML.
fn template(root: &Path, word: &str, tests: &str, files: &str) {
    let folder = root.join(format!("own-{word}")).join(word);
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "name: {word}\nsummary: writes\nexamples: [do {word}]\nrequest:\n  all: [[do], [{word}]]\nvariants:\n  \
         - name: create\n    summary: Writes.\n    change_type: chore\n    scope: x\n    subject: write\n    \
         steps: [Write]\n    criteria: [{{ id: c1, text: it is there }}]\n    uncovered: {{ c1: nothing runs it }}\n    \
         exempt: Nothing runs it.\n    rollback: Revert.\n    tests: {tests}\n    files: {files}\n"
    );
    fs::write(folder.join("template.yml"), text).unwrap();
    fs::write(folder.join("text.j2"), "written\n").unwrap();
    fs::write(folder.join("key.j2"), crate::judge::shown::key() + "\n").unwrap();
    fs::write(folder.join("env.j2"), "API_TOKEN=0123456789abcdef\n").unwrap();
}

/// Makes this template the repository's only own one, and asks for it.
fn ask(env: &TestEnv, root: &Path, word: &str) -> Said {
    let config = format!("commands: {{ test: ['true'] }}\ntemplates: {{ folders: [own-{word}] }}\n");
    fs::write(root.join("orch.yml"), config).unwrap();
    env.orch(root, &["run", &format!("do {word}")])
}

/// A path that only rendering tells.
fn late(path: &str) -> String {
    format!("{{{{ {} }}}}", serde_json::to_string(path).unwrap())
}

fn one(path: &str, source: &str) -> String {
    format!("[{{ path: {}, source: {source} }}]", serde_json::to_string(path).unwrap())
}

/// Everything below the environment's folder but what a run may write.
fn world(env: &TestEnv, root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_below(&env.path(""));
    let own = root.file_name().unwrap().to_string_lossy().into_owned();
    files.remove(&format!("{own}/orch.yml"));
    files.retain(|path, _| !path.starts_with(&format!("{own}/artifacts/")) && !path.starts_with("tmp/orch-"));
    files
}

#[test]
fn templates_that_try_to_leave_the_repository_write_nothing() {
    let env = TestEnv::new();
    let root = env.repository(
        "service",
        &[("README.md", "# Service\n"), ("docs/Guide.md", "guide\n"), ("straße.md", "name\n")],
    );
    fs::create_dir(env.path("outside")).unwrap();
    std::os::unix::fs::symlink("../outside", root.join("link")).unwrap();
    std::os::unix::fs::symlink("docs/Guide.md", root.join("linked.md")).unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "links"]);
    let long = "x".repeat(300);
    let cases = [
        ("caseaa", "../outside/x", ""),
        ("caseab", "a/../../outside/x", ""),
        ("caseac", "/tmp/orch-hostile-x", ""),
        ("casead", ".git/hooks/pre-commit", ""),
        ("caseae", ".GIT/hooks/pre-commit", ""),
        ("caseaf", "sub/.git/config", ""),
        ("caseag", "git~1/config", ""),
        ("caseah", ".g\u{200c}it/config", ""),
        ("caseai", "link/x", "link"),
        ("caseaj", "linked.md", "linked.md"),
        ("caseak", "CON", ""),
        ("caseal", "aux.txt", ""),
        ("caseam", "name.", ""),
        ("casean", "name ", ""),
        ("caseao", "\u{ff0e}\u{ff0e}/x", ""),
        ("caseap", "\u{ff0e}git/config", ""),
        ("caseaq", "docs/GUIDE.md", "Guide.md"),
        ("casear", "DOCS/new.md", "docs"),
        ("caseas", "STRASSE.md", "straße.md"),
        ("caseat", "a\\..\\b", ""),
        ("caseau", "c:/x", ""),
        ("caseav", "a\u{202e}dm.x", ""),
        ("caseaw", "README.md/x", "README.md"),
        ("caseax", &long, ""),
        ("caseay", "", ""),
        ("caseaz", "a//b", ""),
        ("caseba", "x:stream", ""),
    ];
    for (word, path, _) in cases {
        template(&root, word, "[]", &one(&late(path), "text.j2"));
    }
    let before = world(&env, &root);
    let refs = env.git(&root, &["for-each-ref"]);
    for (word, path, named) in cases {
        let said = ask(&env, &root, word);
        assert!([2, 3].contains(&said.exit), "{path:?}: {}\n{}\n{}", said.exit, said.stdout, said.stderr);
        assert!(said.stderr.contains(named) && said.stderr.contains("help: "), "{path:?}: {}", said.stderr);
        assert_eq!(env.git(&root, &["for-each-ref"]), refs, "{path:?}");
    }
    assert_eq!(world(&env, &root), before, "nothing was written outside the run folders");
    assert!(!Path::new("/tmp/orch-hostile-x").exists());
}

#[test]
fn changes_that_break_the_rules_are_judged_and_make_no_ready_branch() {
    let env = TestEnv::new();
    let root = env.repository("service", &[("README.md", "# Service\n")]);
    let mut many = String::from("[");
    for n in 0..60 {
        write!(many, "{{ path: many/f{n:02}.txt, source: text.j2 }}, ").unwrap();
    }
    many.push(']');
    for (word, tests, files) in [
        ("caseda", "[]", one(".env", "env.j2")),
        ("casedb", "[]", one("keys/id_ed25519", "key.j2")),
        ("casedc", "[]", one("notes/today.txt", "key.j2")),
        ("casedd", "[]", one(".github/workflows/x.yml", "text.j2")),
        ("casede", "[]", many),
        ("casedf", &one("tests/test_x.py", "text.j2"), one("tests/test_x.py", "env.j2")),
        ("casedh", "[]", one("orch.yml", "text.j2")),
        ("casedi", "[]", one(".orch/workflows/change.yml", "text.j2")),
    ] {
        template(&root, word, tests, &files);
    }
    let before = world(&env, &root);
    for (word, exits) in [
        ("caseda", vec![3]),
        ("casedb", vec![3]),
        ("casedc", vec![3]),
        ("casedd", vec![3, 4]),
        ("casede", vec![4]),
        ("casedf", vec![2, 3]),
        ("casedh", vec![0, 3, 4]),
        ("casedi", vec![3, 4]),
    ] {
        let said = ask(&env, &root, word);
        assert!(exits.contains(&said.exit), "{word}: {}\n{}\n{}", said.exit, said.stdout, said.stderr);
    }
    let mut after = world(&env, &root);
    after.retain(|path, _| {
        !path.contains(".git/objects/") && !path.contains("/refs/") && !path.contains("/logs/")
    });
    let mut before = before;
    before.retain(|path, _| after.contains_key(path));
    assert_eq!(after, before, "nothing but a draft branch was written");
}
