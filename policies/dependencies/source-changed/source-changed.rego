# METADATA
# title: A dependency comes from where it came from before
# description: Another host may serve other code under the same name and version.
# scope: package
# custom:
#   code: dependencies/source-changed
#   effect: deny
#   severity: high
#   help: Put the address back; a move that is meant belongs into the manifest, where a person approves it.
#   since: 0.1.0
package orch.dependencies.source_changed

import data.orch.lib.facts

# Only the lock file says so: nobody wrote it down in a manifest.
hidden(fact) if {
	fact.attributes.file == "lock"
	fact.attributes.how == "moved"
}

deny contains facts.finding(fact) if {
	some fact in facts.of("dependencies/source-changed")
	hidden(fact)
	not facts.aside(fact)
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("dependencies/source-changed")
	not hidden(fact)
	not facts.aside(fact)
}
