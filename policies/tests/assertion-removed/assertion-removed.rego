# METADATA
# title: Tests see as much as they did
# description: A test whose assertions are gone or weaker passes whatever the code does.
# scope: package
# custom:
#   code: tests/assertion-removed
#   effect: deny
#   help: Put the assertion back and mend the code; where the behaviour is meant to be gone, have a person approve a change that takes the whole test out.
#   since: 0.1.0
package orch.tests.assertion_removed

import data.orch.lib.facts

gone := {"test-deleted", "file-deleted"}

deny contains facts.finding(fact) if {
	some fact in facts.of("tests/assertion-removed")
	fact.confidence == "high"
	not fact.attributes.kind in gone
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/assertion-removed")
	fact.confidence != "high"
	not fact.attributes.kind in gone
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("tests/assertion-removed")
	fact.attributes.kind in gone
	not fact.attributes.follows
}

# Whole tests that went with what they name.
warn contains facts.finding(fact) if {
	some fact in facts.of("tests/assertion-removed")
	fact.attributes.kind in gone
	fact.attributes.follows == "code"
}
