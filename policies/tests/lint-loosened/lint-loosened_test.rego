package orch.tests.lint_loosened_test

import data.orch.tests.lint_loosened as rule

doc(confidence, attributes) := {"facts": [{
	"path": "tests/test_a.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "tests/lint-loosened", "scanner": "tests",
	"message": "m", "evidence": "", "fingerprint": "00ff", "confidence": confidence, "attributes": attributes,
}]}

test_config_require_approval if count(rule.require_approval) == 1 with input as doc("medium", {"kind": "config"})

test_config_warn if count(rule.warn) == 0 with input as doc("medium", {"kind": "config"})

test_ci_require_approval if count(rule.require_approval) == 1 with input as doc("high", {"kind": "ci"})

test_ci_warn if count(rule.warn) == 0 with input as doc("high", {"kind": "ci"})

test_broad_require_approval if count(rule.require_approval) == 1 with input as doc("high", {"kind": "broad"})

test_broad_warn if count(rule.warn) == 0 with input as doc("high", {"kind": "broad"})

test_new_file_require_approval if count(rule.require_approval) == 0 with input as doc("medium", {"kind": "broad"})

test_new_file_warn if count(rule.warn) == 1 with input as doc("medium", {"kind": "broad"})

test_narrow_require_approval if count(rule.require_approval) == 0 with input as doc("medium", {"kind": "narrow"})

test_narrow_warn if count(rule.warn) == 1 with input as doc("medium", {"kind": "narrow"})

test_nothing_require_approval if count(rule.require_approval) == 0 with input as {"facts": []}
