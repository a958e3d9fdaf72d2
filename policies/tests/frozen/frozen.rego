# METADATA
# title: The acceptance tests stay as they were written
# description: The tests are written and seen to fail first; whoever may change them afterwards can make any change pass.
# scope: package
# custom:
#   code: tests/frozen
#   effect: deny
#   help: Leave the acceptance tests as they are; when one is wrong, start again from the tests.
#   since: 0.1.0
#   locked: true
package orch.tests.frozen

tests := {lower(file.path) | some file in input.tests.set.files}

deny contains {"msg": sprintf("the edits change the frozen test file `%s`", [change.path]), "path": change.path} if {
	some change in input.changes
	change.origin == "edits"
	lower(change.path) in tests
}

deny contains {"msg": sprintf("the frozen test file `%s` was changed while the commands ran", [file.path]), "path": file.path} if {
	some file in input.tests.green.frozen
	object.get(file, "found", "gone") != file.expected
}

checked := {[file.path, file.expected] | some file in input.tests.green.frozen}

deny contains {"msg": sprintf("the frozen test file `%s` was not compared after the run", [file.path]), "path": file.path} if {
	some file in input.tests.set.files
	file.op != "delete"
	not [file.path, file.after] in checked
}
