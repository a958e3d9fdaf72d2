# METADATA
# title: No artifact carries the token of a checkout
# description: Older versions of `actions/checkout` leave the token in `.git/config`, and everybody who can read the run can read the artifact.
# scope: package
# custom:
#   code: workflows/artipacked
#   effect: require_approval
#   severity: high
#   help: 'Set `persist-credentials: false`, or upload a folder without `.git`.'
#   since: 0.1.0
package orch.workflows.artipacked

import data.orch.lib.facts

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/artipacked")
}
