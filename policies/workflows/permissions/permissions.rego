# METADATA
# title: Tokens can write what they have to, and say so
# description: A token that can write everything makes every slip in a workflow a way into the repository.
# scope: package
# custom:
#   code: workflows/permissions
#   effect: require_approval
#   severity: medium
#   help: 'Write `permissions:` with the rights the job needs; `contents: read` for the workflow and more for single jobs.'
#   since: 0.1.0
package orch.workflows.permissions

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/permissions")
	fact.confidence == "high"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("workflows/permissions")
	fact.confidence == "medium"
}
