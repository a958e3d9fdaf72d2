package orch.size.change_test

import data.orch.size.change as rule

settings := {"max_files": 2, "max_files_deny": 4, "max_lines": 3, "max_lines_deny": 5, "size_ignore": ["x.lock"]}

doc(files, added, removed) := {
	"settings": settings,
	"size": {"files": files},
	"changes": [{"path": "a", "added": added, "removed": removed}, {"path": "x.lock", "added": numbers.range(1, 99), "removed": 0}],
}

test_small if {
	count(rule.require_approval) == 0 with input as doc(2, [1], 2)
	count(rule.deny) == 0 with input as doc(2, [1], 2)
}

test_many_files if count(rule.require_approval) == 1 with input as doc(3, [], 0)

test_too_many_files if count(rule.deny) == 1 with input as doc(5, [], 0)

test_many_lines if count(rule.require_approval) == 1 with input as doc(1, [1, 2], 2)

test_too_many_lines if {
	count(rule.deny) == 1 with input as doc(1, [1, 2, 3], 3)
	count(rule.require_approval) == 0 with input as doc(1, [1, 2, 3], 3)
}
