# METADATA
# title: The canary is not worse than the last good release
# description: |
#   Each measure is compared with the same measure of the last good release over the same time. Too few samples, a side
#   that is missing, old or of another commit, and a difference that chance explains conclude nothing, and nothing is
#   concluded in favour of the release. Of ratios with their numbers, a difference counts from a chi-square of 6.63 on
#   (one degree of freedom, 1 % by chance).
# scope: package
# custom:
#   code: release/canary
#   effect: deny
#   help: Wait for more samples, or look at the measure; what is out and worse goes back with `orch stage rollback`.
#   since: 0.2.0
package orch.release.canary

import data.orch.lib.release

asked if count(input.terms.canary) > 0

control contains release.not_asked("the environment asks for no canary") if not asked

control contains release.unclear(sprintf("the measures are not known: %s", [release.gap("measures")])) if {
	asked
	not input.facts.measures
}

control contains release.unclear(sprintf("there is no last good release to compare with: %s", [release.gap("last_good")])) if {
	asked
	not input.facts.last_good
}

control contains release.scoped(result(name, term), name) if {
	input.facts.measures
	input.facts.last_good
	some name, term in input.terms.canary
}

sides(name, of) := [seen | some seen in input.facts.measures; seen.name == name; seen.of == of]

commits := {"canary": input.subject.commit, "last-good": input.facts.last_good.commit}

# Why a side cannot be used; empty where it can.
side_fault(name, of, term) := sprintf("there is no measure of the %s%s", [of, release.because("measures")]) if {
	count(sides(name, of)) == 0
} else := sprintf("there are %d measures of the %s", [count(sides(name, of)), of]) if {
	count(sides(name, of)) > 1
} else := sprintf("the measure of the %s is of another commit", [of]) if {
	sides(name, of)[0].commit != commits[of]
} else := sprintf("the measure of the %s is from %s, not of the last %d minutes", [of, sides(name, of)[0].at, input.terms.measures_minutes]) if {
	not release.is_fresh(sides(name, of)[0].at_seconds, input.terms.measures_minutes * 60)
} else := sprintf("the %s has %d samples, and at least %d are needed", [of, sides(name, of)[0].samples, term.min_samples]) if {
	sides(name, of)[0].samples < term.min_samples
} else := sprintf("value, events and samples of the %s do not go together", [of]) if {
	is_odd(sides(name, of)[0])
} else := ""

is_odd(seen) if seen.events > seen.samples

# A server extrapolates, so that a twentieth and two events are let pass.
is_odd(seen) if {
	off := abs((seen.value * seen.samples) - (seen.events * 1000000))
	off > 2000000 + (seen.events * 50000)
}

faults(name, term) := [fault |
	some of in ["canary", "last-good"]
	fault := side_fault(name, of, term)
	fault != ""
]

result(name, term) := release.unclear(sprintf("%s: %s", [name, concat("; ", faults(name, term))])) if {
	count(faults(name, term)) > 0
} else := compared(name, term, sides(name, "canary")[0], sides(name, "last-good")[0])

compared(name, term, canary, good) := release.unclear(sprintf("%s: the canary's is a %s, the last good release's a %s", [name, canary.statistic, good.statistic])) if {
	canary.statistic != good.statistic
} else := release.unclear(sprintf("%s: one side tells its events, the other does not", [name])) if {
	has_events(canary) != has_events(good)
} else := release.measured("pass", told(name, term, canary, good)) if {
	release.worse(term.better, canary.value, good.value) <= term.tolerance
} else := release.measured("inconclusive", sprintf("%s; chance explains that", [told(name, term, canary, good)])) if {
	is_chance(canary, good)
} else := release.measured(release.harmful, told(name, term, canary, good))

has_events(seen) := is_number(object.get(seen, "events", null))

told(name, term, canary, good) := sprintf(
	"%s: %s %s over %d samples, against %s over %d of the last good release; %s is better, %s worse is let through (%s)",
	[
		name,
		canary.statistic,
		release.shown(canary.value),
		canary.samples,
		release.shown(good.value),
		good.samples,
		term.better,
		release.shown(term.tolerance),
		canary.source,
	],
)

# Pearson's chi-square of a table of two by two, in whole numbers: both sides times a hundred.
is_chance(canary, good) if {
	all := canary.samples + good.samples
	events := canary.events + good.events
	cross := (canary.events * good.samples) - (good.events * canary.samples)
	below := ((canary.samples * good.samples) * events) * (all - events)
	((cross * cross) * all) * 100 < below * 663
}

is_chance(canary, good) if canary.events + good.events == 0

is_chance(canary, good) if canary.events + good.events == canary.samples + good.samples
