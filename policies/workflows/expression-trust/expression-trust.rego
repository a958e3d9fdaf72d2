# METADATA
# title: Conditions say what they seem to say
# description: A condition that is always true, or that trusts a name, lets in whom it should keep out.
# scope: package
# custom:
#   code: workflows/expression-trust
#   effect: require_approval
#   severity: high
#   help: Compare `github.event.pull_request.user.login` (who opened it), not `github.actor` (who pushed last); write `if` without text around `${{ }}`.
#   since: 0.1.0
package orch.workflows.expression_trust

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/expression-trust")
	fact.confidence == "high"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("workflows/expression-trust")
	fact.confidence == "medium"
}
