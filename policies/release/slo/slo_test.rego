package orch.release.slo_test

import data.orch.release.slo as rule

seen(value) := {"name": "availability", "of": "service", "value": value, "samples": 10, "statistic": "mean", "at": "now", "at_seconds": 990, "source": "s"}

doc(deployed, measures) := {
	"deployed": deployed,
	"now_seconds": 1000,
	"terms": {"measures_minutes": 1, "slo": {"availability": {"better": "higher", "objective": 999000, "min_samples": 10}}},
	"facts": {"measures": measures},
	"sources": [],
}

outcomes := {result.outcome | some result in rule.control}

test_reached if outcomes == {"pass"} with input as doc(false, [seen(999000)])

test_missed if outcomes == {"hold"} with input as doc(false, [seen(998999)])

test_missed_while_out if outcomes == {"rollback"} with input as doc(true, [seen(998999)])

test_no_data if outcomes == {"inconclusive"} with input as doc(true, [])

test_few_samples if outcomes == {"inconclusive"} with input as doc(false, [object.union(seen(999000), {"samples": 9})])
