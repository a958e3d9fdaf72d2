# METADATA
# title: What controls of a release answer with
# description: |
#   A control answers with at least one result, also when all is well: a set that stays empty is no answer, and no
#   answer is a deny. `scope` is the part of the control that a waiver can name.
package orch.lib.release

measured(outcome, reason) := {"state": "measured", "outcome": outcome, "reason": reason}

missing(reason) := {"state": "missing", "outcome": "hold", "reason": reason}

unclear(reason) := {"state": "missing", "outcome": "inconclusive", "reason": reason}

not_asked(why) := {"state": "not-asked", "outcome": "pass", "reason": why}

scoped(result, scope) := object.union(result, {"scope": scope})

# What is out and does harm goes back; what is not out does not go out.
harmful := "rollback" if input.deployed

harmful := "deny" if not input.deployed

whys(fact) := {source.why | some source in input.sources; source.fact == fact; source.outcome != "collected"}

gap(fact) := concat("; ", sort(whys(fact))) if count(whys(fact)) > 0

gap(fact) := "nobody looked" if count(whys(fact)) == 0

# The same in brackets; empty where every source was read.
because(fact) := sprintf(" (%s)", [release_gap]) if {
	count(whys(fact)) > 0
	release_gap := gap(fact)
}

because(fact) := "" if count(whys(fact)) == 0

is_failed(fact) if {
	some source in input.sources
	source.fact == fact
	source.outcome == "failed"
}

# Millionths as people write them.
shown(number) := sprintf("%s%d%s", [sign(number), whole(abs(number)), part(abs(number) % 1000000)])

sign(number) := "-" if number < 0

sign(number) := "" if number >= 0

whole(number) := (number - (number % 1000000)) / 1000000

part(number) := "" if number == 0

part(number) := trim_right(sprintf(".%06d", [number]), "0") if number > 0

# Seconds as people count them.
lasting(seconds) := sprintf("%d minutes", [(seconds - (seconds % 60)) / 60]) if seconds < 7200

lasting(seconds) := sprintf("%d hours", [(seconds - (seconds % 3600)) / 3600]) if {
	seconds >= 7200
	seconds < 172800
}

lasting(seconds) := sprintf("%d days", [(seconds - (seconds % 86400)) / 86400]) if seconds >= 172800

age(at_seconds) := input.now_seconds - at_seconds

is_fresh(at_seconds, seconds) if {
	age(at_seconds) >= 0
	age(at_seconds) <= seconds
}

# How much worse one number is than another.
worse("lower", number, than) := number - than

worse("higher", number, than) := than - number

short(commit) := substring(commit, 0, 12)
