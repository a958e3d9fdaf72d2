package orch.workflows.expression_trust_test

import data.orch.workflows.expression_trust as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_sure if {
	count(rule.require_approval) == 1 with input as doc("workflows/expression-trust", "high", {"kind": "actor"})
	count(rule.warn) == 0 with input as doc("workflows/expression-trust", "high", {"kind": "actor"})
}

test_unsure if {
	count(rule.require_approval) == 0 with input as doc("workflows/expression-trust", "medium", {"kind": "within"})
	count(rule.warn) == 1 with input as doc("workflows/expression-trust", "medium", {"kind": "within"})
}

test_other if {
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
