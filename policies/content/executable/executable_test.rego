package orch.content.executable_test

import data.orch.content.executable as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_disguised if {
	count(rule.deny) == 1 with input as doc("content/executable", "high", {"where": "code", "disguised": "yes"})
	count(rule.require_approval) == 0 with input as doc("content/executable", "high", {"where": "code", "disguised": "yes"})
	count(rule.warn) == 0 with input as doc("content/executable", "high", {"where": "code", "disguised": "yes"})
}

test_plain if {
	count(rule.deny) == 0 with input as doc("content/executable", "high", {"where": "code"})
	count(rule.require_approval) == 1 with input as doc("content/executable", "high", {"where": "code"})
	count(rule.warn) == 0 with input as doc("content/executable", "high", {"where": "code"})
}

test_in_a_test if {
	count(rule.deny) == 0 with input as doc("content/executable", "high", {"where": "tests"})
	count(rule.require_approval) == 0 with input as doc("content/executable", "high", {"where": "tests"})
	count(rule.warn) == 1 with input as doc("content/executable", "high", {"where": "tests"})
}

test_other if {
	count(rule.deny) == 0 with input as doc("other/code", "high", {})
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
