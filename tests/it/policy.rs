//! The policy stage: rules with their tests, golden cases, and everything that must deny because it went wrong.

use orch::stage::policy::bundle::{Bundle, Sources};
use orch::stage::policy::tester;

#[test]
fn every_embedded_rule_loads() {
    let bundle = Bundle::parse(&Sources::embedded().unwrap());
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
