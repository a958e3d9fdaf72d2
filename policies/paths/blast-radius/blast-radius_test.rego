package orch.paths.blast_radius_test

import data.orch.paths.blast_radius as rule

doc(direct, covering, changed) := {
	"settings": {"blast_radius_approve": 100, "blast_radius_warn": 10},
	"blast_radius": {
		"modules": 1, "direct": direct, "dependents": 900, "files": 950, "percent": 1,
		"nearest": ["a.py", "b.py"], "owners": [], "tests": {"covering": covering, "changed": changed},
	},
}

test_little if {
	count(rule.require_approval) == 0 with input as doc(10, 0, 0)
	count(rule.warn) == 0 with input as doc(10, 0, 0)
}

test_untested if {
	count(rule.warn) == 1 with input as doc(11, 0, 0)
	count(rule.require_approval) == 0 with input as doc(100, 0, 0)
}

test_covered if count(rule.warn) == 0 with input as doc(11, 1, 0)

test_with_tests if count(rule.warn) == 0 with input as doc(11, 0, 1)

test_much if {
	count(rule.require_approval) == 1 with input as doc(101, 5, 1)
	count(rule.warn) == 0 with input as doc(101, 0, 0)
}

test_names if {
	some message in rule.require_approval with input as doc(101, 5, 1)
	contains(message, "101 modules import what the change touches (as a.py, b.py)")
}
