//! Every format against the same verdicts: what they look like, and what hostile text makes of them.

use clap::ValueEnum as _;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::artifact::digest::Digest;
use crate::artifact::types::policy_input::{Subject, SubjectKind};
use crate::artifact::types::verdict::{SetAside, SkippedRule};
use crate::diagnostic::text::is_hidden;

fn finding(code: &str, effect: Effect, message: &str, path: Option<&str>, line: Option<u32>) -> Finding {
    Finding {
        code: code.into(),
        effect,
        severity: match effect {
            Effect::Deny => Severity::Critical,
            Effect::RequireApproval => Severity::High,
            Effect::Warn => Severity::Low,
        },
        message: message.into(),
        help: "Take it out.".into(),
        path: path.map(str::to_owned),
        line,
        column: None,
        end_line: None,
        end_column: None,
        evidence: None,
        fingerprint: "0123456789abcdef01234567".into(),
    }
}

fn verdict(findings: Vec<Finding>) -> Verdict {
    let decision = findings.iter().map(|f| f.effect.decision()).max().unwrap_or(Decision::Allow);
    Verdict {
        subject: Subject { kind: SubjectKind::Staged, base: None, head: None },
        decision,
        findings,
        set_aside: Vec::new(),
        bundle: Digest::of("bundle"),
        input: Digest::of("input"),
        rules: vec!["paths/protected".into(), "secrets/env-file".into(), "secrets/private-key".into()],
        skipped: Vec::new(),
    }
}

/// A verdict with some of everything.
fn some() -> Verdict {
    let mut key =
        finding("secrets/private-key", Effect::Deny, "A private key", Some("deploy/key.pem"), Some(3));
    (key.column, key.end_line, key.end_column) = (Some(1), Some(29), Some(30));
    key.evidence = Some(MASK.into());
    let mut token =
        finding("secrets/password", Effect::Deny, "A password", Some("src/日本/a b.py"), Some(12));
    (token.column, token.end_line, token.end_column) = (Some(14), Some(12), Some(54));
    token.evidence = Some("    token = \"********\"  # for CI".into());
    let mut trigger = finding(
        "acme/trigger",
        Effect::RequireApproval,
        "`pull_request_target` runs with secrets",
        Some(".github/workflows/ci.yml"),
        Some(4),
    );
    trigger.evidence = Some("on: [push, pull_request_target]".into());
    let size = finding("size/change", Effect::Warn, "The change has 900 lines", None, None);
    let mut verdict = verdict(vec![key, token, trigger, size]);
    verdict.set_aside = vec![SetAside {
        finding: finding(
            "secrets/env-file",
            Effect::Deny,
            "`.env` is an environment file",
            Some(".env"),
            None,
        ),
        by: AsideBy::Waiver,
        reason: "holds no secret, see #12".into(),
        until: Some("2027-01-31".into()),
    }];
    verdict.skipped = ["plan/high-risk", "plan/scope"]
        .map(|code| SkippedRule { code: code.into(), why: "there is no plan".into() })
        .into();
    verdict
}

/// Texts that mean something to a terminal, a runner, a browser, XML or Markdown.
const HOSTILE: [&str; 15] = [
    "\u{1b}[31mred\u{1b}]8;;http://evil\u{7}link",
    "\r\n::error file=x::owned",
    "::add-mask::a",
    "x ###[stop-commands]y",
    "a%0A::set-output name=x::y",
    "\u{202e}gnp.exe\u{2066}",
    "<script>alert(1)</script><img src=x onerror=y>",
    "]]></failure><testcase name='x'>",
    "| a | b |\n\n# head @octocat #1 http://evil www.evil.example [x](http://evil) ![y](//evil)",
    "`` ` ``` code ` <b>",
    "\u{0}\u{8}\u{b}\u{fffe}\u{ffff}\u{feff}",
    "[link](0) {0} {{1}}",
    "",
    "   ",
    "\u{e0041}\u{e0042} tags \u{200b}zero",
];

