package orch.tests.expectation_edited_test

import data.orch.tests.expectation_edited as rule

doc(confidence, attributes) := {"facts": [{
	"path": "tests/test_a.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "tests/expectation-edited", "scanner": "tests",
	"message": "m", "evidence": "", "fingerprint": "00ff", "confidence": confidence, "attributes": attributes,
}]}

test_alone_require_approval if count(rule.require_approval) == 1 with input as doc("high", {"kind": "value"})

test_alone_warn if count(rule.warn) == 0 with input as doc("high", {"kind": "value"})

test_follows_require_approval if count(rule.require_approval) == 0 with input as doc("high", {"kind": "value", "follows": "code"})

test_follows_warn if count(rule.warn) == 1 with input as doc("high", {"kind": "value", "follows": "code"})

test_more_require_approval if count(rule.require_approval) == 0 with input as doc("medium", {"kind": "value"})

test_more_warn if count(rule.warn) == 1 with input as doc("medium", {"kind": "value"})

test_snapshot_require_approval if count(rule.require_approval) == 0 with input as doc("medium", {"kind": "snapshot"})

test_snapshot_warn if count(rule.warn) == 1 with input as doc("medium", {"kind": "snapshot"})

test_nothing_require_approval if count(rule.require_approval) == 0 with input as {"facts": []}
