# METADATA
# title: Dependencies are fetched over encrypted connections
# description: Whoever is on the way can put other code in.
# scope: package
# custom:
#   code: dependencies/insecure-source
#   effect: deny
#   severity: high
#   help: Write `https://` or `ssh://`; take out `--trusted-host`.
#   since: 0.1.0
package orch.dependencies.insecure_source

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("dependencies/insecure-source")
	fact.attributes.integrity == "false"
	not facts.aside(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("dependencies/insecure-source")
	not plain(fact)
}

# What a digest in the lock file guards cannot be exchanged on the way.
plain(fact) if {
	fact.attributes.integrity == "false"
	not facts.aside(fact)
}
