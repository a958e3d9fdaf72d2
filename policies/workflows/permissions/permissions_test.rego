package orch.workflows.permissions_test

import data.orch.workflows.permissions as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_write_all if {
	count(rule.require_approval) == 1 with input as doc("workflows/permissions", "high", {"kind": "write-all"})
	count(rule.warn) == 0 with input as doc("workflows/permissions", "high", {"kind": "write-all"})
}

test_write if {
	count(rule.require_approval) == 0 with input as doc("workflows/permissions", "medium", {"kind": "write"})
	count(rule.warn) == 1 with input as doc("workflows/permissions", "medium", {"kind": "write"})
}

test_other if {
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