fn hostile() -> Vec<Verdict> {
    let long = "x".repeat(5_000);
    let texts = HOSTILE.iter().copied().chain([long.as_str()]);
    let mut verdicts: Vec<Verdict> = texts
        .map(|text| {
            let mut found = finding(text, Effect::Deny, text, Some(text), Some(1));
            (found.help, found.fingerprint) = (text.into(), text.into());
            (found.evidence, found.column, found.end_column) = (Some(text.into()), Some(1), Some(u32::MAX));
            let mut verdict = verdict(vec![found.clone()]);
            verdict.findings.push(finding(text, Effect::Warn, text, None, Some(0)));
            verdict.set_aside = vec![SetAside {
                finding: found,
                by: AsideBy::Shadow,
                reason: text.into(),
                until: Some(text.into()),
            }];
            verdict.rules.push(text.into());
            verdict.skipped = vec![SkippedRule { code: text.into(), why: text.into() }];
            verdict
        })
        .collect();
    verdicts.push(verdict(Vec::new()));
    verdicts
}

fn shown(verdict: &Verdict, format: VerdictFormat, options: &Options<'_>) -> String {
    let mut out = Vec::new();
    render(verdict, format, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn text(verdict: &Verdict, format: VerdictFormat) -> String {
    shown(verdict, format, &Options::default())
}

fn schema() -> jsonschema::Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/sarif/sarif-schema-2.1.0.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn complaints(schema: &jsonschema::Validator, text: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(text).unwrap();
    schema.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_format_is_what_it_was() {
    for format in VerdictFormat::value_variants() {
        let name = format.to_possible_value().unwrap().get_name().to_owned();
        let mut text = text(&some(), *format).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        if *format == VerdictFormat::Sarif {
            text = without_pages(&text);
        }
        insta::assert_snapshot!(name, text);
    }
    let colour = Options { colour: true, ..Options::default() };
    insta::assert_snapshot!("colour", shown(&some(), VerdictFormat::Human, &colour).replace('\u{1b}', "ESC"));
}

/// Pages of codes have tests of their own, and change often.
fn without_pages(sarif: &str) -> String {
    let mut document: Value = serde_json::from_str(sarif).unwrap();
    for rule in document["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        if rule["help"]["markdown"].is_string() {
            rule["help"] = serde_json::json!("...");
            rule["shortDescription"] = serde_json::json!("...");
            rule["fullDescription"] = serde_json::json!("...");
        }
    }
    serde_json::to_string_pretty(&document).unwrap()
}

#[test]
fn the_same_verdict_gives_the_same_bytes() {
    for format in VerdictFormat::value_variants() {
        assert_eq!(text(&some(), *format), text(&some(), *format));
    }
}

#[test]
fn nothing_found_is_one_line() {
    let mut verdict = verdict(Vec::new());
    assert_eq!(
        text(&verdict, VerdictFormat::Human),
        "allowed: nothing found; 3 rules asked about the staged change\n"
    );
    verdict.skipped = vec![SkippedRule { code: "plan/scope".into(), why: "there is no plan".into() }];
    assert_eq!(text(&verdict, VerdictFormat::Human).lines().count(), 1);
}

#[test]
fn hundreds_of_findings_are_short() {
    let many: Vec<Finding> = (1..=300)
        .map(|n| finding("acme/token", Effect::Deny, "A token", Some(&format!("src/{n}.py")), Some(n)))
        .chain((1..=300).map(|n| finding("size/change", Effect::Warn, "Large", Some("a"), Some(n))))
        .collect();
    let verdict = verdict(many);
    let short = text(&verdict, VerdictFormat::Human);
    assert!(short.lines().count() < 30, "{short}");
    insta::assert_snapshot!("many", short);
    let full = shown(&verdict, VerdictFormat::Human, &Options { full: true, ..Options::default() });
    assert_eq!(full.matches("src/300.py:300").count(), 1);
    let commands = text(&verdict, VerdictFormat::Github);
    assert_eq!(
        ["::error ", "::warning ", "::notice "]
            .map(|c| commands.lines().filter(|l| l.starts_with(c)).count()),
        [10, 0, 10]
    );
    assert!(
        commands.ends_with(
            "::notice title=orch policy::581 more findings have no annotation; the log lists all.\n"
        )
    );
}

#[test]
fn hostile_text_is_only_text_on_a_terminal() {
    for verdict in hostile() {
        for format in
            [VerdictFormat::Human, VerdictFormat::Github, VerdictFormat::Summary, VerdictFormat::Junit]
        {
            let text = text(&verdict, format);
            let bad: Vec<char> =
                text.chars().filter(|c| (c.is_control() && *c != '\n') || is_hidden(*c)).collect();
            assert!(bad.is_empty(), "{format:?}: {bad:?} in {text}");
        }
    }
}

#[test]
fn hostile_text_begins_no_command() {
    for verdict in hostile() {
        for format in VerdictFormat::value_variants() {
            let text = text(&verdict, *format);
            let commands: Vec<&str> =
                text.lines().filter(|line| line.trim_start().starts_with("::")).collect();
            assert!(!text.contains("##["), "{format:?}: {text}");
            if *format != VerdictFormat::Github {
                assert!(commands.is_empty(), "{format:?}: {commands:?}");
                continue;
            }
            for line in text.lines() {
                let ours = ["::error file=", "::error title=", "::notice title=", "::notice file="];
                assert!(ours.iter().any(|start| line.starts_with(start)), "{line}");
                // Nothing is decoded to a line end, and properties end where we end them.
                assert!(!line.contains("%0A") && !line.contains("%0D"), "{line}");
                let properties = line[2..].split("::").next().unwrap();
                for property in properties.split_once(' ').unwrap().1.split(',') {
                    let (name, _) = property.split_once('=').unwrap();
                    assert!(
                        ["file", "line", "endLine", "col", "endColumn", "title"].contains(&name),
                        "{line}"
                    );
                }
            }
        }
    }
}

#[test]
fn hostile_text_is_no_markup() {
    for verdict in hostile() {
        let junit = text(&verdict, VerdictFormat::Junit);
        let document = roxmltree::Document::parse(&junit).unwrap_or_else(|e| panic!("{e}: {junit}"));
        let names: std::collections::BTreeSet<&str> =
            document.descendants().filter(roxmltree::Node::is_element).map(|n| n.tag_name().name()).collect();
        let ours = ["failure", "skipped", "system-out", "testcase", "testsuite", "testsuites"];
        assert!(names.iter().all(|name| ours.contains(name)), "{names:?}");
        let summary = text(&verdict, VerdictFormat::Summary);
        let mut rest = summary.clone();
        for tag in ["<br>", "<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>"] {
            rest = rest.replace(tag, "");
        }
        for bad in ["<", "@", "](", "http:", "https:", "www.", "`", "![", "]:"] {
            assert!(!rest.contains(bad), "{bad} in {rest}");
        }
        for row in summary.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.matches('|').count(), 5, "{row}");
        }
        assert!(summary.lines().filter(|line| line.starts_with('#')).count() == 1, "{summary}");
    }
}

