package orch.workflows.secrets_test

import data.orch.workflows.secrets as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_all if {
	count(rule.require_approval) == 1 with input as doc("workflows/secrets", "high", {"kind": "all"})
	count(rule.warn) == 0 with input as doc("workflows/secrets", "high", {"kind": "all"})
}

test_run if {
	count(rule.require_approval) == 0 with input as doc("workflows/secrets", "medium", {"kind": "run"})
	count(rule.warn) == 1 with input as doc("workflows/secrets", "medium", {"kind": "run"})
}

test_other if {
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
