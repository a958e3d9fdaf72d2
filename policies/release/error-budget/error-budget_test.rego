package orch.release.error_budget_test

import data.orch.release.error_budget as rule

doc(remaining, at) := {
	"now_seconds": 1000,
	"terms": {"measures_minutes": 1, "error_budget": {"min_remaining": 100000}},
	"facts": {"error_budget": {"remaining": remaining, "window_days": 30, "at": "then", "at_seconds": at, "source": "s"}},
	"sources": [],
}

outcomes := {result.outcome | some result in rule.control}

test_enough if outcomes == {"pass"} with input as doc(100000, 990)

test_too_little if outcomes == {"hold"} with input as doc(99999, 990)

test_used_up if outcomes == {"hold"} with input as doc(0, 990)

test_old if outcomes == {"hold"} with input as doc(900000, 900)

test_not_known if outcomes == {"hold"} with input as {"now_seconds": 1, "terms": {"error_budget": {"min_remaining": 0}}, "facts": {}, "sources": []}
