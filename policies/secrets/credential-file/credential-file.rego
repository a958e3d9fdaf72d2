# METADATA
# title: No file made for credentials is committed
# description: Such files hold what a person or a machine logs in with.
# scope: package
# custom:
#   code: secrets/credential-file
#   effect: deny
#   severity: critical
#   help: Change the credential, take the file out, and add it to `.gitignore`.
#   since: 0.1.0
package orch.secrets.credential_file

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	some fact in facts.of("secrets/credential-file")
	not facts.aside(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("secrets/credential-file")
	facts.aside(fact)
}
