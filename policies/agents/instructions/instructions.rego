# METADATA
# title: Nobody tells agents what people do not see
# description: Agents read comments and hidden text as they read the rest, and do what it says.
# scope: package
# custom:
#   code: agents/instructions
#   effect: deny
#   severity: high
#   help: Take the hidden text out; write what agents are to know where people read it.
#   since: 0.1.0
package orch.agents.instructions

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("agents/instructions")
	fact.confidence == "high"
	fact.attributes.where != "tests"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("agents/instructions")
	fact.confidence == "medium"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("agents/instructions")
	fact.attributes.where == "tests"
}
