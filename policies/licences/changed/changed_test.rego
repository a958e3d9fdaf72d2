package orch.licences.changed_test

import data.orch.licences.changed as rule

fact := {
	"path": "LICENSE", "line": 1, "column": 1, "end_line": 1, "end_column": 1, "code": "licences/changed", "scanner": "licences",
	"message": "m", "evidence": "", "fingerprint": "00", "confidence": "high", "attributes": {"before": "MIT", "after": "ISC"},
}

test_changed if count(rule.require_approval) == 1 with input as {"facts": [fact]}

test_none if count(rule.require_approval) == 0 with input as {"facts": []}
