# METADATA
# title: Archives come with approval
# description: Rules and reviewers cannot look into an archive; it is not unpacked.
# scope: package
# custom:
#   code: content/archive
#   effect: require_approval
#   severity: medium
#   help: Commit what is in it, or fetch it by its digest when it is needed.
#   since: 0.1.0
package orch.content.archive

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("content/archive")
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("content/archive")
	fact.attributes.where == "tests"
}
