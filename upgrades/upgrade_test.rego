package orch.upgrade_test

import data.orch.upgrade

good := {
	"kind": "prompt",
	"totals": {
		"compared": 10,
		"not_measured": 0,
		"better": 0,
		"worse": 0,
		"looser": 0,
		"stricter": 0,
		"tests_lost": 0,
		"tests_won": 0,
		"refused_current": 0,
		"refused_candidate": 0,
		"cost_current_nano_usd": 1000000000,
		"cost_candidate_nano_usd": 1100000000,
	},
	"limits": {
		"runs": 10,
		"worse": 0,
		"tests": 0,
		"refusals": 0,
		"cost_percent": 10,
		"looser": 0,
		"stricter": 0,
	},
}

outcomes(document) := {name: outcome |
	some found in upgrade.controls with input as document
	name := found.name
	outcome := found.outcome
}

changed(path, value) := json.patch(good, [{"op": "replace", "path": path, "value": value}])

test_all_controls_of_a_good_one_hold if {
	outcomes(good) == {
		"runs": "held",
		"measured": "held",
		"verdicts": "held",
		"tests": "held",
		"refusals": "held",
		"cost": "held",
	}
}

test_rules_alone_are_held_to_decisions if {
	outcomes(changed("/kind", "policy")) == {
		"runs": "held",
		"measured": "held",
		"looser": "held",
		"stricter": "held",
	}
}

test_too_few_runs_are_no_measure if outcomes(changed("/totals/compared", 9)).runs == "not-measured"

test_a_run_that_was_not_compared_is_no_measure if {
	outcomes(changed("/totals/not_measured", 1)).measured == "not-measured"
}

test_a_worse_run_fails if outcomes(changed("/totals/worse", 1)).verdicts == "failed"

test_lost_tests_fail if outcomes(changed("/totals/tests_lost", 1)).tests == "failed"

test_a_refusal_more_fails if outcomes(changed("/totals/refused_candidate", 1)).refusals == "failed"

test_as_many_refusals_as_before_hold if {
	outcomes(json.patch(good, [
		{"op": "replace", "path": "/totals/refused_current", "value": 2},
		{"op": "replace", "path": "/totals/refused_candidate", "value": 2},
	])).refusals == "held"
}

test_one_nano_dollar_over_the_limit_fails if {
	outcomes(changed("/totals/cost_candidate_nano_usd", 1100000001)).cost == "failed"
}

test_an_unknown_cost_is_no_measure if {
	some path in ["/totals/cost_candidate_nano_usd", "/totals/cost_current_nano_usd"]
	outcomes(json.patch(good, [{"op": "remove", "path": path}])).cost == "not-measured"
}

test_other_rules_are_bounded if {
	every name in ["looser", "stricter"] {
		document := json.patch(good, [
			{"op": "replace", "path": "/kind", "value": "policy"},
			{"op": "replace", "path": sprintf("/totals/%s", [name]), "value": 1},
		])
		outcomes(document)[name] == "failed"
	}
}
