# METADATA
# title: Source can be read
# description: Code that is packed, decoded when it runs or put off the screen is written so that nobody reads it.
# scope: package
# custom:
#   code: content/obfuscated
#   effect: require_approval
#   severity: high
#   help: Commit the code as it was written; download to a file and check its digest before it runs.
#   since: 0.1.0
package orch.content.obfuscated

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("content/obfuscated")
	fact.confidence == "high"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("content/obfuscated")
	fact.confidence == "medium"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("content/obfuscated")
	fact.attributes.where == "tests"
}
