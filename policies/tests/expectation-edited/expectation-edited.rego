# METADATA
# title: What tests expect changes with a person's knowledge
# description: An expectation that is changed to what the code now does can never fail.
# scope: package
# custom:
#   code: tests/expectation-edited
#   effect: require_approval
#   help: Check that the new value is what is wanted and not only what the code gives; say why in the description of the change.
#   since: 0.1.0
package orch.tests.expectation_edited

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/expectation-edited")
	alone(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("tests/expectation-edited")
	not alone(fact)
}

# Nothing else of the test changed, and the code does not speak of the new value.
alone(fact) if {
	fact.confidence == "high"
	object.get(fact.attributes, "follows", "") != "code"
}
