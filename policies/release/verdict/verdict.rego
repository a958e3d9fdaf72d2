# METADATA
# title: Policy let every change through, or a person did, for that very verdict
# description: The verdict is the file the pull request names by digest; an approval counts for that digest alone.
# scope: package
# custom:
#   code: release/verdict
#   effect: deny
#   help: Look at the run's verdict (`orch report RUN`); approve the digest it has now, or mend what policy denies.
#   locked: true
#   since: 0.2.0
package orch.release.verdict

import data.orch.lib.release

control contains release.missing(sprintf("the runs behind the release are not known: %s", [release.gap("changes")])) if {
	not input.facts.changes
}

control contains release.not_asked("no run is behind the release") if count(input.facts.changes) == 0

control contains release.scoped(result(change), change.run) if some change in input.facts.changes

asker(change) := object.get(change, ["requester", "id"], 0)

result(change) := release.missing(sprintf("`%s` has no verdict", [change.run])) if {
	not change.verdict
} else := release.missing(sprintf("the pull request of `%s` names no verdict", [change.run])) if {
	not change.bound_verdict
} else := release.measured("deny", sprintf("the verdict of `%s` is not the one its pull request names", [change.run])) if {
	change.bound_verdict != change.verdict.digest
} else := release.measured("deny", sprintf("policy denies `%s`", [change.run])) if {
	change.verdict.decision == "deny"
} else := release.measured("pass", sprintf("policy allows `%s`", [change.run])) if {
	change.verdict.decision == "allow"
} else := release.measured("deny", sprintf("policy left `%s` to a person, and nobody approved it", [change.run])) if {
	not change.approval
} else := release.measured("deny", sprintf("the approval of `%s` is for another verdict", [change.run])) if {
	change.approval.verdict != change.verdict.digest
} else := release.measured("deny", sprintf("the approval of `%s` %s", [change.run, change.approval.why])) if {
	not change.approval.covered
} else := release.missing(sprintf("the approval of `%s` names no account", [change.run])) if {
	not change.approval.by
} else := release.measured("deny", sprintf("`%s` was approved by a program, %s", [change.run, change.approval.by.login])) if {
	change.approval.by.bot
} else := release.measured("deny", sprintf("`%s` was approved by who asked for it, %s", [change.run, change.approval.by.login])) if {
	change.approval.by.id == asker(change)
} else := release.measured("pass", sprintf("%s approved `%s`", [change.approval.by.login, change.run]))
