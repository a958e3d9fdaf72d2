package orch.release.deltas_test

import data.orch.release.deltas as rule

doc(deltas) := {
	"terms": {"deltas": {"coverage": {"better": "higher", "tolerance": 500000}}},
	"facts": {"deltas": deltas},
	"sources": [],
}

seen(after) := {"name": "coverage", "before": 80000000, "after": after, "source": "s"}

outcomes := {result.outcome | some result in rule.control}

test_a_little_less if outcomes == {"pass"} with input as doc([seen(79500000)])

test_much_less if outcomes == {"deny"} with input as doc([seen(79499999)])

test_not_measured if outcomes == {"hold"} with input as doc([])

test_measured_twice if outcomes == {"hold"} with input as doc([seen(80000000), object.union(seen(80000000), {"source": "other"})])
