package orch.paths.protected_test

import data.orch.paths.protected as rule

doc(path, op) := {
	"settings": {"paths_protect": ["db/**"], "protected_files": ["**/AGENTS.md", "AGENTS.md"], "protected_existing": ["LICENSE"]},
	"changes": [{"path": path, "op": op}],
}

test_configured_file if count(rule.require_approval) == 1 with input as doc("db/schema.sql", "modify")

test_default_file if count(rule.require_approval) == 1 with input as doc("sub/agents.md", "create")

test_new_licence if count(rule.require_approval) == 0 with input as doc("LICENSE", "create")

test_changed_licence if count(rule.require_approval) == 1 with input as doc("LICENSE", "delete")

test_other_file if count(rule.require_approval) == 0 with input as doc("src/agents.rs", "modify")
