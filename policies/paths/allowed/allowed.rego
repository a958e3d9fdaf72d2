# METADATA
# title: A change stays on the allow list
# description: Where `paths.allow` names files, a change touches no other.
# scope: package
# custom:
#   code: paths/allowed
#   effect: deny
#   help: Leave the file out of the change, or add it to `paths.allow` in orch.yml on the base branch.
#   since: 0.1.0
package orch.paths.allowed

import data.orch.lib.paths

deny contains {"msg": sprintf("`%s` is not on the allow list", [change.path]), "path": change.path} if {
	count(input.settings.paths_allow) > 0
	some change in input.changes
	not paths.exact(input.settings.paths_allow, change.path)
}
