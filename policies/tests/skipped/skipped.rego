# METADATA
# title: Tests that ran still run
# description: A skipped test is a removed one that looks like a test.
# scope: package
# custom:
#   code: tests/skipped
#   effect: deny
#   help: Take the mark away and mend what fails; where a test cannot run on a platform, skip it under that condition.
#   since: 0.1.0
package orch.tests.skipped

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("tests/skipped")
	fact.confidence == "high"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/skipped")
	fact.confidence != "high"
	fact.attributes.kind != "new"
	fact.attributes.when == "always"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/skipped")
	fact.confidence != "high"
	fact.attributes.kind == "option"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("tests/skipped")
	fact.confidence != "high"
	fact.attributes.kind == "new"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("tests/skipped")
	fact.confidence != "high"
	fact.attributes.when == "sometimes"
}
