package orch.tests.skipped_test

import data.orch.tests.skipped as rule

doc(confidence, attributes) := {"facts": [{
	"path": "tests/test_a.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "tests/skipped", "scanner": "tests",
	"message": "m", "evidence": "", "fingerprint": "00ff", "confidence": confidence, "attributes": attributes,
}]}

test_sure_deny if count(rule.deny) == 1 with input as doc("high", {"kind": "existing", "when": "always"})

test_sure_require_approval if count(rule.require_approval) == 0 with input as doc("high", {"kind": "existing", "when": "always"})

test_sure_warn if count(rule.warn) == 0 with input as doc("high", {"kind": "existing", "when": "always"})

test_only_deny if count(rule.deny) == 1 with input as doc("high", {"kind": "only", "when": "always"})

test_only_require_approval if count(rule.require_approval) == 0 with input as doc("high", {"kind": "only", "when": "always"})

test_only_warn if count(rule.warn) == 0 with input as doc("high", {"kind": "only", "when": "always"})

test_twice_deny if count(rule.deny) == 0 with input as doc("medium", {"kind": "existing", "when": "always"})

test_twice_require_approval if count(rule.require_approval) == 1 with input as doc("medium", {"kind": "existing", "when": "always"})

test_twice_warn if count(rule.warn) == 0 with input as doc("medium", {"kind": "existing", "when": "always"})

test_option_deny if count(rule.deny) == 0 with input as doc("medium", {"kind": "option"})

test_option_require_approval if count(rule.require_approval) == 1 with input as doc("medium", {"kind": "option"})

test_option_warn if count(rule.warn) == 0 with input as doc("medium", {"kind": "option"})

test_condition_deny if count(rule.deny) == 0 with input as doc("medium", {"kind": "existing", "when": "sometimes"})

test_condition_require_approval if count(rule.require_approval) == 0 with input as doc("medium", {"kind": "existing", "when": "sometimes"})

test_condition_warn if count(rule.warn) == 1 with input as doc("medium", {"kind": "existing", "when": "sometimes"})

test_new_deny if count(rule.deny) == 0 with input as doc("medium", {"kind": "new", "when": "always"})

test_new_require_approval if count(rule.require_approval) == 0 with input as doc("medium", {"kind": "new", "when": "always"})

test_new_warn if count(rule.warn) == 1 with input as doc("medium", {"kind": "new", "when": "always"})

test_nothing_deny if count(rule.deny) == 0 with input as {"facts": []}
