# METADATA
# title: No new dependency imitates a well-known one
# description: A name one letter away from a well-known one is how foreign code gets in by a slip.
# scope: package
# custom:
#   code: dependencies/typosquat
#   effect: deny
#   severity: critical
#   help: Mend the name; if it is meant, add it to `dependencies_allow` in `policy.settings`.
#   since: 0.1.0
package orch.dependencies.typosquat

import data.orch.lib.dependencies
import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("dependencies/typosquat")
	fact.confidence == "high"
	not dependencies.vouched(fact)
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("dependencies/typosquat")
	fact.confidence == "medium"
	not dependencies.vouched(fact)
}
