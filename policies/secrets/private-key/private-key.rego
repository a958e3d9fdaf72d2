# METADATA
# title: No private key is committed
# description: A key that was in the history once has to be replaced everywhere it is used.
# scope: package
# custom:
#   code: secrets/private-key
#   effect: deny
#   severity: critical
#   help: Take the key out, replace it where it is in use, and read it from a secret store.
#   since: 0.1.0
package orch.secrets.private_key

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("secrets/private-key")
	not facts.aside(fact)
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("secrets/private-key")
	facts.aside(fact)
}
