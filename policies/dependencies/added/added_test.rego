package orch.dependencies.added_test

import data.orch.dependencies.added as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/added",
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

test_added if count(rule.warn) == 1 with input as fact({"attributes": {"id": "npm:new"}})

test_many if count(rule.warn) == 1 with input as fact({"attributes": {"direct": "false"}})

test_vouched if count(rule.warn) == 0 with input as fact({"attributes": {"id": "npm:good"}})