#[test]
fn sarif_is_valid() {
    let schema = schema();
    assert!(!complaints(&schema, "{\"version\": \"2.1.0\"}").is_empty(), "the schema refuses nothing");
    let repository = Options { repository: Some("https://github.com/acme/app"), ..Options::default() };
    for verdict in hostile().into_iter().chain([some()]) {
        for options in [Options::default(), repository] {
            let text = shown(&verdict, VerdictFormat::Sarif, &options);
            assert_eq!(complaints(&schema, &text), Vec::<String>::new(), "{text}");
        }
    }
}

#[test]
fn sarif_holds_what_github_asks_for() {
    let document: Value = serde_json::from_str(&text(&some(), VerdictFormat::Sarif)).unwrap();
    let run = &document["runs"][0];
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        for text in ["/shortDescription/text", "/fullDescription/text", "/help/text"] {
            let text = rule.pointer(text).and_then(Value::as_str).unwrap_or_default();
            assert!(!text.is_empty(), "{rule}");
        }
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 20);
    }
    for result in run["results"].as_array().unwrap() {
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        assert!(result["partialFingerprints"]["orchFingerprint/v1"].is_string());
    }
    let suppressed = |options: &Options<'_>| {
        let document: Value = serde_json::from_str(&shown(&some(), VerdictFormat::Sarif, options)).unwrap();
        let results = document["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().filter(|result| !result["suppressions"].is_null()).count()
    };
    assert_eq!(suppressed(&Options::default()), 1);
    assert_eq!(suppressed(&Options { set_aside: false, ..Options::default() }), 0);
}

