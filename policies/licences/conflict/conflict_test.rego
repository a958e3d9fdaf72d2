package orch.licences.conflict_test

import data.orch.licences.conflict as rule

doc(severity, confidence, allow) := {
	"settings": {"licences_allow": allow},
	"facts": [{
		"path": "a.c", "line": 1, "column": 1, "end_line": 1, "end_column": 9, "code": "licences/conflict", "scanner": "licences",
		"message": "m", "evidence": "", "fingerprint": "00", "confidence": confidence,
		"attributes": {"licence": "GPL-3.0-only", "repository": "MIT", "severity": severity, "help": "h"},
	}],
}

counts := [count(rule.deny), count(rule.require_approval), count(rule.warn)]

test_conflict if counts == [1, 0, 0] with input as doc("conflict", "high", [])

test_help if {
	some found in rule.deny with input as doc("conflict", "high", [])
	found.help == "h"
}

test_unsure_conflict if counts == [0, 1, 0] with input as doc("conflict", "medium", [])

test_person if counts == [0, 1, 0] with input as doc("person", "medium", [])

test_note if counts == [0, 0, 1] with input as doc("note", "medium", [])

test_allowed if counts == [0, 0, 0] with input as doc("conflict", "high", ["GPL-3.0-only"])
