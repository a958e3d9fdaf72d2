package orch.tests.frozen_test

import data.orch.tests.frozen as rule

doc(edited, found) := {
	"changes": [{"path": "t.py", "origin": "tests"}, {"path": edited, "origin": "edits"}],
	"tests": {
		"set": {"files": [{"path": "t.py", "op": "create", "after": "sha256:1"}]},
		"green": {"frozen": [{"path": "t.py", "expected": "sha256:1", "found": found}]},
	},
}

test_untouched if count(rule.deny) == 0 with input as doc("a.py", "sha256:1")

test_edited if count(rule.deny) == 1 with input as doc("T.py", "sha256:1")

test_changed_by_a_command if count(rule.deny) == 1 with input as doc("a.py", "sha256:2")

test_gone if {
	gone := json.remove(doc("a.py", ""), ["tests/green/frozen/0/found"])
	count(rule.deny) == 1 with input as gone
}

test_not_compared if {
	silent := {"changes": [], "tests": {"set": doc("a", "").tests.set, "green": {"frozen": []}}}
	count(rule.deny) == 1 with input as silent
}
