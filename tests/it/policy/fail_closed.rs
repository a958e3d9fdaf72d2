//! Whatever goes wrong while judging denies, names the rule, and hides no other rule.

use std::time::{Duration, Instant};

use orch::artifact::types::policy_input::PolicyInput;
use orch::artifact::types::verdict::{Decision, Effect, Verdict};
use orch::stage::policy::bundle::{Bundle, SourceFile, Sources};
use orch::stage::policy::cfg::PolicyConfig;
use orch::stage::policy::check;
use orch::stage::policy::engine::Limits;
use proptest::prelude::*;

use super::support::Case;

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), bytes: Some(text.into()) }
}

fn metadata(code: &str, effect: &str) -> String {
    let package = format!("orch.{}", code.replace('/', ".").replace('-', "_"));
    format!(
        "# METADATA\n# title: T\n# custom: {{code: {code}, effect: {effect}, help: Do not.}}\npackage {package}\n"
    )
}

/// A rule that always finds something, to see that it is not hidden.
fn witness() -> SourceFile {
    let body = "deny contains \"the witness saw it\" if count(input.changes) > 0\n";
    file("packs/witness.rego", &format!("{}\n{body}", metadata("test/witness", "deny")))
}

fn input() -> PolicyInput {
    Case::default().input()
}

fn limits() -> Limits {
    Limits { rule: Duration::from_millis(500), total: Duration::from_secs(3), ..Limits::default() }
}

fn judged(files: Vec<SourceFile>, input: &PolicyInput) -> Verdict {
    let bundle = Bundle::parse(&Sources::of(files).unwrap());
    let config = PolicyConfig { settings: input.settings.clone(), ..PolicyConfig::default() };
    check(&config, &bundle, input, None, limits()).unwrap()
}

/// The verdict of one rule beside the witness: denied, with one error that says `want`, and the witness heard.
fn denied_for(text: &str, want: &str) {
    let verdict = judged(vec![file("packs/bad.rego", text), witness()], &input());
    assert_eq!(verdict.decision, Decision::Deny, "{text}");
    let errors: Vec<_> = verdict.findings.iter().filter(|f| f.code == "policy/rule-error").collect();
    assert_eq!(errors.len(), 1, "{text}\n{:#?}", verdict.findings);
    assert!(errors[0].message.contains(want), "{want:?} is not in {:?}", errors[0].message);
    assert!(errors[0].message.contains("bad"), "the rule is named: {:?}", errors[0].message);
    assert_eq!((errors[0].effect, errors[0].path.as_deref()), (Effect::Deny, Some("packs/bad.rego")));
    assert!(verdict.findings.iter().any(|f| f.message == "the witness saw it"), "the witness was hidden");
    assert!(verdict.rules.contains(&"test/witness".to_owned()));
}

fn bad(body: &str, want: &str) {
    denied_for(&format!("{}\n{body}\n", metadata("test/bad", "deny")), want);
}

/// What one rule says beside the witness: these messages and no error.
fn says(body: &str, want: &[&str]) {
    let text = format!("{}\n{body}\n", metadata("test/bad", "deny"));
    let verdict = judged(vec![file("packs/bad.rego", &text), witness()], &input());
    let messages: Vec<&str> =
        verdict.findings.iter().filter(|f| f.code != "test/witness").map(|f| f.message.as_str()).collect();
    assert_eq!(messages, want, "{body}");
    assert_eq!(verdict.rules, ["test/bad", "test/witness"], "{body}");
}

/// Where regorus alone would err or answer otherwise, rules of packs get OPA's answer.
#[test]
fn the_divergences_are_mended_in_the_stage_too() {
    says("deny contains input.changes[99].added[_].text", &[]);
    says("deny contains sprintf(\"%s\", [\"a\", \"b\"])", &["a%!(EXTRA string=b)"]);
    says("deny contains sprintf(\"%s %s\", [\"a\"])", &["a %!s(MISSING)"]);
    says("deny contains sprintf(\"%s\", [1])", &["%!s(int=1)"]);
    says("f(a, b) if a == b\n\ndeny contains \"x\" if not f(1, input.changes[99].path)", &[]);
    says("deny contains \"x\" if not startswith(input.changes[99].path, \"x\")", &[]);
    says("deny contains \"x\" if {\n\tword := concat(\"\", [\"te\", \"xt\"])\n\tsome x in word\n\tx\n}", &[]);
    bad("deny contains \"x\" if {\n\tsome x in input.task.title\n\tx\n}", "the input has no");
    says("deny contains rego.metadata.chain()[1].annotations.title", &["T"]);
    says(
        "deny contains crypto.sha256(\"x\")",
        &["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"],
    );
    says("deny contains \"x\" if net.cidr_intersects(\"10.0.0.0/8\", \"10.1.0.0/16\")", &["x"]);
    bad("deny contains \"x\" if not object.get(null, \"a\", 1) == 1", "object.get");
}

