package orch.release.canary_test

import data.orch.release.canary as rule

side(of, value, samples) := {"name": "errors", "of": of, "value": value, "samples": samples, "statistic": "ratio", "at": "now", "at_seconds": 990, "source": "s"}

doc(measures) := {
	"deployed": true,
	"subject": {"commit": "a"},
	"now_seconds": 1000,
	"terms": {"measures_minutes": 1, "canary": {"errors": {"better": "lower", "tolerance": 1000, "min_samples": 100}}},
	"facts": {"last_good": {"commit": "b"}, "measures": measures},
	"sources": [],
}

with_events(seen, events) := object.union(seen, {"events": events})

outcomes := {result.outcome | some result in rule.control}

test_no_worse if outcomes == {"pass"} with input as doc([side("canary", 2000, 500), side("last-good", 1000, 500)])

test_worse if outcomes == {"rollback"} with input as doc([side("canary", 2001, 500), side("last-good", 1000, 500)])

test_few_samples if outcomes == {"inconclusive"} with input as doc([side("canary", 900000, 99), side("last-good", 1000, 500)])

test_one_side if outcomes == {"inconclusive"} with input as doc([side("canary", 0, 500)])

test_old if outcomes == {"inconclusive"} with input as doc([object.union(side("canary", 0, 500), {"at_seconds": 900}), side("last-good", 1000, 500)])

test_chance if outcomes == {"inconclusive"} with input as doc([with_events(side("canary", 20000, 100), 2), with_events(side("last-good", 5000, 1000), 5)])

test_no_chance if outcomes == {"rollback"} with input as doc([with_events(side("canary", 100000, 1000), 100), with_events(side("last-good", 5000, 1000), 5)])

# Far over 64 bits: a million requests a side.
test_large_numbers if outcomes == {"rollback"} with input as doc([with_events(side("canary", 10000, 100000000), 1000000), with_events(side("last-good", 5000, 100000000), 500000)])

test_odd_numbers if outcomes == {"inconclusive"} with input as doc([with_events(side("canary", 0, 1000), 100), with_events(side("last-good", 5000, 1000), 5)])

test_nothing_known if outcomes == {"inconclusive"} with input as object.union(doc([]), {"facts": {"measures": []}})
