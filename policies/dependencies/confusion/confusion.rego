# METADATA
# title: A private name is not taken from a public registry
# description: Whoever registers a private name in the public registry gets his code built and run here.
# scope: package
# custom:
#   code: dependencies/confusion
#   effect: deny
#   help: Give the dependency its private registry in the manifest, or reserve the name in the public one.
#   since: 0.1.0
package orch.dependencies.confusion

import data.orch.lib.dependencies
import data.orch.lib.facts

deny contains facts.with_message(fact, sprintf("`%s` is a private name and would come from the public registry", [fact.attributes.id])) if {
	some fact in facts.of("dependencies/added")
	dependencies.matches(input.settings.dependencies_private, fact.attributes.id)
	fact.attributes.source == "registry"
	fact.attributes.host == ""
}