#[test]
fn what_cannot_be_loaded_denies() {
    denied_for("package orch.test.bad\n\ndeny contains \"bad\" if {{\n", "expecting");
    denied_for("package orch.test.bad\n\ndeny contains \"x\" if input.size.files > 0\n", "METADATA");
    denied_for(&format!("{}\nallow := true\n", metadata("test/bad", "deny")), "no rule");
    denied_for(&format!("{}\nwarn contains \"x\"\n", metadata("test/bad", "deny")), "custom.effect");
    denied_for(&metadata("test/bad", "deny").replace("test.bad", "test.good_bad"), "package");
    bad("deny := [\"x\"]", "contains");
    bad("deny if input.size.files > 0", "contains");
    bad("default deny := true", "contains");
    bad("deny[\"x\"] := 1 if input.size.files > 0", "contains");
}

#[test]
fn what_is_not_there_denies() {
    bad("deny contains \"x\" if input.chnages", "input.chnages");
    bad("deny contains \"x\" if {\n\tsome c in input.changes\n\tc.pth == \"a\"\n}", "input.changes[_].pth");
    bad("deny contains \"x\" if {\n\tc := input.changes[_]\n\tc.added[_].txt == \"a\"\n}", "txt");
    bad("deny contains \"x\" if input.tests.red.protection.netwrk.state == \"absent\"", "netwrk");
    bad("deny contains \"x\" if data.limits.files > 0", "data.limits.files");
    bad("import data.orch.lib.nothing\n\ndeny contains \"x\" if nothing.f(1)", "orch.lib.nothing");
    bad("deny contains \"x\" if input.settings.max_flies < input.size.files", "max_flies");
    bad("deny contains \"x\" if data.orch.test.witness.deny", "data.orch.test.witness.deny");
    bad("deny contains \"x\" if nonsense(input.task.title) == \"\"", "nonsense");
    bad("deny contains \"x\" if crypto.x509.parse_certificates(input.task.title)", "crypto.x509");
}

#[test]
fn what_reads_the_world_denies() {
    for call in [
        "http.send({\"url\": \"http://example.com\", \"method\": \"get\"})",
        "time.now_ns()",
        "opa.runtime()",
        "rand.intn(\"x\", 2)",
        "uuid.rfc4122(\"x\")",
    ] {
        let name = call.split('(').next().unwrap();
        bad(&format!("deny contains \"x\" if {{\n\tv := {call}\n\tv != v\n}}"), name);
    }
}

#[test]
fn what_fails_while_it_runs_denies() {
    bad("deny contains \"x\" if to_number(input.task.title) > 1", "");
    bad("deny contains \"x\" if 1 / (input.size.files - input.size.files) > 1", "divide");
    bad("deny contains \"x\" if regex.match(\"(\", input.task.title)", "");
    bad("deny contains \"x\" if glob.match(\"[\", [\"/\"], \"a\")", "glob");
}

