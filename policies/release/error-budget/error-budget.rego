# METADATA
# title: Enough of the error budget is left
# description: A service that has used up what it may fail waits, whatever the release is.
# scope: package
# custom:
#   code: release/error-budget
#   effect: deny
#   help: Wait until the window has moved on, or release what mends the service with a waiver.
#   since: 0.2.0
package orch.release.error_budget

import data.orch.lib.release

control contains release.not_asked("the environment asks for no error budget") if not input.terms.error_budget

control contains release.missing(sprintf("what is left is not known: %s", [release.gap("error_budget")])) if {
	input.terms.error_budget
	not input.facts.error_budget
}

control contains result(input.terms.error_budget, input.facts.error_budget)

told(seen) := sprintf("%s of the budget of %d days is left (%s)", [release.shown(seen.remaining), seen.window_days, seen.source])

result(term, seen) := release.missing(sprintf("what is left was measured at %s, not in the last %d minutes", [seen.at, input.terms.measures_minutes])) if {
	not release.is_fresh(seen.at_seconds, input.terms.measures_minutes * 60)
} else := release.missing("what is left is more than there ever was") if {
	seen.remaining > 1000000
} else := release.measured("hold", told(seen)) if {
	seen.remaining <= 0
} else := release.measured("hold", sprintf("%s, and %s has to be", [told(seen), release.shown(term.min_remaining)])) if {
	seen.remaining < term.min_remaining
} else := release.measured("pass", told(seen))
