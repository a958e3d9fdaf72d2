# METADATA
# title: Lock files agree with their manifests
# description: The next install takes what nobody looked at, or a lock file brings in what no manifest asks for.
# scope: package
# custom:
#   code: dependencies/lock-drift
#   effect: require_approval
#   severity: medium
#   help: Run the package manager's install or lock command and commit what it writes.
#   since: 0.1.0
package orch.dependencies.lock_drift

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("dependencies/lock-drift")
	not facts.aside(fact)
}
