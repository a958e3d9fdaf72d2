//! The pages about policy say what the program does: the example and the tables are made from it.
//!
//! `ORCH_UPDATE_DOCS=1 cargo test --test it policy::reference` writes them again.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use orch::stage::policy::bundle::{Bundle, Sources};
use orch::stage::policy::cfg;

use super::support::Case;

const PAGE: &str = "docs/reference/policy-input.md";

/// The text between the marks `<!-- name -->` and `<!-- end -->`, replaced by `content`.
fn filled(page: &str, name: &str, content: &str) -> String {
    let start = format!("<!-- {name} -->\n");
    let (head, rest) = page.split_once(&start).unwrap_or_else(|| panic!("{PAGE} has no {start}"));
    let (_, tail) = rest.split_once("<!-- end -->").expect("the mark is closed");
    format!("{head}{start}\n{content}\n<!-- end -->{tail}")
}

fn example() -> String {
    let mut input = serde_json::to_value(Case::default().input()).unwrap();
    // Settings have a table of their own, and lists of patterns are long.
    let settings = input["settings"].as_object_mut().unwrap();
    settings.retain(|_, value| value.as_array().is_none_or(|list| list.len() <= 3));
    format!("```json\n{}\n```\n", serde_json::to_string_pretty(&input).unwrap())
}

fn settings() -> String {
    let mut text = String::from("| setting | default | meaning |\n|---|---|---|\n");
    for setting in cfg::defaults() {
        let default = match setting.default.as_array() {
            Some(list) => format!("{} globs", list.len()),
            None => setting.default.to_string(),
        };
        let _ = writeln!(text, "| `{}` | {default} | {} |", setting.name, setting.about);
    }
    text
}

fn rules() -> String {
    let bundle = Bundle::parse(&Sources::embedded().unwrap());
    let mut text = String::from("| code | effect | what holds |\n|---|---|---|\n");
    for rule in &bundle.rules {
        let data = &rule.metadata;
        let effect = serde_json::to_value(data.effect).unwrap();
        let locked = if data.locked { ", fixed" } else { "" };
        let page = format!("../codes/{}.md", data.code);
        let _ = writeln!(
            text,
            "| [{}]({page}) | {}{locked} | {} |",
            data.code,
            effect.as_str().unwrap(),
            data.title
        );
    }
    text
}

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let mut want = page.clone();
    for (name, content) in [("example", example()), ("settings", settings()), ("rules", rules())] {
        want = filled(&want, name, &content);
    }
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the program")]
    if std::env::var_os("ORCH_UPDATE_DOCS").is_some() {
        fs::write(&path, &want).unwrap();
        return;
    }
    assert!(
        page == want,
        "{PAGE} is out of date; run ORCH_UPDATE_DOCS=1 cargo test --test it policy::reference"
    );
}

#[test]
fn the_document_fits_its_schema() {
    let schema = schemars::schema_for!(orch::artifact::types::policy_input::PolicyInput).to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let input = serde_json::to_value(Case::default().input()).unwrap();
    assert!(validator.is_valid(&input), "{:?}", validator.iter_errors(&input).next());
}

#[test]
fn the_rule_of_the_how_to_page_works_as_the_page_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/how-to/add-a-policy-rule.md");
    let page = fs::read_to_string(path).unwrap();
    let blocks: Vec<&str> =
        page.split("```rego\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [rule, test] = blocks.as_slice() else { panic!("the page shows a rule and its test") };
    let files =
        [("rules/team/no-debug/no-debug.rego", rule), ("rules/team/no-debug/no-debug_test.rego", test)];
    let sources = Sources::of(
        files
            .iter()
            .map(|(name, text)| orch::stage::policy::bundle::SourceFile {
                name: (*name).into(),
                bytes: Some(text.as_bytes().to_vec()),
            })
            .collect(),
    )
    .unwrap();
    assert!(Bundle::parse(&sources).broken.is_empty(), "{:?}", Bundle::parse(&sources).broken);
    let outcomes = orch::stage::policy::tester::run(&sources);
    assert!(outcomes.len() >= 2 && outcomes.iter().all(|o| o.failure.is_none()), "{outcomes:#?}");
    let mut case = Case::default();
    case.base(files[0].0, rule);
    case.config.policy.packs = vec!["rules".into()];
    case.edit("src/a.py", "x = 1\nbreakpoint()\n");
    let findings = case.verdict().findings;
    assert!(findings.iter().any(|f| f.code == "team/no-debug" && f.line == Some(2)), "{findings:#?}");
}
