# METADATA
# title: What runs by itself is seen by a person
# description: Tool servers, hooks, tasks and container commands run on the machine of everybody who opens the repository.
# scope: package
# custom:
#   code: agents/tools
#   effect: deny
#   severity: critical
#   help: 'Take it out of the repository, or have it ask: no bypass, single commands in place of `Bash(*)`, no download that is run at once.'
#   since: 0.1.0
package orch.agents.tools

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("agents/tools")
	fact.confidence == "high"
	fact.attributes.where != "tests"
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("agents/tools")
	fact.confidence == "medium"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("agents/tools")
	fact.attributes.where == "tests"
}
