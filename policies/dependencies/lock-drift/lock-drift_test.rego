package orch.dependencies.lock_drift_test

import data.orch.dependencies.lock_drift as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/lock-drift",
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

test_drift if count(rule.require_approval) == 1 with input as fact({})

test_aside if count(rule.require_approval) == 0 with input as fact({"attributes": {"place": "aside"}})
