# METADATA
# title: Actions of others are taken by a commit
# description: Who owns an action can move its tags and branches; in 2025 and 2026 tags of actions in tens of thousands of repositories were moved to code that sent secrets away.
# scope: package
# custom:
#   code: workflows/unpinned-action
#   effect: require_approval
#   severity: medium
#   help: 'Write the full commit in place of the tag, with the tag in a comment: `owner/action@<40 digits> # v1.2.3`.'
#   since: 0.1.0
package orch.workflows.unpinned_action

import data.orch.lib.facts
import data.orch.lib.paths

trusted(fact) if paths.matches(input.settings.trusted_actions, fact.attributes.action)

require_approval contains facts.finding(fact) if {
	some fact in facts.of("workflows/unpinned-action")
	not trusted(fact)
}

warn contains facts.finding(fact) if {
	some fact in facts.of("workflows/unpinned-action")
	trusted(fact)
}
