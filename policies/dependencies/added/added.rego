# METADATA
# title: New dependencies are seen
# description: A new dependency brings code that nobody here has read and that runs with our rights.
# scope: package
# custom:
#   code: dependencies/added
#   effect: warn
#   help: Look at who publishes it, how much it is used, and whether a few lines of your own would do.
#   since: 0.1.0
package orch.dependencies.added

import data.orch.lib.dependencies
import data.orch.lib.facts

warn contains facts.finding(fact) if {
	some fact in facts.of("dependencies/added")
	not dependencies.vouched(fact)
}
