package orch.workflows.artipacked_test

import data.orch.workflows.artipacked as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_found if count(rule.require_approval) == 1 with input as doc("workflows/artipacked", "high", {})

test_other if count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
