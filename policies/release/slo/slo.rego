# METADATA
# title: The service reaches its objectives
# description: A service that misses an objective gets no new release; where the release is out already, it goes back.
# scope: package
# custom:
#   code: release/slo
#   effect: deny
#   help: Mend the service first; missing numbers have to be measured.
#   since: 0.2.0
package orch.release.slo

import data.orch.lib.release

asked if count(input.terms.slo) > 0

control contains release.not_asked("the environment asks for no objective") if not asked

control contains release.unclear(sprintf("the measures are not known: %s", [release.gap("measures")])) if {
	asked
	not input.facts.measures
}

control contains release.scoped(result(name, term), name) if {
	input.facts.measures
	some name, term in input.terms.slo
}

found(name) := [seen | some seen in input.facts.measures; seen.name == name; seen.of == "service"]

missed := "rollback" if input.deployed

missed := "hold" if not input.deployed

told(name, term, seen) := sprintf(
	"%s: %s %s over %d samples, the objective is %s, %s is better (%s)",
	[name, seen.statistic, release.shown(seen.value), seen.samples, release.shown(term.objective), term.better, seen.source],
)

result(name, term) := release.unclear(sprintf("%s: there is no measure of the service%s", [name, release.because("measures")])) if {
	count(found(name)) == 0
} else := release.unclear(sprintf("%s: there are %d measures of the service", [name, count(found(name))])) if {
	count(found(name)) > 1
} else := release.unclear(sprintf("%s: the measure is from %s, not of the last %d minutes", [name, found(name)[0].at, input.terms.measures_minutes])) if {
	not release.is_fresh(found(name)[0].at_seconds, input.terms.measures_minutes * 60)
} else := release.unclear(sprintf("%s: there are %d samples, and at least %d are needed", [name, found(name)[0].samples, term.min_samples])) if {
	found(name)[0].samples < term.min_samples
} else := release.measured(missed, told(name, term, found(name)[0])) if {
	release.worse(term.better, found(name)[0].value, term.objective) > 0
} else := release.measured("pass", told(name, term, found(name)[0]))
