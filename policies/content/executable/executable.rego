# METADATA
# title: Programs are built, not committed
# description: Nobody can read a program in a review; what it does is not what its source says.
# scope: package
# custom:
#   code: content/executable
#   effect: deny
#   severity: high
#   help: Build it from source, or fetch it by its digest when it is needed.
#   since: 0.1.0
package orch.content.executable

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("content/executable")
	fact.attributes.where != "tests"
	fact.attributes.disguised
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("content/executable")
	fact.attributes.where != "tests"
	not fact.attributes.disguised
}

warn contains facts.finding(fact) if {
	some fact in facts.of("content/executable")
	fact.attributes.where == "tests"
}
