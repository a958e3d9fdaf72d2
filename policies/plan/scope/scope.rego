# METADATA
# title: The change touches only files of the plan
# description: A plan that was read and agreed on is worth nothing when the change goes elsewhere.
# scope: package
# custom:
#   code: plan/scope
#   effect: deny
#   help: Leave the file out of the change, or plan again with it.
#   since: 0.1.0
package orch.plan.scope

planned := {file.path | some file in input.plan.files}

deny contains {"msg": sprintf("`%s` is not in the plan", [change.path]), "path": change.path} if {
	some change in input.changes
	not change.path in planned
}
