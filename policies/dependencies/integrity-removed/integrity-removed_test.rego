package orch.dependencies.integrity_removed_test

import data.orch.dependencies.integrity_removed as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/integrity-removed",
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

test_removed if count(rule.require_approval) == 1 with input as fact({})
