# METADATA
# title: A plan with a high risk is approved by a person
# description: The plan itself says that somebody should look.
# scope: package
# custom:
#   code: plan/high-risk
#   effect: require_approval
#   help: Have a person weigh the risk and its mitigation.
#   since: 0.1.0
package orch.plan.high_risk

require_approval contains sprintf("the plan has a high risk: %s", [risk.text]) if {
	some risk in input.plan.risks
	risk.level == "high"
}
