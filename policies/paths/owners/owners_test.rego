package orch.paths.owners_test

import data.orch.paths.owners as rule

doc(kind, require) := {
	"settings": {"owners_require": require},
	"facts": [{
		"path": "src/a.rs", "line": 1, "column": 1, "end_line": 1, "end_column": 2, "code": "paths/owners", "scanner": "owners",
		"message": "m", "evidence": "", "fingerprint": "00ff", "confidence": "high",
		"attributes": {"kind": kind, "owners": "@a", "files": "docs/b.md\nsrc/a.rs"},
	}],
}

test_owned if count(rule.require_approval) == 0 with input as doc("owned", [])

test_owned_and_required if count(rule.require_approval) == 1 with input as doc("owned", ["src/**"])

test_owned_elsewhere if count(rule.require_approval) == 0 with input as doc("owned", ["lib/**"])

test_unowned if count(rule.require_approval) == 1 with input as doc("unowned", [])

test_invalid if count(rule.warn) == 1 with input as doc("invalid", [])

test_changed if count(rule.require_approval) + count(rule.warn) == 0 with input as doc("changed", ["src/**"])
