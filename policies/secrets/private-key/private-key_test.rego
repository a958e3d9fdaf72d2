package orch.secrets.private_key_test

import data.orch.secrets.private_key as rule

doc(code, confidence, place) := {"facts": [{
	"path": "a.py", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": {"place": place},
}]}

test_key if count(rule.deny) == 1 with input as doc("secrets/private-key", "high", "code")

test_key_of_a_test if {
	count(rule.deny) == 0 with input as doc("secrets/private-key", "high", "aside")
	count(rule.require_approval) == 1 with input as doc("secrets/private-key", "high", "aside")
}

test_other if count(rule.deny) == 0 with input as doc("secrets/token", "high", "code")
