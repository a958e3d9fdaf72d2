# METADATA
# title: Every licence text is one that is known
# description: A licence text is on no list, or is like one on the list and asks for something else.
# scope: package
# custom:
#   code: licences/unknown
#   effect: require_approval
#   help: Let whoever answers for licences read it; where it was meant to be a known licence, restore its text word by word.
#   since: 0.1.0
package orch.licences.unknown

import data.orch.lib.facts

# A known text with a clause more or less was made to look like it.
require_approval contains facts.finding(fact) if {
	some fact in facts.of("licences/unknown")
	altered(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("licences/unknown")
	not altered(fact)
}

altered(fact) if {
	fact.confidence == "high"
	not facts.aside(fact)
}
