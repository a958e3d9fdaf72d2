# METADATA
# title: Migrations that lose data come with approval
# description: What a migration drops is gone when it has run, also where a deployment is rolled back.
# scope: package
# custom:
#   code: data/destructive-migration
#   effect: require_approval
#   severity: high
#   help: Say how the data is kept or why it is not needed; rename first, drop in a later release; add columns with a default.
#   since: 0.1.0
package orch.data.destructive_migration

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("data/destructive-migration")
	fact.confidence == "high"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("data/destructive-migration")
	fact.confidence == "medium"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("data/destructive-migration")
	fact.attributes.where == "tests"
}
