# METADATA
# title: Whether a candidate may become the default
# description: |
#   Each control says whether it held, failed, or was not measured. Of the evaluation the sums are looked at, and the
#   thresholds are those of `upgrade` in orch.yml. A control that is missing counts as failed, whatever the others say.
package orch.upgrade

controls contains control("runs", outcome, why) if {
	input.totals.compared >= input.limits.runs
	outcome := "held"
	why := sprintf("%d runs were compared, and %d have to be", [input.totals.compared, input.limits.runs])
}

controls contains control("runs", outcome, why) if {
	input.totals.compared < input.limits.runs
	outcome := "not-measured"
	why := sprintf("%d runs were compared, and %d have to be", [input.totals.compared, input.limits.runs])
}

controls contains control("measured", "held", "every run that was named was compared") if {
	input.totals.not_measured == 0
}

controls contains control("measured", "not-measured", why) if {
	input.totals.not_measured > 0
	why := sprintf("%d runs could not be compared", [input.totals.not_measured])
}

# Rules alone: what was decided then is decided again.

controls contains bounded("looser", input.totals.looser, input.limits.looser, "decisions become looser") if {
	input.kind == "policy"
}

controls contains bounded("stricter", input.totals.stricter, input.limits.stricter, "decisions become stricter") if {
	input.kind == "policy"
}

# Whatever writes changes: the same requests again.

controls contains bounded("verdicts", input.totals.worse, input.limits.worse, "runs end worse") if {
	input.kind != "policy"
}

controls contains bounded("tests", input.totals.tests_lost, input.limits.tests, "runs lose passing tests") if {
	input.kind != "policy"
}

controls contains bounded("refusals", more, input.limits.refusals, "runs more end without a change") if {
	input.kind != "policy"
	more := max([0, input.totals.refused_candidate - input.totals.refused_current])
}

controls contains control("cost", "held", why) if {
	input.kind != "policy"
	within
	why := sprintf("it costs %s where %s was spent", [dollars(cost_candidate), dollars(cost_current)])
}

controls contains control("cost", "failed", why) if {
	input.kind != "policy"
	not within
	why := sprintf("it costs %s where %s was spent, and %d %% more is allowed", [
		dollars(cost_candidate),
		dollars(cost_current),
		input.limits.cost_percent,
	])
}

controls contains control("cost", "not-measured", "the cost of a run is not known") if {
	input.kind != "policy"
	not known
}

cost_current := input.totals.cost_current_nano_usd

cost_candidate := input.totals.cost_candidate_nano_usd

known if {
	is_number(cost_current)
	is_number(cost_candidate)
}

within if cost_candidate * 100 <= cost_current * (100 + input.limits.cost_percent)

control(name, outcome, why) := {"name": name, "outcome": outcome, "why": why}

bounded(name, found, limit, what) := control(name, "held", why) if {
	found <= limit
	why := sprintf("%d %s, and %d may", [found, what, limit])
}

bounded(name, found, limit, what) := control(name, "failed", why) if {
	found > limit
	why := sprintf("%d %s, and %d may", [found, what, limit])
}

# Micro-dollars, rounded up, so that nothing that costs shows as free.
dollars(nano) := sprintf("$%d.%06d", [floor(micro / 1000000), micro % 1000000]) if {
	micro := ceil(nano / 1000)
}
