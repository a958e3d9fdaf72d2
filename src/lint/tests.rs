//! Every planted fault is found, every good workflow is quiet: the data is in tests/golden/lint.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::explain;

fn folder(name: &str) -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lint").join(name);
    let mut files = Files::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
    }
    files
}

fn said(outcome: &Outcome, path: &str) -> BTreeSet<String> {
    outcome.findings.iter().filter(|f| f.path.as_deref() == Some(path)).map(|f| f.code.clone()).collect()
}

/// The second line of each file says which codes it must raise; no more and no fewer.
#[test]
fn every_planted_fault_is_found() {
    let files = folder("bad");
    assert!(files.len() >= 40);
    let outcome = lint(&files, None);
    assert_eq!(outcome.unreadable, []);
    let mut wrong = Vec::new();
    for (path, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().nth(1).and_then(|line| line.strip_prefix("# expect: ")).unwrap();
        let wanted: BTreeSet<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = said(&outcome, path);
        if wanted != found {
            wrong.push(format!("{path}: wanted {wanted:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_has_a_bad_workflow_and_a_page() {
    let outcome = lint(&folder("bad"), None);
    let raised: BTreeSet<&str> = outcome.findings.iter().map(|f| f.code.as_str()).collect();
    let pages: BTreeSet<String> =
        explain::codes().iter().filter(|c| c.category() == "lint").map(ToString::to_string).collect();
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.code.to_owned()).collect();
    assert_eq!(rules, pages);
    for rule in RULES {
        assert!(raised.contains(rule.code), "nothing raises {}", rule.code);
        assert!(rule.help.ends_with('.'), "{}", rule.code);
    }
}

#[test]
fn good_workflows_are_quiet() {
    let files = folder("good");
    assert!(files.len() >= 20);
    let outcome = lint(&files, None);
    let told: Vec<String> = outcome
        .findings
        .iter()
        .map(|f| {
            format!(
                "{}:{} {} {}",
                f.path.as_deref().unwrap_or_default(),
                f.line.unwrap_or(0),
                f.code,
                f.message
            )
        })
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    assert_eq!(outcome.unreadable, []);
}

#[test]
fn what_is_no_workflow_is_said_so() {
    let files: Files =
        [("a.yml", "on: ["), ("b.yml", "a: 1\n"), ("c.yml", "on: push\njobs: {}\npermissions: {}\n")]
            .into_iter()
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
            .collect();
    let outcome = lint(&files, None);
    let paths: Vec<&str> = outcome.unreadable.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a.yml", "b.yml"]);
}

#[test]
fn a_comment_allows_one_finding_until_its_day() {
    let text = "on: push\npermissions: {}\njobs:\n  # orch:allow lint/timeout until=2026-12-31 it is waited for\n  a:\n    runs-on: x\n    steps:\n      - run: echo\n";
    let files: Files = [("a.yml".to_owned(), text.as_bytes().to_vec())].into();
    assert_eq!(lint(&files, Some("2026-12-31")).findings, []);
    assert_eq!(lint(&files, Some("2027-01-01")).findings.len(), 1);
}

proptest! {
    #[test]
    fn pieces_of_workflows_never_panic(pieces in proptest::collection::vec(prop::sample::select(vec![
        "on: ", "pull_request_target", "issue_comment", "\n", "jobs:\n", "  a:\n", "  b:\n", "    steps:\n", "      - run: ", "      - uses: ", "actions/checkout@v4", "        with: ",
        "{", "}", "[", "]", "${{ ", " }}", "github.head_ref", "    if: ", "'", "\"", "|\n", "secrets: inherit", "&a ", "*a", "é", "permissions: write-all", "    needs: [a]\n", "    env: ",
        ": ", "- ", "        ", "#", "inputs.x", "steps.x.outputs.y", "secrets.OPENAI_API_KEY", "git push ", "curl x | sh", "npm test || true", "concurrency: ", "    uses: ./x.yml\n", "\u{2028}",
    ]), 0..60)) {
        let text = pieces.concat();
        let whole = format!("on: issue_comment\njobs:\n  a:\n    steps:\n      - run: {text}");
        let files: Files = [("a.yml".to_owned(), text.into_bytes()), ("x.yml".to_owned(), whole.into_bytes())].into();
        let outcome = lint(&files, Some("2026-01-01"));
        prop_assert!(outcome.findings.iter().all(|f| f.line.unwrap() > 0));
    }
}
