//! Fixes of made-up verdicts over files in memory and in a folder.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::artifact::digest::Digest;
use crate::artifact::types::policy_input::Subject;
use crate::artifact::types::verdict::{Decision, Effect, Severity};
use crate::edit::apply::apply;

/// A password made for tests.
const PASSWORD: &str = "xK9#mQ2vLp8$wRt5";

#[derive(Default)]
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    committed: Vec<String>,
}

impl Memory {
    fn with(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        Self { files, committed: Vec::new() }
    }
}

impl Files for Memory {
    fn read(&self, path: &str) -> Option<(Vec<u8>, FileMode)> {
        self.files.get(path).map(|bytes| (bytes.clone(), FileMode::Regular))
    }

    fn is_committed(&self, path: &str) -> bool {
        self.committed.iter().any(|known| known == path)
    }
}

fn finding(code: &str, path: &str, line: Option<u32>, fingerprint: &str) -> Finding {
    Finding {
        code: code.into(),
        effect: Effect::Deny,
        severity: Severity::High,
        message: "m".into(),
        help: "h".into(),
        path: Some(path.into()),
        line,
        column: None,
        end_line: None,
        end_column: None,
        evidence: None,
        fingerprint: fingerprint.into(),
    }
}

fn verdict(kind: SubjectKind, findings: Vec<Finding>) -> Verdict {
    Verdict {
        subject: Subject { kind, base: None, head: None },
        decision: Decision::Deny,
        findings,
        set_aside: Vec::new(),
        bundle: Digest::of("b"),
        input: Digest::of("i"),
        rules: Vec::new(),
        skipped: Vec::new(),
    }
}

/// Findings as the rules make them of what scanners see.
fn seen(path: &str, text: &str) -> Vec<Finding> {
    let facts = look(path, text.as_bytes());
    facts.iter().map(|fact| finding(fact.code, path, Some(fact.line), &fact.fingerprint)).collect()
}

fn after(plan: &Plan, path: &str) -> String {
    let changes = plan.changes().unwrap();
    let change = changes.iter().find(|change| change.path.as_str() == path).unwrap();
    String::from_utf8(change.bytes().unwrap().unwrap()).unwrap()
}

