# METADATA
# title: Commands that delete everything come with approval
# description: In a script nobody is asked before a disk, a bucket, a namespace or a branch is gone.
# scope: package
# custom:
#   code: ops/destructive-command
#   effect: require_approval
#   severity: high
#   help: Name exactly what is deleted, guard variables (`${DIR:?}`), and let a person confirm what cannot be made again.
#   since: 0.1.0
package orch.ops.destructive_command

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("ops/destructive-command")
	fact.confidence == "high"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("ops/destructive-command")
	fact.confidence == "medium"
	fact.attributes.where != "tests"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("ops/destructive-command")
	fact.attributes.where == "tests"
}
