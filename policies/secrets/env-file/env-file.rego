# METADATA
# title: No `.env` file is committed
# description: Such files hold the secrets of one machine; in the history they stay for ever.
# scope: package
# custom:
#   code: secrets/env-file
#   effect: deny
#   severity: high
#   help: Take the file out, add it to `.gitignore`, and commit a `.env.example` without values.
#   since: 0.1.0
package orch.secrets.env_file

import data.orch.lib.facts
import data.orch.lib.paths

found contains fact if {
	some fact in facts.of("secrets/env-file")
	not paths.matches(input.settings.env_files_allowed, fact.attributes.name)
}

deny contains facts.finding(fact) if {
	some fact in found
	not facts.aside(fact)
}

warn contains facts.finding(fact) if {
	some fact in found
	facts.aside(fact)
}
