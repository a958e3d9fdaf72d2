# METADATA
# title: Mail addresses of people are seen
# description: Whoever reads the repository can write to them, and they may not have agreed.
# scope: package
# custom:
#   code: pii/email
#   effect: warn
#   help: Use an address at `example.com`, unless the person wants to be found here.
#   since: 0.1.0
package orch.pii.email

import data.orch.lib.facts

warn contains facts.finding(fact) if {
	some fact in facts.of("pii/email")
	not facts.aside(fact)
}
