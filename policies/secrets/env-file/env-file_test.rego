package orch.secrets.env_file_test

import data.orch.secrets.env_file as rule

doc(name, place) := {
	"settings": {"env_files_allowed": [".env.example", ".env.example/**"]},
	"facts": [{
		"path": concat("/", ["app", name]), "line": 1, "column": 1, "end_line": 1, "end_column": 2, "code": "secrets/env-file",
		"scanner": "names", "message": "m", "evidence": "", "fingerprint": "f", "confidence": "high",
		"attributes": {"name": name, "place": place},
	}],
}

test_env if count(rule.deny) == 1 with input as doc(".env", "code")

test_example if count(rule.deny) == 0 with input as doc(".env.example", "code")

test_example_in_capitals if count(rule.deny) == 0 with input as doc(".ENV.Example", "code")

test_of_a_test if {
	count(rule.deny) == 0 with input as doc(".env", "aside")
	count(rule.warn) == 1 with input as doc(".env", "aside")
}
