//! `orch policy check`, `test`, `eval` and `init` as a platform team meets them.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::env::{Said, TestEnv};

struct Case {
    env: TestEnv,
    root: PathBuf,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let env = TestEnv::new();
        let root = env.path("case");
        for (path, text) in files {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self { env, root }
    }

    fn orch(&self, args: &[&str]) -> Said {
        self.env.orch(&self.root, args)
    }
}

const V1: &str = r#"package main

import rego.v1

deny contains msg if {
	input.kind == "Deployment"
	not input.spec.safe
	msg := sprintf("%s is not safe", [input.name])
}

deny contains msg if {
	input.kind == "Deployment"
	input.replicas > 10
	msg := "too many replicas"
}

warn_size contains {"msg": "large", "_loc": {"file": "x.yaml", "line": 2}, "team": "a"} if input.size > 5
"#;

#[test]
fn counts_messages_and_exit_codes_are_those_of_conftest() {
    let case = Case::new(&[
        ("policy/a.rego", V1),
        ("bad.yaml", "kind: Deployment\nname: web\nsize: 9\n"),
        ("good.yaml", "kind: Deployment\nname: web\nspec: {safe: true}\n"),
        ("warned.yaml", "kind: Service\nsize: 9\n"),
    ]);
    let bad = case.orch(&["policy", "check", "bad.yaml"]).exits(1);
    assert_eq!(
        bad.stdout,
        "WARN - bad.yaml - main - large\nFAIL - bad.yaml - main - web is not safe\n\n3 tests, 1 passed, 1 warning, 1 failure, 0 exceptions\n"
    );
    let good = case.orch(&["policy", "check", "good.yaml"]).exits(0);
    assert_eq!(good.stdout, "\n3 tests, 3 passed, 0 warnings, 0 failures, 0 exceptions\n");
    for (file, flags, exit) in [
        ("bad.yaml", &["--fail-on-warn"][..], 2),
        ("warned.yaml", &["--fail-on-warn"], 1),
        ("warned.yaml", &[], 0),
        ("bad.yaml", &["--no-fail"], 0),
    ] {
        let args: Vec<&str> = ["policy", "check", file].iter().chain(flags).copied().collect();
        let _ = case.orch(&args).exits(exit);
    }
    let found = case.orch(&["policy", "check", "bad.yaml", "-o", "json"]).exits(1).json();
    assert_eq!(
        found[0]["warnings"][0],
        json!({ "msg": "large", "loc": { "file": "x.yaml", "line": 2 }, "metadata": { "query": "data.main.warn_size", "team": "a" } })
    );
}