fn shown(plan: &Plan) -> String {
    let mut out = Vec::new();
    plan.show(false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn an_environment_file_leaves_the_index_and_is_ignored() {
    let files = Memory::with(&[(".gitignore", "target\r\n*.log"), ("app/.env", "A=b\n")]);
    let judged = verdict(SubjectKind::Staged, vec![finding("secrets/env-file", "app/.env", Some(1), "f")]);
    let plan = plan(&judged, &files);
    assert_eq!(plan.unstage, ["app/.env"]);
    assert_eq!(after(&plan, ".gitignore"), "target\r\n*.log\r\n/app/.env\r\n");
    assert_eq!(plan.changes().unwrap().len(), 1);
    assert!(shown(&plan).contains("  --> .gitignore\n  + /app/.env\n"), "{}", shown(&plan));
}

#[test]
fn two_files_share_one_gitignore_and_no_line_comes_twice() {
    let files = Memory::with(&[(".env", "A=b\n"), ("k[1].pem", "x\n")]);
    let found = vec![
        finding("secrets/env-file", ".env", Some(1), "f"),
        finding("secrets/private-key", "k[1].pem", Some(1), "g"),
        finding("secrets/private-key", "k[1].pem", Some(9), "h"),
    ];
    let plan = plan(&verdict(SubjectKind::Work, found), &files);
    assert_eq!(after(&plan, ".gitignore"), "/.env\n/k\\[1].pem\n");
    assert!(plan.unstage.is_empty());
    assert_eq!((plan.fixes.len(), plan.left), (2, 0));
    let done = Memory::with(&[(".gitignore", "/.env\n"), (".env", "")]);
    let again = verdict(SubjectKind::Work, vec![finding("secrets/env-file", ".env", Some(1), "f")]);
    assert!(super::plan(&again, &done).changes().unwrap().is_empty());
}

#[test]
fn what_is_committed_is_left_to_a_person() {
    let mut files = Memory::with(&[(".env", "A=b\n")]);
    files.committed.push(".env".into());
    let judged = verdict(SubjectKind::Staged, vec![finding("secrets/env-file", ".env", Some(1), "f")]);
    let plan = plan(&judged, &files);
    assert!(plan.is_empty() && plan.unstage.is_empty());
    assert_eq!(plan.left, 1);
}

#[test]
fn of_other_subjects_nothing_is_mended() {
    let files = Memory::with(&[(".env", "A=b\n")]);
    for kind in
        [SubjectKind::Run, SubjectKind::Diff, SubjectKind::PullRequest, SubjectKind::Patch, SubjectKind::Tree]
    {
        let judged = verdict(kind, vec![finding("secrets/env-file", ".env", Some(1), "f")]);
        assert!(plan(&judged, &files).is_empty(), "{kind:?}");
    }
}

#[test]
fn hidden_characters_go_and_joiners_of_a_script_stay() {
    let text = "\u{feff}a\u{202e}b\nکتاب\u{200c}ها is\u{200d}Admin\r\nlast\u{200b}";
    let files = Memory::with(&[("a.txt", text)]);
    let found = (1..=3).map(|line| finding("content/hidden-unicode", "a.txt", Some(line), "f")).collect();
    let plan = plan(&verdict(SubjectKind::Work, found), &files);
    assert_eq!(after(&plan, "a.txt"), "\u{feff}ab\nکتاب\u{200c}ها isAdmin\r\nlast");
    assert!(shown(&plan).contains("a\\u{202e}b"), "{}", shown(&plan));
}

#[test]
fn a_literal_becomes_a_variable_and_is_never_shown() {
    for (path, text, expected) in [
        (
            "a.py",
            "import os\npassword = \"PW\"\nx = 1\n",
            Some("import os\npassword = os.environ[\"PASSWORD\"]\nx = 1\n"),
        ),
        ("a.py", "password = \"PW\"\n", None),
        (
            "a.js",
            "const dbPassword = 'PW'; // x\n",
            Some("const dbPassword = process.env.DB_PASSWORD; // x\n"),
        ),
        ("a.rb", "password = \"PW\"\n", Some("password = ENV.fetch(\"PASSWORD\")\n")),
        ("a.sh", "PASSWORD=\"PW\"\n", Some("PASSWORD=\"${PASSWORD:?}\"\n")),
        (
            "A.java",
            "  String password = \"PW\";\n",
            Some("  String password = System.getenv(\"PASSWORD\");\n"),
        ),
        (
            "a.go",
            "import \"os\"\n\tpassword := \"PW\"\n",
            Some("import \"os\"\n\tpassword := os.Getenv(\"PASSWORD\")\n"),
        ),
    ] {
        let text = text.replace("PW", PASSWORD);
        let files = Memory::with(&[(path, &text)]);
        let found = seen(path, &text);
        assert!(!found.is_empty(), "{path}: no scanner sees it");
        let plan = plan(&verdict(SubjectKind::Work, found), &files);
        match expected {
            Some(expected) => assert_eq!(after(&plan, path), expected),
            None => assert!(plan.changes().unwrap().is_empty()),
        }
        assert_eq!(plan.fixes.len(), 1, "{path}");
        let shown = shown(&plan);
        assert!(!shown.contains(PASSWORD) && shown.contains("********"), "{shown}");
    }
}

#[test]
fn applied_it_touches_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let code = format!("import os\r\na = 1\r\npassword = \"{PASSWORD}\"\r\nb = 2");
    let all = [
        (".env", "A=b\n"),
        ("src/a.py", code.as_str()),
        ("src/b.txt", "x\u{202e}y\n"),
        ("c.bin", "\u{0}\u{202e}"),
    ];
    for (path, text) in all {
        write(path, text);
    }
    let mut found = seen("src/a.py", &code);
    found.push(finding("secrets/env-file", ".env", Some(1), "f"));
    found.push(finding("content/hidden-unicode", "src/b.txt", Some(1), "f"));
    found.push(finding("content/hidden-unicode", "../out", Some(1), "f"));
    found.push(finding("paths/protected", "c.bin", None, "f"));
    let plan = plan(&verdict(SubjectKind::Work, found), &Memory::with(&all));
    apply(folder.path(), &plan.changes().unwrap()).unwrap();
    assert_eq!(plan.left, 2);
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    assert_eq!(read("src/a.py"), "import os\r\na = 1\r\npassword = os.environ[\"PASSWORD\"]\r\nb = 2");
    assert_eq!(read("src/b.txt"), "xy\n");
    assert_eq!((read(".env"), read("c.bin")), ("A=b\n".into(), "\u{0}\u{202e}".into()));
    assert_eq!(read(".gitignore"), "/.env\n");
    assert_eq!(names(folder.path()), [".env", ".gitignore", "c.bin", "src"]);
    assert_eq!(names(&folder.path().join("src")), ["a.py", "b.txt"]);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn other_lines_stay_as_they_are(
        lines in proptest::collection::vec("[^\n]{0,20}", 1..8),
        at in 0u32..10,
        code in prop_oneof![Just("content/hidden-unicode"), Just("secrets/env-file"), Just("secrets/password")],
    ) {
        let text = lines.join("\n");
        let files = Memory::with(&[("a.py", &text)]);
        let plan = plan(&verdict(SubjectKind::Work, vec![finding(code, "a.py", Some(at), "f")]), &files);
        for change in plan.changes().unwrap() {
            if change.path.as_str() == "a.py" {
                let after = String::from_utf8(change.bytes().unwrap().unwrap()).unwrap();
                let new: Vec<&str> = after.split('\n').collect();
                let old: Vec<&str> = text.split('\n').collect();
                prop_assert_eq!(new.len(), old.len());
                for (number, (old, new)) in old.iter().zip(&new).enumerate() {
                    prop_assert!(old == new || number + 1 == at as usize);
                }
            }
        }
    }
}
