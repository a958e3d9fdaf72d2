package orch.paths.workflows_test

import data.orch.paths.workflows as rule

doc(path, name) := {"changes": [{"path": path, "name": name}]}

test_workflow if count(rule.require_approval) == 1 with input as doc(".github/workflows/ci.yml", "ci.yml")

test_case if count(rule.require_approval) == 1 with input as doc(".GitHub/Workflows/ci.yml", "ci.yml")

test_local_action if count(rule.require_approval) == 1 with input as doc(".github/actions/x/action.yml", "action.yml")

test_action_at_the_root if count(rule.require_approval) == 1 with input as doc("action.yaml", "action.yaml")

test_other_file if count(rule.require_approval) == 0 with input as doc(".github/labels.yml", "labels.yml")
