package orch.release.soak_test

import data.orch.release.soak as rule

seen(state, at) := {"environment": "staging", "commit": "a", "state": state, "at_seconds": at}

doc(deployments) := {
	"subject": {"commit": "a"},
	"now_seconds": 10000,
	"terms": {"soak": {"environment": "staging", "minutes": 60}},
	"facts": {"deployments": deployments},
	"sources": [],
}

outcomes := {result.outcome | some result in rule.control}

test_long_enough if outcomes == {"pass"} with input as doc([seen("success", 6400)])

test_too_short if outcomes == {"hold"} with input as doc([seen("success", 6401)])

test_failed_later if outcomes == {"deny"} with input as doc([seen("success", 1000), seen("failed", 9000)])

test_failed_before if outcomes == {"pass"} with input as doc([seen("failed", 500), seen("success", 1000)])

test_counts_from_after_the_failure if outcomes == {"hold"} with input as doc([seen("success", 1000), seen("failed", 2000), seen("success", 9000)])

test_not_there if outcomes == {"hold"} with input as doc([])

test_future if outcomes == {"hold"} with input as doc([seen("success", 10001)])
