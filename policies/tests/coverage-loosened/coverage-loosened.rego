# METADATA
# title: As much has to be covered as before
# description: A threshold that falls to what is reached guards nothing.
# scope: package
# custom:
#   code: tests/coverage-loosened
#   effect: require_approval
#   help: Write the tests that are missing, or have a person approve the lower threshold.
#   since: 0.1.0
package orch.tests.coverage_loosened

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/coverage-loosened")
	fact.attributes.kind == "threshold"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("tests/coverage-loosened")
	fact.attributes.kind != "threshold"
}
