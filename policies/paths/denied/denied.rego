# METADATA
# title: A change touches no denied path
# description: Files in `paths.deny` are never changed by a run.
# scope: package
# custom:
#   code: paths/denied
#   effect: deny
#   help: Leave the file out of the change; a person has to change it by hand.
#   since: 0.1.0
package orch.paths.denied

import data.orch.lib.paths

deny contains {"msg": sprintf("`%s` is denied by `paths.deny`", [change.path]), "path": change.path} if {
	some change in input.changes
	paths.matches(input.settings.paths_deny, change.path)
}
