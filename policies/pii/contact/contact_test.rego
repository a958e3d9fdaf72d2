package orch.pii.contact_test

import data.orch.pii.contact as rule

doc(code, place) := {"facts": [{
	"path": "a.py", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "pii", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": "high", "attributes": {"place": place},
}]}

test_found if count(rule.warn) == 1 with input as doc("pii/contact", "code")

test_in_a_test if count(rule.warn) == 0 with input as doc("pii/contact", "aside")

test_other if count(rule.warn) == 0 with input as doc("pii/payment", "code")
