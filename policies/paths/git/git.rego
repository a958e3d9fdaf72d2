# METADATA
# title: A change leaves git's own files alone
# description: Files in `.git` run as hooks and settings on every checkout; `.gitmodules` makes a checkout fetch from elsewhere.
# scope: package
# custom:
#   code: paths/git
#   effect: deny
#   help: Leave the file out of the change; add a submodule by hand.
#   since: 0.1.0
#   locked: true
package orch.paths.git

own := {".git", ".gitmodules"}

deny contains {"msg": sprintf("`%s` belongs to git", [change.path]), "path": change.path} if {
	some change in input.changes
	some part in split(lower(change.path), "/")
	part in own
}
