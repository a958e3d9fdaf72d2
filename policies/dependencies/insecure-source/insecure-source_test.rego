package orch.dependencies.insecure_source_test

import data.orch.dependencies.insecure_source as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/insecure-source",
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

test_http if count(rule.deny) == 1 with input as fact({"attributes": {"integrity": "false"}})

test_digest if {
	input_ := fact({"attributes": {"integrity": "true"}})
	count(rule.deny) == 0 with input as input_
	count(rule.warn) == 1 with input as input_
}
