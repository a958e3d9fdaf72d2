# METADATA
# title: Dependencies that are not wanted stay out
# description: The team has said that these must not come in.
# scope: package
# custom:
#   code: dependencies/denied
#   effect: deny
#   help: Take another package; the list is `dependencies_deny` in `policy.settings`.
#   since: 0.1.0
package orch.dependencies.denied

import data.orch.lib.dependencies
import data.orch.lib.facts

deny contains facts.with_message(fact, sprintf("`%s` is on the list of dependencies that must not come in", [fact.attributes.id])) if {
	some fact in facts.of("dependencies/added")
	dependencies.matches(input.settings.dependencies_deny, fact.attributes.id)
}

# Those that come in with others are named in one fact.
deny contains facts.with_message(fact, sprintf("`%s` comes in with others and is on the list of dependencies that must not", [id])) if {
	some fact in facts.of("dependencies/added")
	fact.attributes.direct == "false"
	some name in split(fact.attributes.names, " ")
	id := sprintf("%s:%s", [fact.attributes.ecosystem, name])
	dependencies.matches(input.settings.dependencies_deny, id)
}
