package orch.release.rollback_test

import data.orch.release.rollback as rule

tried(edits) := object.union({"plan": "d", "worked": true, "at": "then", "at_seconds": 99000, "environment": "staging", "by": "olga"}, edits)

doc(rehearsals) := {
	"now_seconds": 100000,
	"terms": {"rollback": {"plan": "p", "rehearsed_days": 1}},
	"facts": {"last_good": {"commit": "b"}, "rollback": {"plan": "p", "digest": "d", "rehearsals": rehearsals}},
	"sources": [],
}

outcomes := {result.outcome | some result in rule.control}

test_rehearsed if outcomes == {"pass"} with input as doc([tried({})])

test_never if outcomes == {"hold"} with input as doc([])

test_another_plan if outcomes == {"hold"} with input as doc([tried({"plan": "e"})])

test_failed if outcomes == {"hold"} with input as doc([tried({"worked": false})])

test_the_newest_counts if outcomes == {"hold"} with input as doc([tried({"at_seconds": 98000}), tried({"worked": false})])

test_old if outcomes == {"hold"} with input as doc([tried({"at_seconds": 10000})])

test_nothing_to_go_back_to if "hold" in outcomes with input as object.remove(doc([tried({})]), ["facts"])
