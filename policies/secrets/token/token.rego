# METADATA
# title: No token of an issuer is committed
# description: A token that was in the history once works for whoever reads it, until it is revoked.
# scope: package
# custom:
#   code: secrets/token
#   effect: deny
#   severity: critical
#   help: Revoke the token where it was issued, take it out, and read the new one from the environment or a secret store.
#   since: 0.1.0
package orch.secrets.token

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("secrets/token")
	fact.confidence == "high"
}

deny contains facts.finding(fact) if {
	some fact in facts.of("secrets/token")
	fact.confidence == "medium"
	not facts.aside(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("secrets/token")
	fact.confidence == "medium"
	facts.aside(fact)
}
