# METADATA
# title: Phone numbers and addresses of people are seen
# description: Whoever reads the repository can call or visit them, and they may not have agreed.
# scope: package
# custom:
#   code: pii/contact
#   effect: warn
#   help: Use a number kept for fiction and a made-up address, unless the person wants to be found here.
#   since: 0.1.0
package orch.pii.contact

import data.orch.lib.facts

warn contains facts.finding(fact) if {
	some fact in facts.of("pii/contact")
	not facts.aside(fact)
}
