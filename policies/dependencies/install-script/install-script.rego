# METADATA
# title: Code that runs by itself is seen by a person
# description: It runs on every machine that installs or builds, before anybody looks.
# scope: package
# custom:
#   code: dependencies/install-script
#   effect: require_approval
#   severity: high
#   help: Read what it does and fetches; a package that is vouched for goes into `dependencies_allow`.
#   since: 0.1.0
package orch.dependencies.install_script

import data.orch.lib.dependencies
import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("dependencies/install-script")
	fact.attributes.known == "false"
	not dependencies.vouched(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("dependencies/install-script")
	fact.attributes.known == "true"
	not dependencies.vouched(fact)
}
