# METADATA
# title: No workflow with rights runs the code of a pull request
# description: On `pull_request_target`, `workflow_run` and `issue_comment` a workflow has the secrets and the token of the repository, and everybody can open a pull request.
# scope: package
# custom:
#   code: workflows/untrusted-checkout
#   effect: deny
#   severity: critical
#   help: Build the pull request on `pull_request`, without secrets, and hand only the result to a workflow with rights; or take the `ref` out and check out the base.
#   since: 0.1.0
package orch.workflows.untrusted_checkout

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("workflows/untrusted-checkout")
	fact.confidence == "high"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/untrusted-checkout")
	fact.confidence == "medium"
}
