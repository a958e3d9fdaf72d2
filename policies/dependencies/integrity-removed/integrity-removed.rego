# METADATA
# title: Digests stay in lock files
# description: Without a digest the registry, or whoever is on the way, may serve anything under the version.
# scope: package
# custom:
#   code: dependencies/integrity-removed
#   effect: require_approval
#   severity: high
#   help: Make the lock file again with the package manager; it writes the digests.
#   since: 0.1.0
package orch.dependencies.integrity_removed

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("dependencies/integrity-removed")
	not facts.aside(fact)
}
