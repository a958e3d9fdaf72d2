# METADATA
# title: Workflows can be read
# description: What no rule can read, no rule has judged.
# scope: package
# custom:
#   code: workflows/unreadable
#   effect: require_approval
#   severity: medium
#   help: Mend the YAML, or have a person read the file.
#   since: 0.1.0
package orch.workflows.unreadable

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/unreadable")
}
