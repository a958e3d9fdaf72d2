package orch.ops.destructive_command_test

import data.orch.ops.destructive_command as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_sure if {
	count(rule.require_approval) == 1 with input as doc("ops/destructive-command", "high", {"where": "code"})
	count(rule.warn) == 0 with input as doc("ops/destructive-command", "high", {"where": "code"})
}

test_unsure if {
	count(rule.require_approval) == 0 with input as doc("ops/destructive-command", "medium", {"where": "code"})
	count(rule.warn) == 1 with input as doc("ops/destructive-command", "medium", {"where": "code"})
}

test_in_a_test if {
	count(rule.require_approval) == 0 with input as doc("ops/destructive-command", "high", {"where": "tests"})
	count(rule.warn) == 1 with input as doc("ops/destructive-command", "high", {"where": "tests"})
}

test_other if {
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
