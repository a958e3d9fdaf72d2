package orch.tests.assertion_removed_test

import data.orch.tests.assertion_removed as rule

doc(confidence, attributes) := {"facts": [{
	"path": "tests/test_a.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "tests/assertion-removed", "scanner": "tests",
	"message": "m", "evidence": "", "fingerprint": "00ff", "confidence": confidence, "attributes": attributes,
}]}

test_sure_deny if count(rule.deny) == 1 with input as doc("high", {"kind": "removed"})

test_sure_require_approval if count(rule.require_approval) == 0 with input as doc("high", {"kind": "removed"})

test_weakened_deny if count(rule.deny) == 1 with input as doc("high", {"kind": "weakened"})

test_weakened_require_approval if count(rule.require_approval) == 0 with input as doc("high", {"kind": "weakened"})

test_rewritten_deny if count(rule.deny) == 0 with input as doc("medium", {"kind": "removed"})

test_rewritten_require_approval if count(rule.require_approval) == 1 with input as doc("medium", {"kind": "removed"})

test_test_gone_deny if count(rule.deny) == 0 with input as doc("high", {"kind": "test-deleted"})

test_test_gone_require_approval if count(rule.require_approval) == 1 with input as doc("high", {"kind": "test-deleted"})

test_test_gone_warn if count(rule.warn) == 0 with input as doc("high", {"kind": "test-deleted"})

test_test_follows_require_approval if {
	count(rule.require_approval) == 0 with input as doc("medium", {"kind": "test-deleted", "follows": "code"})
}

test_test_follows_warn if {
	count(rule.warn) == 1 with input as doc("medium", {"kind": "test-deleted", "follows": "code"})
}

test_assertion_follows_deny if count(rule.deny) == 0 with input as doc("medium", {"kind": "removed", "follows": "code"})

test_assertion_follows_require_approval if {
	count(rule.require_approval) == 1 with input as doc("medium", {"kind": "removed", "follows": "code"})
}

test_not_compared_require_approval if count(rule.require_approval) == 1 with input as doc("medium", {"kind": "not-compared"})

test_nothing_warn if count(rule.warn) == 0 with input as {"facts": []}

test_nothing_deny if count(rule.deny) == 0 with input as {"facts": []}
