# METADATA
# title: A change is small enough to be read
# description: Nobody reads a change of thousands of lines; what nobody reads is not reviewed.
# scope: package
# custom:
#   code: size/change
#   effect: deny
#   help: Split the change, or raise the limit in `policy.settings`.
#   since: 0.1.0
package orch.size.change

import data.orch.lib.paths

ignored := paths.compact(input.settings.size_ignore)

counted := [change |
	some change in input.changes
	not paths.matches(ignored, change.path)
]

lines := sum([n | some change in counted; n := count(change.added) + change.removed])

sizes := [
	["files", input.size.files, input.settings.max_files, input.settings.max_files_deny],
	["lines", lines, input.settings.max_lines, input.settings.max_lines_deny],
]

require_approval contains sprintf("the change has %d %s; above %d a person has to approve", [size, what, limit]) if {
	some [what, size, limit, denied] in sizes
	size > limit
	size <= denied
}

deny contains sprintf("the change has %d %s; the limit is %d", [size, what, denied]) if {
	some [what, size, _, denied] in sizes
	size > denied
}
