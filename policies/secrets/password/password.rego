# METADATA
# title: No password or key is committed
# description: What is in the history can be read by everybody who can read the repository, for ever.
# scope: package
# custom:
#   code: secrets/password
#   effect: deny
#   severity: critical
#   help: Change the password where it is in use, and read the new one from the environment or a secret store.
#   since: 0.1.0
package orch.secrets.password

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("secrets/password")
	not facts.aside(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("secrets/password")
	facts.aside(fact)
}
