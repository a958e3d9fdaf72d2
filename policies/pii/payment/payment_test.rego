package orch.pii.payment_test

import data.orch.pii.payment as rule

doc(code, confidence, place) := {"facts": [{
	"path": "a.py", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": {"place": place},
}]}

test_sure if count(rule.deny) == 1 with input as doc("pii/payment", "high", "code")

test_likely if {
	count(rule.deny) == 0 with input as doc("pii/payment", "medium", "code")
	count(rule.require_approval) == 1 with input as doc("pii/payment", "medium", "code")
}

test_in_a_test if {
	count(rule.deny) == 0 with input as doc("pii/payment", "high", "aside")
	count(rule.require_approval) == 0 with input as doc("pii/payment", "medium", "aside")
	count(rule.warn) == 1 with input as doc("pii/payment", "high", "aside")
}

test_other if count(rule.deny) == 0 with input as doc("pii/email", "high", "code")
