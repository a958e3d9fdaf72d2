package orch.plan.high_risk_test

import data.orch.plan.high_risk as rule

doc(level) := {"plan": {"risks": [{"level": level, "text": "data loss", "mitigation": "backup"}]}}

test_high if rule.require_approval == {"the plan has a high risk: data loss"} with input as doc("high")

test_medium if count(rule.require_approval) == 0 with input as doc("medium")
