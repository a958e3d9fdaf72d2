package orch.workflows.unpinned_action_test

import data.orch.workflows.unpinned_action as rule

doc(code, confidence, attributes) := {"settings": {"trusted_actions": ["actions/*", "github/**"]}, "facts": [{
	"path": "a", "line": 3, "column": 1, "end_line": 3, "end_column": 9, "code": code, "scanner": "s", "message": "m",
	"evidence": "e", "fingerprint": "f", "confidence": confidence, "attributes": attributes,
}]}

test_tag if {
	count(rule.require_approval) == 1 with input as doc("workflows/unpinned-action", "medium", {"kind": "tag", "action": "o/r"})
	count(rule.warn) == 0 with input as doc("workflows/unpinned-action", "medium", {"kind": "tag", "action": "o/r"})
}

test_forge if {
	count(rule.require_approval) == 0 with input as doc("workflows/unpinned-action", "medium", {"kind": "tag", "action": "actions/checkout"})
	count(rule.warn) == 1 with input as doc("workflows/unpinned-action", "medium", {"kind": "tag", "action": "actions/checkout"})
}

test_deep if {
	count(rule.require_approval) == 0 with input as doc("workflows/unpinned-action", "medium", {"kind": "tag", "action": "github/codeql-action/init"})
	count(rule.warn) == 1 with input as doc("workflows/unpinned-action", "medium", {"kind": "tag", "action": "github/codeql-action/init"})
}

test_other if {
	count(rule.require_approval) == 0 with input as doc("other/code", "high", {})
	count(rule.warn) == 0 with input as doc("other/code", "high", {})
}
