# METADATA
# title: Results of tests are found, not made
# description: A hook that sets results, an early exit with success or a replaced check make every test pass.
# scope: package
# custom:
#   code: tests/outcome-rewritten
#   effect: deny
#   help: Take it out; let the runner tell the result.
#   since: 0.1.0
package orch.tests.outcome_rewritten

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("tests/outcome-rewritten")
	fact.confidence == "high"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/outcome-rewritten")
	fact.confidence != "high"
}
