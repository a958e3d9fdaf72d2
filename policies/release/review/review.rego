# METADATA
# title: The review gate of every change passed at its head
# description: Silence is no answer, and a review of another commit is none of this one.
# scope: package
# custom:
#   code: release/review
#   effect: deny
#   help: Run `orch stage review-gate` on the run, and resolve what it found.
#   since: 0.2.0
package orch.release.review

import data.orch.lib.release

control contains release.not_asked("the environment asks for no review gate") if not input.terms.reviewed

control contains release.missing(sprintf("the runs behind the release are not known: %s", [release.gap("changes")])) if {
	input.terms.reviewed
	not input.facts.changes
}

control contains release.not_asked("no run is behind the release") if {
	input.terms.reviewed
	count(input.facts.changes) == 0
}

control contains release.scoped(result(change), change.run) if {
	input.terms.reviewed
	some change in input.facts.changes
}

result(change) := release.missing(sprintf("`%s` was not reviewed", [change.run])) if {
	not change.review
} else := release.missing(sprintf("`%s` has no commit of its own", [change.run])) if {
	not change.head
} else := release.measured("deny", sprintf("the review of `%s` is of another commit", [change.run])) if {
	change.review.head != change.head
} else := release.measured("deny", sprintf("something speaks against `%s`", [change.run])) if {
	change.review.outcome == "fail"
} else := release.measured("pass", sprintf("`%s` was reviewed", [change.run])) if {
	change.review.outcome == "pass"
} else := release.measured("hold", sprintf("not enough reviewers of `%s` have answered", [change.run]))
