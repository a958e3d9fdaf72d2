# METADATA
# title: No `.env` file is committed
# description: Such files hold the secrets of one machine; in the history they stay for ever.
# scope: package
# custom:
#   code: secrets/env-file
#   effect: deny
#   help: Take the file out, add it to `.gitignore`, and commit a `.env.example` without values.
#   since: 0.1.0
package orch.secrets.env_file

import data.orch.lib.paths

deny contains {"msg": sprintf("`%s` is an environment file", [change.path]), "path": change.path} if {
	some change in input.changes
	change.op != "delete"
	regex.match(`^\.env(\..+)?$|^.+\.env$`, lower(change.name))
	not paths.matches(input.settings.env_files_allowed, change.name)
}
