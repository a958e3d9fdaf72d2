package orch.licences.denied_test

import data.orch.licences.denied as rule

doc(licence, deny) := {
	"settings": {"licences_deny": deny},
	"facts": [{
		"path": "x/LICENSE", "line": 1, "column": 1, "end_line": 1, "end_column": 1, "code": "licences/found", "scanner": "licences",
		"message": "m", "evidence": "", "fingerprint": "00", "confidence": "high", "attributes": {"licence": licence},
	}],
}

test_listed if count(rule.deny) == 1 with input as doc("AGPL-3.0-only", ["AGPL-3.0-only"])

test_glob if count(rule.deny) == 1 with input as doc("AGPL-3.0-only", ["AGPL-*"])

test_conjunct if count(rule.deny) == 1 with input as doc("MIT AND AGPL-3.0-only", ["AGPL-*"])

test_choice if count(rule.deny) == 0 with input as doc("MIT OR AGPL-3.0-only", ["AGPL-*"])

test_other if count(rule.deny) == 0 with input as doc("MIT", ["AGPL-*"])

test_nothing_refused if count(rule.deny) == 0 with input as doc("AGPL-3.0-only", [])
