package orch.tests.coverage_loosened_test

import data.orch.tests.coverage_loosened as rule

doc(confidence, attributes) := {"facts": [{
	"path": "tests/test_a.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "tests/coverage-loosened", "scanner": "tests",
	"message": "m", "evidence": "", "fingerprint": "00ff", "confidence": confidence, "attributes": attributes,
}]}

test_threshold_require_approval if count(rule.require_approval) == 1 with input as doc("high", {"kind": "threshold"})

test_threshold_warn if count(rule.warn) == 0 with input as doc("high", {"kind": "threshold"})

test_exempt_require_approval if count(rule.require_approval) == 0 with input as doc("medium", {"kind": "exempt"})

test_exempt_warn if count(rule.warn) == 1 with input as doc("medium", {"kind": "exempt"})

test_nothing_require_approval if count(rule.require_approval) == 0 with input as {"facts": []}
