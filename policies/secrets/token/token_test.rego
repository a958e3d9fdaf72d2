package orch.secrets.token_test

import data.orch.secrets.token as rule

doc(code, confidence, place) := {"facts": [{
	"path": "a.py", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": {"place": place},
}]}

test_secrets_token if count(rule.deny) == 1 with input as doc("secrets/token", "high", "code")

test_secrets_token_medium if count(rule.deny) == 1 with input as doc("secrets/token", "medium", "code")

test_sure_in_a_test if count(rule.deny) == 1 with input as doc("secrets/token", "high", "aside")

test_unsure_in_a_test if {
	count(rule.deny) == 0 with input as doc("secrets/token", "medium", "aside")
	count(rule.warn) == 1 with input as doc("secrets/token", "medium", "aside")
}

test_other if {
	count(rule.deny) == 0 with input as doc("other/code", "high", "code")
	count(rule.warn) == 0 with input as doc("other/code", "medium", "aside")
}