#[test]
fn exceptions_namespaces_data_and_combine_work() {
    let case = Case::new(&[
        (
            "policy/a.rego",
            "package main\n\ndeny_root[msg] { input.root; msg := \"root\" }\n\ndeny_port[msg] { input.port == data.ports[_]; msg := sprintf(\"port %d in %s\", [input.port, data.conftest.file.name]) }\n\nexception[rules] { input.name == \"excused\"; rules := [\"root\"] }\n",
        ),
        ("policy/b.rego", "package team.web\n\nwarn[msg] { input.root; msg := \"web\" }\n"),
        (
            "policy/c.rego",
            "package all\n\ndeny[msg] { count(input) == 2; msg := concat(\",\", [f.path | f := input[_]]) }\n",
        ),
        ("data/ports.yaml", "ports: [22, 23]\n"),
        ("a.json", r#"{"root": true, "name": "excused", "port": 22}"#),
        ("b.json", r#"{"root": true, "name": "other", "port": 80}"#),
    ]);
    let said = case.orch(&["policy", "check", "a.json", "-d", "data"]).exits(1);
    assert_eq!(
        said.stdout,
        "FAIL - a.json - main - port 22 in a.json\nEXCP - a.json - main - data.main.exception[_][_] == \"root\"\n\n2 tests, 0 passed, 0 warnings, 1 failure, 1 exception\n"
    );
    let said = case.orch(&["policy", "check", "b.json", "-n", "team.*"]).exits(0);
    assert!(said.stdout.contains("WARN - b.json - team.web - web"), "{}", said.stdout);
    let said = case.orch(&["policy", "check", "a.json", "b.json", "--combine", "-n", "all"]).exits(1);
    assert!(said.stdout.contains("FAIL - Combined - all - a.json,b.json"), "{}", said.stdout);
    let said = case.orch(&["policy", "check", "b.json", "-n", "nobody"]).exits(0);
    assert!(said.stdout.contains("0 tests"), "{}", said.stdout);
    assert!(said.stderr.contains("judged"), "{}", said.stderr);
}

/// What cannot answer denies, and says which rule it was; the others still judge.
#[test]
fn what_does_not_answer_fails_with_its_name() {
    let good = "package main\n\nimport rego.v1\n\ndeny contains \"still here\" if input.a\n";
    for (broken, want) in [
        ("package main\n\nimport rego.v1\n\ndeny contains \"x\" if {\n", "cannot be used"),
        ("package main\n\nimport rego.v1\n\ndeny if input.a\n", "is no set"),
        (
            "package main\n\nimport rego.v1\n\ndeny contains \"x\" if { input.never; http.send({}).body }\n",
            "http.send",
        ),
        (
            "package main\n\nimport rego.v1\n\ndeny contains \"x\" if { input.never; time.now_ns() > 1 }\n",
            "`time.now_ns` in policy/a.rego:5, which reads the clock",
        ),
        (
            "package main\n\nimport rego.v1\n\ndeny contains \"x\" if { input.never; rand.intn(\"a\", 2) == 1 }\n",
            "`rand.intn` in policy/a.rego:5, which is chance",
        ),
        (
            "package main\n\nimport rego.v1\n\ndeny contains uuid.rfc4122(\"a\") if input.never\n",
            "`uuid.rfc4122` in policy/a.rego:5, which is chance",
        ),
        (
            "package main\n\nimport rego.v1\n\ndeny contains \"x\" if net.lookup_ip_addr(\"localhost\")\n",
            "reads the network",
        ),
        ("package main\n\nimport rego.v1\n\np := q\n\nq := p\n\ndeny contains \"x\" if p\n", "recurs"),
        ("package main\n\nimport rego.v1\n\ndeny contains x if some x in deny\n", "recurs"),
        (
            "package main\n\nimport rego.v1\n\nf(x) := g(x)\n\ng(x) := f(x) + 1\n\ndeny contains \"x\" if f(1) == 2\n",
            "can call itself",
        ),
        (
            "package main\n\nimport rego.v1\n\nhelp(x) if opa.runtime().env[x]\n\ndeny contains \"x\" if { input.never; help(\"a\") }\n",
            "opa.runtime",
        ),
        (
            "package main\n\nimport rego.v1\n\nf(x) := f(x)\n\ndeny contains \"x\" if f(1)\n",
            "can call itself",
        ),
        (
            "package main\n\nimport rego.v1\n\ndeny contains \"x\" if to_number(input.word) > 1\n",
            "did not answer",
        ),
        ("package main\n\nimport rego.v1\n\ndeny contains 7 if input.a\n", "neither a string nor an object"),
        ("package main\n\nimport rego.v1\n\ndeny contains {\"message\": \"x\"} if input.a\n", "no `msg`"),
        ("package main\n\nimport rego.v1\n\nwarn contains \"x\" if nonsense(1)\n", "nonsense"),
        (
            "package main\n\nimport rego.v1\n\ndeny contains \"x\" if count([1 | some a in numbers.range(1, 99999); some b in numbers.range(1, 99999); a == b]) < 0\n",
            "longer than",
        ),
        (
            "package main\n\nimport rego.v1\n\ndeny contains \"x\" if count(numbers.range(1, 900000000)) > 1\n",
            "at most",
        ),
    ] {
        let case = Case::new(&[
            ("policy/a.rego", broken),
            ("policy/b.rego", good),
            ("in.json", r#"{"a": true, "word": "w"}"#),
        ]);
        let said = case.orch(&["policy", "check", "in.json", "--timeout", "1"]).exits(1);
        assert!(said.stdout.contains(want), "{want} is not in:\n{}\n{broken}", said.stdout);
        // A neighbour in the same package still judges.
        assert!(said.stdout.contains("still here"), "{}\n{broken}", said.stdout);
    }
}

/// A rule that takes all memory is given up; what its neighbours said before counts.
#[test]
fn a_rule_that_takes_too_much_memory_fails_with_its_name() {
    let greedy = "package main\n\nimport rego.v1\n\ndeny contains \"x\" if count([n | some i in numbers.range(1, 900000); n := numbers.range(i, i + 900)]) < 0\n";
    let case = Case::new(&[
        ("policy/a.rego", V1),
        ("policy/b.rego", greedy),
        ("in.yaml", "kind: Deployment\nname: web\n"),
    ]);
    let check = ["policy", "check", "in.yaml", "--max-memory", "300", "--timeout", "60"];
    let said = case.orch(&check).exits(1).stdout;
    assert!(said.contains("web is not safe"), "{said}");
    assert!(said.contains("did not answer: the policies used more than 300 MB"), "{said}");
}

/// `with` takes a rule by its short name, from a file of the same package too; a function as well.
#[test]
fn a_rule_is_replaced_by_its_short_name() {
    let case = Case::new(&[
        (
            "p/a.rego",
            "package x\n\nimport rego.v1\n\naffected if input.a\n\nf(a) := a + 1\n\ntrack if {\n\taffected\n\tf(1) == 5\n}\n",
        ),
        (
            "p/a_test.rego",
            "package x\n\nimport rego.v1\n\nfive(_) := 5\n\ntest_on if track with affected as true with f as five\n\ntest_off if not track with affected as false with f as five\n\ntest_f if not track with affected as true\n",
        ),
    ]);
    let said = case.orch(&["policy", "test", "p", "--format", "json"]).exits(0).json();
    assert_eq!(said["passed"], json!(3), "{said}");
}

/// A rule that needs what a broken file of its package defines does not answer; one that does not need it does.
#[test]
fn a_broken_file_takes_only_what_needs_it() {
    let case = Case::new(&[
        (
            "policy/a.rego",
            "package main\n\nimport rego.v1\n\nsafe if input.never\n\ndeny_a contains \"a\" if input.a\n\nonly_here if {\n",
        ),
        (
            "policy/b.rego",
            "package main\n\nimport rego.v1\n\nsafe if input.x\n\ndeny_b contains \"needs safe\" if safe\n\nwarn contains \"by itself\" if input.a\n",
        ),
        (
            "policy/c.rego",
            "package main\n\nimport rego.v1\n\ndeny_c contains \"needs only_here\" if not only_here\n",
        ),
        (
            "policy/d.rego",
            "package other\n\nimport rego.v1\n\ndeny contains \"d\" if not data.main.only_here\n",
        ),
        ("in.json", r#"{"a": true}"#),
    ]);
    let said = case.orch(&["policy", "check", "in.json"]).exits(1).stdout;
    for want in [
        "policy/a.rego cannot be used",
        "`deny_b`",
        "policy/c.rego cannot be used",
        "WARN - in.json - main - by itself",
    ] {
        assert!(said.contains(want), "{want} is not in:\n{said}");
    }
    let said = case.orch(&["policy", "check", "in.json", "-n", "other"]).exits(1).stdout;
    assert!(said.contains("`deny` in policy/d.rego:5 did not answer"), "{said}");
}

/// The shape code scanning asks for: what the schema of SARIF 2.1.0 requires, and every index and address in order.
#[test]
fn sarif_is_what_its_schema_asks_for() {
    let case =
        Case::new(&[("policy/a.rego", V1), ("a b/bad.yaml", "kind: Deployment\nname: web\nsize: 9\n")]);
    let sarif = case.orch(&["policy", "check", "a b/bad.yaml", "-o", "sarif"]).exits(1).json();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let driver = run["tool"]["driver"].as_object().unwrap();
    assert!(driver["name"].is_string() && driver["informationUri"].as_str().unwrap().starts_with("https://"));
    let rules = driver["rules"].as_array().unwrap();
    let levels = ["none", "note", "warning", "error"];
    for rule in rules {
        assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string(), "{rule}");
        assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()), "{rule}");
    }
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"], "{result}");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty(), "{result}");
        assert!(levels.contains(&result["level"].as_str().unwrap()), "{result}");
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri == "a%20b/bad.yaml" || uri == "x.yaml", "{result}");
        assert!(place["region"].is_null() || place["region"]["startLine"].as_u64().unwrap() > 0, "{result}");
        let known = ["ruleId", "ruleIndex", "level", "message", "locations", "properties"];
        assert!(result.as_object().unwrap().keys().all(|k| known.contains(&k.as_str())), "{result}");
    }
}

