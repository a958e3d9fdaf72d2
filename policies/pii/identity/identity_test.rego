package orch.pii.identity_test

import data.orch.pii.identity as rule

doc(code, confidence, place) := {"facts": [{
	"path": "a.py", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": {"place": place},
}]}

test_sure if count(rule.deny) == 1 with input as doc("pii/identity", "high", "code")

test_likely if {
	count(rule.deny) == 0 with input as doc("pii/identity", "medium", "code")
	count(rule.require_approval) == 1 with input as doc("pii/identity", "medium", "code")
}

test_in_a_test if {
	count(rule.deny) == 0 with input as doc("pii/identity", "high", "aside")
	count(rule.require_approval) == 0 with input as doc("pii/identity", "medium", "aside")
	count(rule.warn) == 1 with input as doc("pii/identity", "high", "aside")
}

test_other if count(rule.deny) == 0 with input as doc("pii/email", "high", "code")
