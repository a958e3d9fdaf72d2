# METADATA
# title: A dependency is bounded
# description: What may be anything tomorrow was not reviewed today.
# scope: package
# custom:
#   code: dependencies/unpinned
#   effect: require_approval
#   severity: medium
#   help: Name a version range, a commit, or a digest.
#   since: 0.1.0
package orch.dependencies.unpinned

import data.orch.lib.dependencies
import data.orch.lib.facts

open_source(fact) if {
	fact.attributes.how in {"git", "url"}
	fact.attributes.locked == "false"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("dependencies/unpinned")
	open_source(fact)
	not facts.aside(fact)
	not dependencies.vouched(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("dependencies/unpinned")
	not open_source(fact)
	not facts.aside(fact)
	not dependencies.vouched(fact)
}
