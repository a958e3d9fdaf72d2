# METADATA
# title: Files that steer people, agents and tools change with approval
# description: Instructions for agents, hooks, editor tasks, code owners, licences and the settings of orch itself act on everybody who opens the repository.
# scope: package
# custom:
#   code: paths/protected
#   effect: require_approval
#   help: Have a person read the change of this file, or leave it out.
#   since: 0.1.0
package orch.paths.protected

import data.orch.lib.paths

protected := paths.compact(array.concat(input.settings.paths_protect, input.settings.protected_files))

protected_existing := paths.compact(input.settings.protected_existing)

require_approval contains {"msg": sprintf("`%s` is protected", [change.path]), "path": change.path} if {
	some change in input.changes
	paths.matches(protected, change.path)
}

require_approval contains {"msg": sprintf("`%s` is there already and is protected", [change.path]), "path": change.path} if {
	some change in input.changes
	change.op != "create"
	paths.matches(protected_existing, change.path)
}
