package orch.dependencies.unreadable_test

import data.orch.dependencies.unreadable as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/unreadable",
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

test_unreadable if count(rule.warn) == 1 with input as fact({})
