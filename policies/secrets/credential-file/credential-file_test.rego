package orch.secrets.credential_file_test

import data.orch.secrets.credential_file as rule

doc(code, confidence, place) := {"facts": [{
	"path": "a.py", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": {"place": place},
}]}

test_secrets_credential_file if count(rule.deny) == 1 with input as doc("secrets/credential-file", "high", "code")

test_secrets_credential_file_medium if count(rule.deny) == 1 with input as doc("secrets/credential-file", "medium", "code")

test_in_a_test if {
	count(rule.deny) == 0 with input as doc("secrets/credential-file", "high", "aside")
	count(rule.warn) == 1 with input as doc("secrets/credential-file", "high", "aside")
}

test_other if {
	count(rule.deny) == 0 with input as doc("other/code", "high", "code")
	count(rule.warn) == 0 with input as doc("other/code", "medium", "aside")
}
