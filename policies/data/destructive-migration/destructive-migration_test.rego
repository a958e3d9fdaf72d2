package orch.data.destructive_migration_test

import data.orch.data.destructive_migration as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_migration if {
	count(rule.require_approval) == 1 with input as doc("data/destructive-migration", "high", {"where": "code"})
	count(rule.warn) == 0 with input as doc("data/destructive-migration", "high", {"where": "code"})
}

test_other if {
	count(rule.require_approval) == 0 with input as doc("data/destructive-migration", "medium", {"where": "code"})
	count(rule.warn) == 1 with input as doc("data/destructive-migration", "medium", {"where": "code"})
}

test_in_a_test if {
	count(rule.require_approval) == 0 with input as doc("data/destructive-migration", "high", {"where": "tests"})
	count(rule.warn) == 1 with input as doc("data/destructive-migration", "high", {"where": "tests"})
}

test_other if {
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
