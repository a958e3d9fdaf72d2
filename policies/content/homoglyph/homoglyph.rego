# METADATA
# title: Names do not mix letters that look the same
# description: A name with a Cyrillic or Greek letter in it looks like another name and is not.
# scope: package
# custom:
#   code: content/homoglyph
#   effect: require_approval
#   severity: high
#   help: Write the name in letters of one script.
#   since: 0.1.0
package orch.content.homoglyph

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("content/homoglyph")
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("content/homoglyph")
	fact.attributes.where == "tests"
}
