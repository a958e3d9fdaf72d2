package orch.dependencies.install_script_test

import data.orch.dependencies.install_script as rule

settings := {"dependencies_allow": ["npm:good", "npm:@acme/*"], "dependencies_deny": ["npm:bad", "pypi:*-nightly"], "dependencies_private": ["npm:@acme/*"]}

fact(more) := {"settings": settings, "facts": [object.union(
	{
		"code": "dependencies/install-script",
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

test_unknown if count(rule.require_approval) == 1 with input as fact({"attributes": {"known": "false"}})

test_known if {
	input_ := fact({"attributes": {"known": "true"}})
	count(rule.require_approval) == 0 with input as input_
	count(rule.warn) == 1 with input as input_
}

test_vouched if count(rule.require_approval) == 0 with input as fact({"attributes": {"known": "false", "id": "npm:good"}})
