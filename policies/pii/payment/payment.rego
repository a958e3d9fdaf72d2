# METADATA
# title: No account, card or wallet of a person is committed
# description: Such numbers let others pay in the name of a person, and laws ask for their protection.
# scope: package
# custom:
#   code: pii/payment
#   effect: deny
#   severity: high
#   help: Replace it by a number the issuer publishes for tests, and tell whoever answers for the data.
#   since: 0.1.0
package orch.pii.payment

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("pii/payment")
	fact.confidence == "high"
	not facts.aside(fact)
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("pii/payment")
	fact.confidence == "medium"
	not facts.aside(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("pii/payment")
	facts.aside(fact)
}
