package orch.paths.denied_test

import data.orch.paths.denied as rule

doc(path) := {"settings": {"paths_deny": ["infra/**"]}, "changes": [{"path": path}]}

test_denied_file if count(rule.deny) == 1 with input as doc("infra/prod/main.tf")

test_other_case if count(rule.deny) == 1 with input as doc("INFRA/main.tf")

test_other_file if count(rule.deny) == 0 with input as doc("src/infra.rs")
