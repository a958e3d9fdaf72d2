package orch.workflows.untrusted_checkout_test

import data.orch.workflows.untrusted_checkout as rule

doc(code, confidence, attributes) := {"facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_run if {
	count(rule.deny) == 1 with input as doc("workflows/untrusted-checkout", "high", {"kind": "run"})
	count(rule.require_approval) == 0 with input as doc("workflows/untrusted-checkout", "high", {"kind": "run"})
}

test_not_run if {
	count(rule.deny) == 0 with input as doc("workflows/untrusted-checkout", "medium", {"kind": "checkout"})
	count(rule.require_approval) == 1 with input as doc("workflows/untrusted-checkout", "medium", {"kind": "checkout"})
}

test_other if {
	count(rule.deny) == 0 with input as doc("other/code", "high", {})
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
}
