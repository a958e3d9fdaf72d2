package orch.tests.outcome_rewritten_test

import data.orch.tests.outcome_rewritten as rule

doc(confidence, attributes) := {"facts": [{
	"path": "tests/test_a.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "tests/outcome-rewritten", "scanner": "tests",
	"message": "m", "evidence": "", "fingerprint": "00ff", "confidence": confidence, "attributes": attributes,
}]}

test_sure_deny if count(rule.deny) == 1 with input as doc("high", {"kind": "report"})

test_sure_require_approval if count(rule.require_approval) == 0 with input as doc("high", {"kind": "report"})

test_maybe_deny if count(rule.deny) == 0 with input as doc("medium", {"kind": "exit"})

test_maybe_require_approval if count(rule.require_approval) == 1 with input as doc("medium", {"kind": "exit"})

test_nothing_deny if count(rule.deny) == 0 with input as {"facts": []}
