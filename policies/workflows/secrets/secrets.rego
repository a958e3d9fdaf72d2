# METADATA
# title: Secrets are given one by one, to what needs them
# description: Whoever is given all secrets can lose all of them, and one that is written into a script is in the process list and on disk.
# scope: package
# custom:
#   code: workflows/secrets
#   effect: require_approval
#   severity: high
#   help: 'Name the secrets: `secrets: {NAME: ${{ secrets.NAME }}}`; hand a secret to a script in `env`.'
#   since: 0.1.0
package orch.workflows.secrets

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/secrets")
	fact.confidence == "high"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("workflows/secrets")
	fact.confidence == "medium"
}