#[test]
fn a_summary_stays_below_what_github_takes() {
    let wide = "#@:|".repeat(10_000);
    let many = (1..=500).map(|n| finding(&wide, Effect::Deny, &wide, Some(&wide), Some(n))).collect();
    let mut verdict = verdict(many);
    verdict.set_aside = verdict
        .findings
        .iter()
        .map(|f| SetAside { finding: f.clone(), by: AsideBy::Baseline, reason: wide.clone(), until: None })
        .collect();
    verdict.skipped =
        (0..500).map(|n| SkippedRule { code: wide.clone(), why: format!("{n}{wide}") }).collect();
    let text = text(&verdict, VerdictFormat::Summary);
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!(text.matches("<details>").count() == text.matches("</details>").count());
}

#[test]
fn columns_are_left_out_where_bytes_are_no_characters() {
    let mut found = finding("a/b", Effect::Deny, "m", Some("a"), Some(1));
    (found.column, found.end_column, found.evidence) = (Some(3), Some(5), Some("a bcd".into()));
    assert_eq!(columns(&found), Some((3, Some(5))));
    found.evidence = Some("a ********".into());
    assert_eq!(columns(&found), Some((3, None)));
    found.evidence = Some("ä bcd".into());
    assert_eq!(columns(&found), None);
    (found.evidence, found.column) = (Some("abc".into()), Some(500));
    assert_eq!(columns(&found), None);
}

#[test]
fn lines_are_looked_up_where_a_finding_brings_none() {
    struct Lines;
    impl SourceLines for Lines {
        fn line(&self, path: &str, line: u32) -> Option<String> {
            (path == "a.sh" && line == 2).then(|| "\trm -rf /".into())
        }
    }
    let mut found = finding("destructive/command", Effect::Deny, "It removes all", Some("a.sh"), Some(2));
    (found.column, found.end_column) = (Some(2), Some(10));
    let options = Options { source: Some(&Lines), ..Options::default() };
    let text = shown(&verdict(vec![found]), VerdictFormat::Human, &options);
    assert!(text.contains("2 | rm -rf /\n  | ^^^^^^^^\n"), "{text}");
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let effect = prop_oneof![Just(Effect::Warn), Just(Effect::RequireApproval), Just(Effect::Deny)];
    let word = || {
        prop_oneof![
            any::<String>(),
            "[a-z]{1,5}/[a-z]{1,5}",
            proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned)
        ]
    };
    let number = || any::<Option<u32>>();
    (
        effect,
        word(),
        word(),
        proptest::option::of(word()),
        proptest::option::of(word()),
        number(),
        number(),
        number(),
        number(),
    )
        .prop_map(|(effect, code, message, path, evidence, line, column, end_line, end_column)| {
            Finding {
                help: message.chars().rev().collect(),
                fingerprint: code.clone(),
                column,
                end_line,
                end_column,
                evidence,
                ..finding(&code, effect, &message, path.as_deref(), line)
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_verdict_has_every_form(findings in proptest::collection::vec(any_finding(), 0..6), full in any::<bool>(), width in 0usize..300) {
        thread_local! {
            static SCHEMA: jsonschema::Validator = schema();
        }
        let mut verdict = verdict(findings);
        verdict.set_aside = verdict.findings.iter().take(2).map(|f| SetAside {
            finding: f.clone(),
            by: AsideBy::NotYet,
            reason: f.message.clone(),
            until: None,
        }).collect();
        for format in VerdictFormat::value_variants() {
            let text = shown(&verdict, *format, &Options { width, full, ..Options::default() });
            match format {
                VerdictFormat::Sarif => {
                    let wrong = SCHEMA.with(|schema| complaints(schema, &text));
                    prop_assert!(wrong.is_empty(), "{:?}", wrong);
                }
                VerdictFormat::Json => {
                    prop_assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict.clone());
                }
                VerdictFormat::Junit => prop_assert!(roxmltree::Document::parse(&text).is_ok()),
                VerdictFormat::Github => prop_assert!(text.lines().all(|line| line.starts_with("::"))),
                VerdictFormat::Human | VerdictFormat::Summary => {}
            }
        }
    }
}
