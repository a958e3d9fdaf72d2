package orch.dependencies.typosquat_test

import data.orch.dependencies.typosquat as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/typosquat",
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

test_high if count(rule.deny) == 1 with input as fact({"attributes": {"id": "npm:expresss"}})

test_medium if {
	input_ := fact({"confidence": "medium", "attributes": {"id": "npm:types-node"}})
	count(rule.deny) == 0 with input as input_
	count(rule.require_approval) == 1 with input as input_
}

test_vouched if count(rule.deny) == 0 with input as fact({"attributes": {"id": "npm:good"}})
