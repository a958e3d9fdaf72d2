# METADATA
# title: No licence is one that the settings refuse
# description: A licence text or a manifest of a part names a licence of `licences_deny`.
# scope: package
# custom:
#   code: licences/denied
#   effect: deny
#   severity: high
#   help: Remove what is under it, or take the licence out of `licences_deny` in orch.yml.
#   since: 0.1.0
package orch.licences.denied

import data.orch.lib.facts

deny contains facts.finding(fact) if {
	count(input.settings.licences_deny) > 0
	some fact in facts.of("licences/found")
	refused(fact.attributes.licence)
}

# An expression is refused when one of its licences is and it leaves no choice.
refused(licence) if {
	not contains(licence, " OR ")
	some name in split(replace(replace(licence, "(", ""), ")", ""), " AND ")
	some pattern in input.settings.licences_deny
	glob.match(pattern, ["/"], name)
}
