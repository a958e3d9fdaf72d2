package orch.plan.scope_test

import data.orch.plan.scope as rule

doc(path) := {"plan": {"files": [{"path": "a.py"}]}, "changes": [{"path": path}]}

test_planned if count(rule.deny) == 0 with input as doc("a.py")

test_not_planned if count(rule.deny) == 1 with input as doc("b.py")

test_case_counts if count(rule.deny) == 1 with input as doc("A.py")
