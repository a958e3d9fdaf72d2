# METADATA
# title: What comes in goes with the licence of the repository
# description: A text, a header or a manifest says that something is under a licence that the repository's own does not allow.
# scope: package
# custom:
#   code: licences/conflict
#   effect: deny
#   severity: high
#   help: Remove it, replace it by something under a licence that fits, or publish the repository under one that fits both.
#   since: 0.1.0
package orch.licences.conflict

import data.orch.lib.facts

# What a person has named in `licences_allow` is settled.
open contains fact if {
	some fact in facts.of("licences/conflict")
	not fact.attributes.licence in input.settings.licences_allow
}

finding(fact) := object.union(facts.finding(fact), {"help": fact.attributes.help})

deny contains finding(fact) if {
	some fact in open
	fact.attributes.severity == "conflict"
	fact.confidence == "high"
}

require_approval contains finding(fact) if {
	some fact in open
	not certain(fact)
	fact.attributes.severity != "note"
}

warn contains finding(fact) if {
	some fact in open
	fact.attributes.severity == "note"
}

certain(fact) if {
	fact.attributes.severity == "conflict"
	fact.confidence == "high"
}
