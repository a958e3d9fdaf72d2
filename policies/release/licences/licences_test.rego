package orch.release.licences_test

import data.orch.release.licences as rule

row(expression, state, choices) := {"expression": expression, "state": state, "choices": choices, "components": 1, "example": "x"}

doc(rows) := {
	"subject": {"artifacts": [{"name": "shop", "digest": "d"}]},
	"terms": {"licences": {"deny": ["GPL-3.0-only"], "unknown": false}},
	"facts": {"sbom": {"form": "f", "about": [], "components": count(rows), "licences": rows}},
	"sources": [],
}

outcomes := {result.outcome | some result in rule.control}

test_fine if outcomes == {"pass"} with input as doc([row("MIT", "known", [["MIT"]])])

test_refused if outcomes == {"deny"} with input as doc([row("GPL-3.0-only", "known", [["GPL-3.0-only"]])])

test_a_choice if outcomes == {"pass"} with input as doc([row("GPL-3.0-only OR MIT", "known", [["GPL-3.0-only"], ["MIT"]])])

test_both if outcomes == {"deny"} with input as doc([row("GPL-3.0-only AND MIT", "known", [["GPL-3.0-only", "MIT"]])])

test_unknown if "hold" in outcomes with input as doc([row("mine", "unknown", [])])

test_empty if "hold" in outcomes with input as doc([])

test_of_another_artifact if "deny" in outcomes with input as object.union(doc([row("MIT", "known", [["MIT"]])]), {"facts": {"sbom": {"about": [{"name": "shop", "digest": "e"}]}}})

test_not_known if outcomes == {"hold"} with input as {"terms": {"licences": {"deny": [], "unknown": true}}, "facts": {}, "sources": []}
