package orch.secrets.env_file_test

import data.orch.secrets.env_file as rule

doc(name, op) := {
	"settings": {"env_files_allowed": [".env.example", ".env.example/**"]},
	"changes": [{"path": concat("/", ["app", name]), "name": name, "op": op}],
}

test_env if count(rule.deny) == 1 with input as doc(".env", "create")

test_case if count(rule.deny) == 1 with input as doc(".ENV", "create")

test_stage if count(rule.deny) == 1 with input as doc(".env.production", "modify")

test_named if count(rule.deny) == 1 with input as doc("prod.env", "modify")

test_example if count(rule.deny) == 0 with input as doc(".env.example", "create")

test_removal if count(rule.deny) == 0 with input as doc(".env", "delete")

test_other if count(rule.deny) == 0 with input as doc("environment.py", "create")
