# METADATA
# title: Text has no characters that hide or reorder it
# description: Bidirectional, invisible and tag characters make code or instructions read otherwise than they run.
# scope: package
# custom:
#   code: content/hidden-unicode
#   effect: deny
#   severity: high
#   help: Remove the character, or write it as an escape.
#   since: 0.1.0
package orch.content.hidden_unicode

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("content/hidden-unicode")
	fact.confidence == "high"
	fact.attributes.where != "tests"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("content/hidden-unicode")
	fact.confidence == "medium"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("content/hidden-unicode")
	fact.attributes.where == "tests"
}
