# METADATA
# title: No number that states give to people is committed
# description: Such numbers stay with a person for life, and open accounts in their name.
# scope: package
# custom:
#   code: pii/identity
#   effect: deny
#   severity: high
#   help: Replace it by a number that is published for tests, and tell whoever answers for the data.
#   since: 0.1.0
package orch.pii.identity

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("pii/identity")
	fact.confidence == "high"
	not facts.aside(fact)
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("pii/identity")
	fact.confidence == "medium"
	not facts.aside(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("pii/identity")
	facts.aside(fact)
}
