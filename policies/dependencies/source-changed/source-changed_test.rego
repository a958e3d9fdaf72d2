package orch.dependencies.source_changed_test

import data.orch.dependencies.source_changed as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/source-changed",
		"path": "a",
		"line": 3,
		"column": 1,
		"end_line": 3,
		"end_column": 2,
		"message": "m",
		"evidence": "e",
		"fingerprint": "f",
		"confidence": "high",
		"attributes": {},
	},
	more,
)]}

test_lock_only if count(rule.deny) == 1 with input as fact({"attributes": {"file": "lock", "how": "moved"}})

test_manifest if {
	input_ := fact({"attributes": {"file": "manifest", "how": "moved"}})
	count(rule.deny) == 0 with input as input_
	count(rule.require_approval) == 1 with input as input_
}

test_whole_lock_file if count(rule.require_approval) == 1 with input as fact({"attributes": {"file": "lock", "how": "whole"}})

test_index if count(rule.require_approval) == 1 with input as fact({"attributes": {"to": "index"}})
