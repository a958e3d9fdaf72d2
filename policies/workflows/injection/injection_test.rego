package orch.workflows.injection_test

import data.orch.workflows.injection as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_with_rights if {
	count(rule.deny) == 1 with input as doc("workflows/injection", "high", {"kind": "rights"})
	count(rule.require_approval) == 0 with input as doc("workflows/injection", "high", {"kind": "rights"})
	count(rule.warn) == 0 with input as doc("workflows/injection", "high", {"kind": "rights"})
}

test_by_an_output if {
	count(rule.deny) == 0 with input as doc("workflows/injection", "medium", {"kind": "rights"})
	count(rule.require_approval) == 1 with input as doc("workflows/injection", "medium", {"kind": "rights"})
	count(rule.warn) == 0 with input as doc("workflows/injection", "medium", {"kind": "rights"})
}

test_without_rights if {
	count(rule.deny) == 0 with input as doc("workflows/injection", "medium", {})
	count(rule.require_approval) == 0 with input as doc("workflows/injection", "medium", {})
	count(rule.warn) == 1 with input as doc("workflows/injection", "medium", {})
}

test_other if {
	count(rule.deny) == 0 with input as doc("other/code", "high", {})
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
