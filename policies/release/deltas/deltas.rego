# METADATA
# title: Coverage, sizes and the like did not become much worse
# description: Each measure is compared with the last good release, as the file of an earlier step has both.
# scope: package
# custom:
#   code: release/deltas
#   effect: deny
#   help: Bring the measure back, or let the environment take more.
#   since: 0.2.0
package orch.release.deltas

import data.orch.lib.release

asked if count(input.terms.deltas) > 0

control contains release.not_asked("the environment compares nothing") if not asked

control contains release.missing(sprintf("what changed is not known: %s", [release.gap("deltas")])) if {
	asked
	not input.facts.deltas
}

control contains release.scoped(result(name, term), name) if {
	input.facts.deltas
	some name, term in input.terms.deltas
}

found(name) := [seen | some seen in input.facts.deltas; seen.name == name]

told(name, term, seen) := sprintf("%s: %s before, %s now; %s is better, %s worse is let through", [name, release.shown(seen.before), release.shown(seen.after), term.better, release.shown(term.tolerance)])

result(name, term) := release.missing(sprintf("%s was not measured", [name])) if {
	count(found(name)) == 0
} else := release.missing(sprintf("%s was measured %d times", [name, count(found(name))])) if {
	count(found(name)) > 1
} else := release.measured("deny", told(name, term, found(name)[0])) if {
	release.worse(term.better, found(name)[0].after, found(name)[0].before) > term.tolerance
} else := release.measured("pass", told(name, term, found(name)[0]))
