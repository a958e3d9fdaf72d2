//! The policy stage: rules with their tests, golden cases, and everything that must deny because it went wrong.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod fail_closed;
mod golden;
mod reference;
mod stage;
pub(crate) mod support;

use std::collections::BTreeSet;

use orch::diagnostic::{Code, explain};
use orch::stage::policy::bundle::{Bundle, SourceFile, Sources};
use orch::stage::policy::cfg;
use orch::stage::policy::diags::Diag;
use orch::stage::policy::tester;

fn embedded() -> Bundle {
    Bundle::parse(&Sources::embedded().unwrap())
}

#[test]
fn every_embedded_rule_loads() {
    let bundle = embedded();
    assert!(bundle.broken.is_empty(), "{:#?}", bundle.broken);
    assert!(bundle.rules.len() >= 15);
}

#[test]
fn every_embedded_rule_has_tests_that_pass() {
    let sources = Sources::embedded().unwrap();
    let outcomes = tester::run(&sources);
    let failed: Vec<_> = outcomes.iter().filter(|o| o.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for file in sources.files().iter().filter(|f| !f.name.ends_with("_test.rego")) {
        let test = file.name.replace(".rego", "_test.rego");
        assert!(outcomes.iter().any(|o| o.file == test), "{test} is missing");
    }
}

#[test]
fn a_test_that_does_not_hold_is_not_passed() {
    let file = |name: &str, text: &str| SourceFile { name: name.into(), bytes: Some(text.into()) };
    let tests = "package a_test\n\nimport data.a\n\ntest_good if a.x == 1\n\ntest_false := false\n\ntest_undefined if a.x == 2\n\ntest_error if to_number(\"x\")\n";
    let files = [
        file("a.rego", "package a\n\nx := 1\n"),
        file("a_test.rego", tests),
        file("b_test.rego", "package b_test\n"),
    ];
    let outcomes = tester::run(&Sources::of(files.into()).unwrap());
    let passed: Vec<_> = outcomes.iter().filter(|o| o.failure.is_none()).map(|o| o.name.as_deref()).collect();
    assert_eq!((outcomes.len(), passed), (5, vec![Some("test_good")]), "{outcomes:#?}");
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let bundle = embedded();
    let mut raised: BTreeSet<Code> = bundle.rules.iter().map(|r| r.metadata.code.clone()).collect();
    raised.extend(Diag::ALL.iter().map(|d| d.as_str().parse::<Code>().unwrap()));
    let pages: BTreeSet<Code> = explain::codes()
        .into_iter()
        .filter(|code| !["lint", "release", "verify"].contains(&code.category()))
        .collect();
    assert_eq!(raised, pages);
}

#[test]
fn a_rule_is_where_its_code_says() {
    for rule in &embedded().rules {
        let (category, name) = (rule.metadata.code.category(), rule.metadata.code.rule());
        assert_eq!(rule.file, format!("orch:{category}/{name}/{name}.rego"));
        assert!(!rule.metadata.description.is_empty(), "{}", rule.file);
    }
}

#[test]
fn every_setting_is_read_by_a_rule_and_is_on_a_page() {
    let bundle = embedded();
    let read: BTreeSet<&str> = bundle.rules.iter().flat_map(|r| &r.settings).map(String::as_str).collect();
    let pages: String = explain::codes().iter().filter_map(explain::page).collect();
    for setting in cfg::defaults() {
        assert!(read.contains(setting.name), "no rule reads `{}`", setting.name);
        assert!(
            pages.contains(&format!("`{}`", setting.name)) || pages.contains(&format!(".{}`", setting.name))
        );
        assert!(!setting.about.is_empty());
    }
}
