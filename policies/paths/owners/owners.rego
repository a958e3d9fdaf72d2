# METADATA
# title: Owners know of changes to what is theirs
# description: Code owners are asked by the platform; what has no owner any more is asked of nobody.
# scope: package
# custom:
#   code: paths/owners
#   effect: require_approval
#   help: Ask the owners that are named, or leave CODEOWNERS as it is.
#   since: 0.1.0
package orch.paths.owners

import data.orch.lib.facts
import data.orch.lib.paths

required := paths.compact(input.settings.owners_require)

require_approval contains facts.finding(fact) if {
	some fact in facts.of("paths/owners")
	fact.attributes.kind == "owned"
	some path in split(fact.attributes.files, "\n")
	paths.matches(required, path)
}

require_approval contains facts.finding(fact) if {
	some fact in facts.of("paths/owners")
	fact.attributes.kind == "unowned"
}

warn contains facts.finding(fact) if {
	some fact in facts.of("paths/owners")
	fact.attributes.kind == "invalid"
}
