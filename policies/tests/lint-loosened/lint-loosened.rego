# METADATA
# title: As much is checked as before
# description: A check that was switched off does not fail; what it would have found is in the code.
# scope: package
# custom:
#   code: tests/lint-loosened
#   effect: require_approval
#   help: Mend what the check finds; where it is wrong, switch off that one rule on that one line and say why.
#   since: 0.1.0
package orch.tests.lint_loosened

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/lint-loosened")
	wide(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("tests/lint-loosened")
	not wide(fact)
}

wide(fact) if fact.attributes.kind in {"config", "ci"}

wide(fact) if {
	fact.attributes.kind == "broad"
	fact.confidence == "high"
}
