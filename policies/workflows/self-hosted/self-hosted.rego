# METADATA
# title: Machines of your own do not run pull requests unseen
# description: What a pull request leaves on a machine that is kept is there for the next job, with its secrets.
# scope: package
# custom:
#   code: workflows/self-hosted
#   effect: require_approval
#   severity: medium
#   help: Use a hosted runner or one that is thrown away after the job, or ask for approval of all outside contributors in the settings.
#   since: 0.1.0
package orch.workflows.self_hosted

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/self-hosted")
}
