package orch.dependencies.confusion_test

import data.orch.dependencies.confusion as rule

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

public := {"id": "npm:@acme/x", "source": "registry", "host": ""}

test_public if count(rule.deny) == 1 with input as fact({"attributes": public})

test_private_registry if {
	private := object.union(public, {"host": "npm.acme.dev"})
	count(rule.deny) == 0 with input as fact({"attributes": private})
}

test_other_name if {
	other := object.union(public, {"id": "npm:x"})
	count(rule.deny) == 0 with input as fact({"attributes": other})
}