#[test]
fn what_never_ends_denies() {
    let started = Instant::now();
    bad("f(x) := f(x + 1)\n\ndeny contains \"x\" if f(1)", "can call itself");
    bad("f(x) := g(x)\n\ng(x) := f(x) + 1\n\ndeny contains \"x\" if f(1)", "can call itself");
    bad(
        "f(x) := x\n\ng(x) := v if v := h(x) with f as g\n\nh(x) := f(x)\n\ndeny contains \"x\" if g(1)",
        "can call itself",
    );
    bad("p contains x if some x in p\n\ndeny contains \"x\" if count(p) > 0", "recursion");
    bad("deny contains \"x\" if count(deny) > 0", "recursion");
    bad(
        "n := numbers.range(1, 3000)\n\ndeny contains \"x\" if count([1 | some a in n; some b in n; some c in n; a + b == c]) < 0",
        "took longer than",
    );
    bad("deny contains \"x\" if count(numbers.range(1, 1000000000)) < 0", "numbers.range");
    bad(
        "x0 := [1 | some i in numbers.range(1, 9000); some j in numbers.range(1, 9000); i < j]\n\ndeny contains \"x\" if count(x0) < 0",
        "took longer than",
    );
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn deep_rules_have_an_end() {
    use std::fmt::Write as _;
    let chain = |length: usize| {
        let mut text = String::from("r0 := 1\n");
        for n in 1..length {
            let _ = writeln!(text, "\nr{n} := r{} + 1", n - 1);
        }
        format!("{text}\ndeny contains sprintf(\"%d\", [r{}])", length - 1)
    };
    bad(&chain(600), "more than 500");
    let long = format!("{}\n{}\n", metadata("test/bad", "deny"), chain(490));
    let verdict = judged(vec![file("packs/bad.rego", &long)], &input());
    assert_eq!(verdict.findings[0].message, "490");
}

#[test]
fn the_time_of_all_rules_is_bounded() {
    let slow = |n: usize| {
        let name = format!("test/slow{n}");
        let body = "n := numbers.range(1, 3000)\n\ndeny contains \"x\" if count([1 | some a in n; some b in n; some c in n; a + b == c]) < 0";
        file(&format!("packs/slow{n}.rego"), &format!("{}\n{body}\n", metadata(&name, "deny")))
    };
    let started = Instant::now();
    let verdict = judged((0..10).map(slow).collect(), &input());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(verdict.findings.iter().filter(|f| f.code == "policy/rule-error").count(), 10);
    assert!(verdict.findings.iter().any(|f| f.message.contains("time for all rules")));
    assert!(verdict.rules.is_empty());
}

#[test]
fn rules_that_take_too_much_memory_deny() {
    let greedy = "deny contains \"x\" if count([n | some i in numbers.range(1, 20000); n := numbers.range(i, i + 900)]) < 0";
    let text = format!("{}\n{greedy}\n", metadata("test/zz-bad", "deny"));
    let bundle = Bundle::parse(&Sources::of(vec![witness(), file("packs/bad.rego", &text)]).unwrap());
    let most = orch::rego::limit::used() + (40 << 20);
    let time = Duration::from_mins(1);
    let limits = Limits { rule: time, total: time, memory_bytes: most, ..limits() };
    let verdict = check(&PolicyConfig::default(), &bundle, &input(), None, limits).unwrap();
    let messages: Vec<&str> = verdict.findings.iter().map(|f| f.message.as_str()).collect();
    assert!(messages.contains(&"the witness saw it"), "{messages:?}");
    let told = messages.iter().any(|m| m.contains("`test/zz-bad`") && m.contains("used more than"));
    assert!(told && verdict.decision == Decision::Deny, "{messages:?}");
}

#[test]
fn a_builtin_that_does_not_come_back_denies() {
    // Finding every match of this pattern is quadratic, and the engine does not look at the clock meanwhile.
    let body = "s := concat(\"\", [\"AAAAAAAAAA\" | some _ in numbers.range(1, 6000)])\n\ndeny contains \"x\" if count(regex.find_n(`.*[^A-Z]|[A-Z]`, s, -1)) < 0";
    let text = format!("{}\n{body}\n", metadata("test/bad", "deny"));
    let bundle = Bundle::parse(&Sources::of(vec![witness(), file("packs/bad.rego", &text)]).unwrap());
    let input = input();
    let limits = Limits { rule: Duration::from_millis(300), total: Duration::from_millis(300), ..limits() };
    let verdict = check(&PolicyConfig::default(), &bundle, &input, None, limits).unwrap();
    assert_eq!(verdict.findings.iter().filter(|f| f.code == "policy/rule-error").count(), 2);
    assert_eq!((verdict.decision, verdict.rules.len()), (Decision::Deny, 0), "{:#?}", verdict.findings);
}

#[test]
fn what_answers_in_the_wrong_form_denies_and_the_rest_of_the_answer_counts() {
    for (element, want) in [
        ("1", "neither a string nor an object"),
        ("[\"x\"]", "neither a string nor an object"),
        ("{\"message\": \"x\"}", "has no `msg`"),
        ("{\"msg\": 1}", "`msg` that is not a string"),
        ("{\"msg\": \"x\", \"line\": \"1\"}", "`line` that is not"),
        ("{\"msg\": \"x\", \"line\": 0}", "`line` that is not"),
        ("{\"msg\": \"x\", \"line\": 1.5}", "`line` that is not"),
        ("{\"msg\": \"x\", \"path\": [\"a\"]}", "`path` that is not"),
        ("{\"msg\": \"x\", \"help\": null}", "`help` that is not"),
    ] {
        bad(&format!("deny contains {element}"), want);
        let both =
            format!("{}\nwarn contains \"good\"\n\ndeny contains {element}\n", metadata("test/bad", "deny"));
        let verdict = judged(vec![file("packs/bad.rego", &both)], &input());
        assert!(verdict.findings.iter().any(|f| f.message == "good"), "{element}");
    }
}

#[test]
fn broken_neighbours_and_libraries_are_contained() {
    let library = "package orch.lib.team\n\nok(x) if x == 1\n";
    let user = format!(
        "{}\nimport data.orch.lib.team\n\ndeny contains \"used\" if team.ok(1)\n",
        metadata("test/bad", "deny")
    );
    let verdict = judged(vec![file("packs/lib.rego", library), file("packs/bad.rego", &user)], &input());
    assert_eq!(verdict.findings.len(), 1, "{:#?}", verdict.findings);
    assert_eq!(verdict.findings[0].message, "used");

    let broken = library.replace("if x", "if {{ x");
    let verdict =
        judged(vec![file("packs/lib.rego", &broken), file("packs/bad.rego", &user), witness()], &input());
    let errors: Vec<_> = verdict.findings.iter().filter(|f| f.code == "policy/rule-error").collect();
    assert_eq!(errors.len(), 2, "{:#?}", verdict.findings);
    assert!(verdict.findings.iter().any(|f| f.message == "the witness saw it"));
}

#[test]
fn a_pack_cannot_replace_a_built_in_rule_nor_hide_behind_a_bad_file() {
    let empty =
        format!("{}\ndeny contains \"x\" if input.size.files < 0\n", metadata("secrets/env-file", "deny"));
    let files = [
        file("packs/env.rego", &empty),
        SourceFile { name: "packs/link.rego".into(), bytes: None },
        SourceFile { name: "packs/latin.rego".into(), bytes: Some(vec![0xff, 0xfe]) },
    ];
    let sources = Sources::embedded().unwrap().with(files).unwrap();
    let mut case = Case::default();
    case.edit(".env", "A=1\n");
    let input = case.input();
    let config = PolicyConfig { settings: input.settings.clone(), ..PolicyConfig::default() };
    let verdict = check(&config, &Bundle::parse(&sources), &input, None, Limits::default()).unwrap();
    let paths: Vec<_> =
        verdict.findings.iter().map(|f| (f.code.as_str(), f.path.as_deref().unwrap())).collect();
    assert_eq!(
        paths,
        [
            ("secrets/env-file", ".env"),
            ("policy/rule-error", "packs/env.rego"),
            ("policy/rule-error", "packs/latin.rego"),
            ("policy/rule-error", "packs/link.rego"),
        ]
    );
}

#[test]
fn a_document_that_is_too_large_denies_without_being_judged() {
    let input = input();
    let bundle = super::embedded();
    let config = PolicyConfig { settings: input.settings.clone(), ..PolicyConfig::default() };
    let limits = Limits { input_bytes: 1000, ..Limits::default() };
    let verdict = check(&config, &bundle, &input, None, limits).unwrap();
    assert_eq!(verdict.decision, Decision::Deny);
    assert_eq!(verdict.findings[0].code, "policy/input-too-large");
    assert!(verdict.rules.is_empty());
}

#[test]
fn a_huge_change_is_judged_in_time_or_denied() {
    let mut case = Case::default();
    let line = "let value = compute(1, 2, 3); // nothing to see here\n";
    case.edit("src/big.txt", &line.repeat(40_000));
    // That it returns at all is the point: the engine's own limits end it, whatever the machine does meanwhile.
    let verdict = case.verdict();
    assert_eq!(verdict.decision, Decision::Deny, "{:#?}", verdict.findings);
}

#[test]
fn the_order_of_files_does_not_matter() {
    let files = || vec![witness(), file("packs/a.rego", "package a {"), file("packs/b.rego", "package b {")];
    let mut reversed = files();
    reversed.reverse();
    assert_eq!(judged(files(), &input()), judged(reversed, &input()));
    let renamed = vec![SourceFile { name: "packs/other.rego".into(), ..witness() }];
    assert_ne!(Sources::of(vec![witness()]).unwrap().digest(), Sources::of(renamed).unwrap().digest());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_path_and_any_line_are_judged(
        path in "[\\PC&&[^\\\\:*?\"<>|]]{1,40}",
        text in any::<String>(),
        name in "[a-z]{1,5}(\\.[a-z]{1,4}){0,2}",
    ) {
        let mut case = Case::default();
        for path in [path, name] {
            let path = path.parse::<orch::artifact::path::RepoPath>().map(String::from);
            if let Ok(path) = path.as_deref()
                && path != "app.py"
            {
                case.edit(path, &text);
            }
        }
        case.edits.sort_by(|a, b| a.path.cmp(&b.path));
        case.edits.dedup_by(|a, b| a.path == b.path);
        let verdict = case.verdict();
        // A small repository has no blast radius, and the rule of it is told as skipped.
        let asked = verdict.rules.len() + verdict.skipped.len();
        prop_assert_eq!((asked, verdict.skipped.len()), (super::embedded().rules.len(), 1), "{:#?}", verdict.findings);
    }

    #[test]
    fn any_text_is_loaded_or_refused(text in any::<String>(), cut in 0_usize..400) {
        let good = format!("{}\ndeny contains \"x\" if count(input.changes) > 0\n", metadata("test/bad", "deny"));
        let at = good.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(good.len());
        for text in [text.clone(), format!("{}{text}{}", &good[..at], &good[at..])] {
            let bundle = Bundle::parse(&Sources::of(vec![file("packs/x.rego", &text)]).unwrap());
            prop_assert_eq!(bundle.rules.len() + bundle.broken.len(), 1);
        }
    }
}