#[test]
fn an_input_that_is_too_large_or_broken_ends_the_check() {
    let case = Case::new(&[("policy/a.rego", V1), ("bad.json", "{"), ("x.unknown", "")]);
    let big = fs::File::create(case.root.join("big.json")).unwrap();
    big.set_len(1 << 30).unwrap();
    let _ = case.orch(&["policy", "check", "big.json"]).exits(2).says("larger than 64 MB");
    let _ = case.orch(&["policy", "check", "bad.json"]).exits(2).says("cannot read bad.json as json");
    let _ = case.orch(&["policy", "check", "x.unknown"]).exits(2).says("no parser");
    let _ = case.orch(&["policy", "check", "nowhere.json"]).exits(2).says("nowhere.json");
    let _ = case.orch(&["policy", "check", "bad.json", "-p", "nowhere"]).exits(2).says("nowhere");
}

/// The ten divergences between regorus and OPA: every answer is that of OPA 1.4.2, run once on the same files.
#[test]
fn the_ten_divergences_are_mended() {
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rego/divergences.rego"))
            .unwrap();
    let case = Case::new(&[("d/d.rego", &text), ("in.json", r#"{"s": "str", "nul": null}"#)]);
    let mut answers = serde_json::Map::new();
    for name in ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9"] {
        let query = format!("data.div.{name}");
        let said = case
            .orch(&["policy", "eval", "-p", "d", "-i", "in.json", &query, "--format", "json"])
            .exits(0)
            .json();
        if let Some(value) = said["result"][0]["expressions"][0].get("value") {
            answers.insert(name.into(), value.clone());
        }
    }
    assert_eq!(
        Value::Object(answers),
        json!({
            "d1": [], "d2": ["a%!(EXTRA string=b)"], "d3": ["a %!s(MISSING)"], "d4": "%!s(int=1)", "d7": [], "d8": "hello",
            "d9": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        })
    );
    // OPA has undefined here; an error of a builtin is told instead.
    let _ = case
        .orch(&["policy", "eval", "-p", "d", "-i", "in.json", "data.div.d10"])
        .exits(2)
        .says("object.get");
}

#[test]
fn tests_of_policies_run_and_are_counted() {
    let case = Case::new(&[]);
    fs::create_dir_all(&case.root).unwrap();
    let _ = case.orch(&["policy", "init", "no_owner"]).exits(0).says("policy/no_owner_test.rego");
    let _ = case.orch(&["policy", "init", "no_owner"]).exits(2).says("there already");
    let _ = case.orch(&["policy", "init", "../x"]).exits(2).says("no name for a rule");
    let said = case.orch(&["policy", "test", "policy", "--coverage", "--format", "json"]).exits(0).json();
    assert_eq!((&said["passed"], &said["failed"]), (&json!(2), &json!(0)), "{said}");
    assert_eq!(said["covered_basis_points"], json!(10_000), "{said}");
    fs::write(case.root.join("in.yaml"), "kind: Example\nmetadata: {name: a}\n").unwrap();
    let _ = case.orch(&["policy", "check", "in.yaml"]).exits(1).says("a has no owner");
    let sarif = case.orch(&["policy", "check", "in.yaml", "-o", "sarif"]).exits(1).json();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "main/no_owner");
    fs::write(
        case.root.join("policy/x_test.rego"),
        "package x\n\nimport rego.v1\n\ntest_false if 1 == 2\n\ntest_hang if count([1 | some a in numbers.range(1, 99999); some b in numbers.range(1, 99999); a == b]) < 0\n\ntest_error if to_number(\"x\") == 1\n\ntodo_test_later if false\n",
    )
    .unwrap();
    let said = case.orch(&["policy", "test", "policy", "--timeout", "1", "--format", "json"]).exits(6).json();
    let outcomes: Vec<&str> =
        said["tests"].as_array().unwrap().iter().map(|t| t["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["pass", "pass", "fail", "error", "error", "skip"], "{said}");
    let junit = case.orch(&["policy", "test", "policy", "--timeout", "1", "-o", "junit"]).exits(6).stdout;
    assert!(roxmltree::Document::parse(&junit).is_ok(), "{junit}");
}

#[test]
fn an_input_that_does_not_fit_its_schema_is_refused() {
    let policy = "# METADATA\n# schemas:\n#  - input: schema.thing\npackage main\n\nimport rego.v1\n\nx := input.size + 1\n";
    let case = Case::new(&[
        ("p/a.rego", policy),
        (
            "s/thing.json",
            r#"{"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}"#,
        ),
        ("good.json", r#"{"size": 1}"#),
        ("bad.json", r#"{"size": "x"}"#),
    ]);
    let eval = |input: &str| {
        case.orch(&["policy", "eval", "-p", "p", "-s", "s", "-i", input, "data.main.x", "--trace"])
    };
    assert_eq!(eval("good.json").exits(0).stdout, "p/a.rego:8: data.main.x is 2\n2\n");
    let _ = eval("bad.json").exits(2).says("does not fit");
}

/// A rule that reads what its schema cannot have would be undefined for ever: it is refused where it judges, is tested or asked.
#[test]
fn rules_are_held_to_the_schemas_they_name() {
    let policy = "# METADATA\n# schemas:\n#  - input: schema.thing\npackage main\n\nimport rego.v1\n\ndeny contains \"big\" if input.size > 1\n\ndeny_typo contains \"never\" if input.sise > 1\n";
    let case = Case::new(&[
        ("p/a.rego", policy),
        (
            "p/a_test.rego",
            "package main_test\n\nimport data.main\n\ntest_typo if count(main.deny_typo) == 0\n\ntest_big if count(main.deny) == 1 with input as {\"size\": 2}\n",
        ),
        ("s/thing.json", r#"{"type": "object", "properties": {"size": {"type": "integer"}}}"#),
        ("in.json", r#"{"size": 2}"#),
    ]);
    let said = case.orch(&["policy", "check", "-p", "p", "--schema", "s", "in.json"]).exits(1).stdout;
    assert!(said.contains("big"), "{said}");
    assert!(said.contains("`deny_typo` in p/a.rego:10") && said.contains("reads `input.sise`"), "{said}");
    let said = case.orch(&["policy", "check", "-p", "p", "in.json"]).exits(1).stdout;
    assert!(!said.contains("sise"), "without the folder a name stands for nothing: {said}");
    let said = case.orch(&["policy", "test", "p", "--schema", "s", "--format", "json"]).exits(6).json();
    assert_eq!((&said["passed"], &said["errors"]), (&json!(1), &json!(1)), "{said}");
    for query in ["data.main.deny_typo", "data.main", "data.main.deny_typo[x]"] {
        let _ = case
            .orch(&["policy", "eval", "-p", "p", "-s", "s", "-i", "in.json", query])
            .exits(2)
            .says("input.sise");
    }
    let _ = case.orch(&["policy", "eval", "-p", "p", "-s", "s", "-i", "in.json", "data.main.deny"]).exits(0);
}
