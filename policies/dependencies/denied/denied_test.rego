package orch.dependencies.denied_test

import data.orch.dependencies.denied as rule

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

test_denied if {
	found := rule.deny with input as fact({"attributes": {"id": "npm:bad"}})
	{f.msg | some f in found} == {"`npm:bad` is on the list of dependencies that must not come in"}
}

test_glob if count(rule.deny) == 1 with input as fact({"attributes": {"id": "pypi:x-nightly"}})

test_other if count(rule.deny) == 0 with input as fact({"attributes": {"id": "npm:fine"}})

test_with_others if {
	many := {"direct": "false", "ecosystem": "npm", "names": "fine bad"}
	count(rule.deny) == 1 with input as fact({"attributes": many})
}
