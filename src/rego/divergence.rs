//! What regorus alone answers otherwise than OPA, as small modules with OPA's answers.
//!
//! Must never hold an answer of ours that OPA does not give, but for errors: an error of a builtin is told, not swallowed.

use std::time::Duration;

use regorus::Value;

use super::Policies;
use super::policies::Options;

/// A module, the rule that is asked, and what OPA says; `Err` is a part of the fault that is told instead.
type Case = (&'static str, &'static str, Result<&'static str, &'static str>);

const INPUT: &str = r#"{"word": "text", "nothing": null, "list": [1, 2], "pods": [{"name": "a"}, {"name": "b", "ports": [80]}]}"#;

const CASES: &[Case] = &[
    // 1: a head that iterates.
    ("found contains input.absent[_]", "found", Ok("[]")),
    ("found contains input.word[_]", "found", Ok("[]")),
    ("found contains input.pods[_].ports[_]", "found", Ok("[80]")),
    ("found := [p | p := input.absent[_]]", "found", Ok("[]")),
    ("found := {input.pods[i].name: input.pods[i].ports[_] | some i}", "found", Ok(r#"{"b": 80}"#)),
    ("found contains {\"n\": input.pods[i].name} if input.pods[i].ports", "found", Ok(r#"[{"n": "b"}]"#)),
    // 2, 3, 4: a number of arguments, and a verb, that do not fit.
    ("found contains m if m := sprintf(\"%s\", [\"a\", \"b\"])", "found", Ok(r#"["a%!(EXTRA string=b)"]"#)),
    ("found contains m if m := sprintf(\"%d of %d\", [1])", "found", Ok(r#"["1 of %!d(MISSING)"]"#)),
    ("found := sprintf(\"%s\", [1])", "found", Ok(r#""%!s(int=1)""#)),
    ("found := sprintf(\"%d\", [\"a\"])", "found", Ok(r#""%!d(string=a)""#)),
    ("found := sprintf(\"%v\", [[1, \"a\"]])", "found", Ok(r#""[1, \"a\"]""#)),
    // 5: `not` before a function with an argument that is not there.
    ("same(a, b) if a == b\n\nfound if not same(1, input.absent)", "found", Ok("undefined")),
    ("same(a, b) if a == b\n\nfound if not same(1, input.list[0])", "found", Ok("undefined")),
    ("same(a, b) if a == b\n\nfound if not same(1, input.list[1])", "found", Ok("true")),
    // 6: `not` before a builtin with an argument that is not there.
    ("found if not startswith(input.absent, \"x\")", "found", Ok("undefined")),
    ("found if not input.absent.more", "found", Ok("true")),
    ("found if not input.absent == 1", "found", Ok("true")),
    ("found if not count(input.absent) > 0", "found", Ok("undefined")),
    // 7: a scalar that is gone through.
    ("found contains x if some x in input.word", "found", Ok("[]")),
    ("found contains x if {\n\tsome x in input.nothing\n}", "found", Ok("[]")),
    // 8: annotations while a rule runs.
    ("# METADATA\n# title: told\nfound := rego.metadata.rule().title", "found", Ok(r#""told""#)),
    ("# METADATA\n# title: told\nfound := count(rego.metadata.chain())", "found", Ok("1")),
    // 9: builtins that are not in regorus.
    ("found := crypto.md5(\"orch\")", "found", Ok(r#""7878b83913a2b576b99d82f2504e7998""#)),
    ("found := net.cidr_intersects(\"10.0.0.0/8\", \"10.1.0.0/16\")", "found", Ok("true")),
    ("found := any([false, true])", "found", Ok("true")),
    // 10: an error of a builtin below `not`. OPA takes it for undefined; it is told here, which denies.
    ("found if not object.get(input.nothing, \"a\", 1) == 1", "found", Err("object.get")),
    ("found if not to_number(input.word) == 1", "found", Err("could not parse string as number")),
    ("found contains \"x\" if to_number(input.word) == 1", "found", Err("could not parse string as number")),
];

#[test]
fn answers_are_those_of_opa() {
    for hoisted in [false, true] {
        for (body, rule, want) in CASES {
            let text = format!("package case\n\nimport rego.v1\n\n{body}\n");
            let files = [("case.rego".to_owned(), text)];
            let options = Options { whole: !hoisted, world: true, ..Options::default() };
            let policies = Policies::load(&files, Value::new_object(), options).unwrap();
            assert_eq!(policies.broken, [], "{body}");
            let path = format!("data.case.{rule}");
            assert_eq!(policies.refusal(&path), None, "{body}");
            let mut session = policies.session();
            session.input(Value::from_json_str(INPUT).unwrap());
            let answer = session.rule(&path, Duration::from_secs(10));
            match (answer, want) {
                (Ok(Value::Undefined), Ok("undefined")) => {}
                (Ok(value), Ok(want)) => {
                    let value: serde_json::Value = serde_json::to_value(&value).unwrap();
                    let want: serde_json::Value = serde_json::from_str(want).unwrap_or("undefined".into());
                    assert_eq!(value, want, "{body}");
                }
                (Err(fault), Err(want)) => assert!(fault.0.contains(want), "{body}: {fault}"),
                (answer, want) => panic!("{body}: {answer:?}, not {want:?}"),
            }
        }
    }
}
