# METADATA
# title: Workflows and actions change with approval
# description: A workflow runs with the tokens and secrets of the repository; a small change of one can give them away.
# scope: package
# custom:
#   code: paths/workflows
#   effect: require_approval
#   help: Have a person read what the workflow runs, with which permissions and secrets.
#   since: 0.1.0
package orch.paths.workflows

folders := {".github/workflows/", ".github/actions/"}

require_approval contains finding(change.path) if {
	some change in input.changes
	some folder in folders
	startswith(lower(change.path), folder)
}

require_approval contains finding(change.path) if {
	some change in input.changes
	lower(change.name) in {"action.yml", "action.yaml"}
}

finding(path) := {"msg": sprintf("`%s` runs in CI", [path]), "path": path}
