# METADATA
# title: There is a way back, and it was tried
# description: The plan as the released commit has it, rehearsed as it stands, and a last good release to go back to.
# scope: package
# custom:
#   code: release/rollback
#   effect: deny
#   help: Write the plan, rehearse it, and let the step that does so write the rehearsal to its file.
#   since: 0.2.0
package orch.release.rollback

import data.orch.lib.release

term := input.terms.rollback

seen := input.facts.rollback

control contains release.not_asked("the environment asks for no plan to go back") if not input.terms.rollback

control contains release.missing(sprintf("the plan is not known: %s", [release.gap("rollback")])) if {
	term
	not input.facts.rollback
}

control contains release.scoped(release.missing(sprintf("there is no last good release to go back to: %s", [release.gap("last_good")])), "last-good") if {
	term
	not input.facts.last_good
}

control contains result if {
	term
	seen
	result := planned
}

days := term.rehearsed_days * 86400

of_plan := [rehearsal | some rehearsal in seen.rehearsals; rehearsal.plan == seen.digest]

newest := [rehearsal | some rehearsal in of_plan; rehearsal.at_seconds == max([one.at_seconds | some one in of_plan])]

failed := [rehearsal | some rehearsal in newest; not rehearsal.worked]

planned := release.measured("deny", sprintf("the plan that was looked at is `%s`, not `%s`", [seen.plan, term.plan])) if {
	seen.plan != term.plan
} else := release.missing(sprintf("the released commit has no `%s`, or an empty one", [term.plan])) if {
	not seen.digest
} else := release.measured("pass", sprintf("`%s` is there; it need not be rehearsed", [term.plan])) if {
	days == 0
} else := release.missing(sprintf("`%s` was never rehearsed as it stands (%s)", [term.plan, release.gap("rollback")])) if {
	count(of_plan) == 0
} else := release.measured("hold", sprintf("the newest rehearsal of `%s` failed, at %s", [term.plan, newest[0].at])) if {
	count(failed) > 0
} else := release.missing(sprintf("`%s` was rehearsed at %s, not in the last %d days", [term.plan, newest[0].at, term.rehearsed_days])) if {
	not release.is_fresh(newest[0].at_seconds, days)
} else := release.measured("pass", sprintf("`%s` was rehearsed in `%s` at %s by %s", [term.plan, newest[0].environment, newest[0].at, newest[0].by]))
