# METADATA
# title: Binary files come with approval
# description: Nobody can review a binary file in a diff, and rules cannot look into it.
# scope: package
# custom:
#   code: content/binary
#   effect: require_approval
#   help: Have a person say where the file comes from, or build it from source.
#   since: 0.1.0
package orch.content.binary

# What a scanner knows is judged by a rule of its own.
known contains fact.path if {
	some fact in input.facts
	fact.code in {"content/executable", "content/archive"}
	fact.attributes.where != "tests"
}

# What could not be looked at is said by `policy/not-scanned` and `policy/submodule`.
unread contains file.path if some file in object.get(input, "unread", [])

require_approval contains {"msg": sprintf("`%s` is a binary file", [change.path]), "path": change.path} if {
	some change in input.changes
	change.binary
	change.op != "delete"
	not change.path in known
	not change.path in unread
}
