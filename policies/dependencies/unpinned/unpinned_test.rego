package orch.dependencies.unpinned_test

import data.orch.dependencies.unpinned as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/unpinned",
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

test_git if count(rule.require_approval) == 1 with input as fact({"attributes": {"how": "git", "locked": "false"}})

test_locked if {
	input_ := fact({"attributes": {"how": "git", "locked": "true"}})
	count(rule.require_approval) == 0 with input as input_
	count(rule.warn) == 1 with input as input_
}

test_star if count(rule.warn) == 1 with input as fact({"attributes": {"how": "any", "locked": "false"}})

test_aside if {
	aside := {"how": "git", "locked": "false", "place": "aside"}
	count(rule.require_approval) == 0 with input as fact({"attributes": aside})
}
