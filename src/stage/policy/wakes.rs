//! Which facts can wake a rule: without any of them it has nothing to say, and need not be asked.
//!
//! Must never guess: a rule that says anything in another form than the one that is proven here is always asked.
//!
//! The form: each definition of each entry set starts with `some fact in facts.of("code")`, or with `some fact in name`
//! where `name` is a set of the same file of that form. Without such a fact the first statement has nothing to go through,
//! so no later one runs and the set is empty.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rego::{Module, Version, tree};

use super::rule::effect_of;

/// The function that gives the facts with a code.
const FACTS_OF: &str = "data.orch.lib.facts.of";

/// Returns the codes of the facts without which a rule has no finding; nothing where it is not of the form.
pub fn wakes(file: &str, text: &str) -> Option<BTreeSet<String>> {
    let module = Module::read(file, text, Some(Version::V1)).ok()?;
    let entries: BTreeSet<&str> =
        module.definitions.iter().map(|d| d.name.as_str()).filter(|name| is_entry(name)).collect();
    let mut codes = BTreeSet::new();
    for name in entries {
        set(&module, name, true, &mut codes)?;
    }
    (!codes.is_empty()).then_some(codes)
}

fn is_entry(name: &str) -> bool {
    effect_of(name.split('.').next().unwrap_or_default()).is_some()
}

/// Adds the codes of a set, when every definition of that name is a set that starts in the form.
fn set(module: &Module, name: &str, further: bool, codes: &mut BTreeSet<String>) -> Option<()> {
    let mut found = false;
    for (definition, rule) in module.definitions.iter().zip(module.rules()) {
        let first = definition.name.split('.').next().unwrap_or_default();
        if first != name {
            continue;
        }
        found = true;
        let bodies = rule["Spec"]["bodies"].as_array().filter(|bodies| !bodies.is_empty())?;
        if definition.name != name || definition.shape != "Set" {
            return None;
        }
        for body in bodies {
            first_statement(module, &body["query"]["stmts"][0], further, codes)?;
        }
    }
    found.then_some(())
}

fn first_statement(
    module: &Module,
    statement: &Value,
    further: bool,
    codes: &mut BTreeSet<String>,
) -> Option<()> {
    if !statement["with_mods"].as_array().is_none_or(Vec::is_empty) {
        return None;
    }
    let some = statement["literal"].get("SomeIn").filter(|some| some["key"].is_null())?;
    if tree::kind(&some["value"])?.0 != "Var" {
        return None;
    }
    match tree::kind(&some["collection"])? {
        ("Call", call) => {
            let name = tree::dotted(&call["fcn"])?;
            let (root, rest) = name.split_once('.')?;
            let full = format!("{}.{rest}", module.imports().get(root)?);
            let [code] = call["params"].as_array()?.as_slice() else { return None };
            let ("String", code) = tree::kind(code)? else { return None };
            let code = code["value"].as_str().filter(|_| full == FACTS_OF)?;
            codes.insert(code.to_owned());
            Some(())
        }
        ("Var", name) if further => set(module, name["value"].as_str()?, false, codes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::policy::bundle::{Bundle, Sources};
    use crate::stage::policy::cfg::defaults;
    use crate::stage::policy::rule::Ready;

    fn woken(body: &str) -> Option<Vec<String>> {
        let text = format!("package orch.a.b\n\nimport data.orch.lib.facts\n\n{body}\n");
        Some(wakes("x.rego", &text)?.into_iter().collect())
    }

    #[test]
    fn only_the_form_that_is_proven_lets_a_rule_sleep() {
        let one = "deny contains fact.msg if {\n\tsome fact in facts.of(\"a/b\")\n\tfact.x\n}\n";
        assert_eq!(woken(one), Some(vec!["a/b".into()]));
        let two = one.replace("deny", "warn").replace("a/b", "c/d");
        assert_eq!(woken(&format!("{one}\n{two}")), Some(vec!["a/b".into(), "c/d".into()]));
        let by_name =
            "found contains fact if some fact in facts.of(\"a/b\")\n\ndeny contains x if some x in found\n";
        assert_eq!(woken(by_name), Some(vec!["a/b".into()]));
        for other in [
            "deny contains 1 if input.changes",
            "deny contains 1",
            "deny contains fact if some fact in input.facts",
            "deny contains fact if {\n\tinput.size.files > 1\n\tsome fact in facts.of(\"a/b\")\n}",
            "deny contains 1 if not facts.of(\"a/b\")",
            "deny contains 1 if count(facts.of(\"a/b\")) == 0",
            "deny contains 1 if every fact in facts.of(\"a/b\") { fact.x }",
            "deny contains i if some i, fact in facts.of(\"a/b\")",
            "deny contains fact if some fact in facts.finding(\"a/b\")",
            "deny contains fact if some fact in facts.of(input.size.code)",
            "deny contains fact if some fact in facts.of(\"a/b\") with input as {\"facts\": [{\"code\": \"a/b\"}]}",
            "found := {1}\n\ndeny contains x if some x in found",
            "found contains 1\n\ndeny contains x if some x in found",
            "deny.more contains fact if some fact in facts.of(\"a/b\")",
            "default deny := {1}",
        ] {
            assert_eq!(woken(other), None, "{other}");
            assert_eq!(woken(&format!("{one}\n{}", other.replace("found", "found2"))), None, "{other}");
        }
    }

    /// The proof, held against the evaluation: with facts of every other code no sleeping rule has a finding or a fault.
    #[test]
    fn a_sleeping_rule_has_nothing_to_say() {
        let sources = Sources::embedded().unwrap();
        let full = Bundle::checked(&sources);
        let prepared = crate::stage::policy::prepared::bundle(&sources).unwrap();
        let codes: BTreeSet<&String> = prepared.rules.iter().flat_map(|r| &r.wakes).flatten().collect();
        let settings: serde_json::Map<String, Value> =
            defaults().into_iter().map(|s| (s.name.to_owned(), s.default)).collect();
        let mut asleep = 0;
        for (rule, quick) in full.rules.iter().zip(&prepared.rules) {
            let Some(own) = &quick.wakes else { continue };
            asleep += 1;
            let others = codes.iter().filter(|code| !own.contains(**code));
            let facts: Vec<Value> = others
                .map(|code| {
                    serde_json::json!({
                        "path": "a", "line": 1, "column": 1, "end_line": 1, "end_column": 1, "code": code, "scanner": "s",
                        "message": "m", "evidence": "e", "fingerprint": "f", "confidence": "high", "attributes": {},
                    })
                })
                .collect();
            for facts in [facts, Vec::new()] {
                let input = serde_json::json!({ "facts": facts, "changes": [], "settings": settings });
                let Ready::Now { policies, .. } = &rule.ready else { panic!("a checked rule is ready") };
                let mut session = policies.session();
                session.input(regorus::Value::from_json_str(&input.to_string()).unwrap());
                for (path, _) in &rule.entries {
                    let set = session.rule(path, std::time::Duration::from_secs(5)).unwrap();
                    assert!(set.as_set().unwrap().is_empty(), "{path}: {set}");
                }
            }
        }
        assert!(asleep > full.rules.len() / 2, "{asleep} of {}", full.rules.len());
    }
}
