package orch.lib.release_test

import data.orch.lib.release

test_millionths if release.shown(1500) == "0.0015"

test_whole_numbers if release.shown(-42000000) == "-42"

test_below_zero if release.shown(-2250000) == "-2.25"

test_zero if release.shown(0) == "0"

test_lower_is_better if release.worse("lower", 5, 3) == 2

test_higher_is_better if release.worse("higher", 5, 3) == -2

test_minutes if release.lasting(5400) == "90 minutes"

test_hours if release.lasting(7200) == "2 hours"

test_days if release.lasting(259200) == "3 days"

test_fresh if release.is_fresh(90, 10) with input as {"now_seconds": 100}

test_old if not release.is_fresh(89, 10) with input as {"now_seconds": 100}

test_future if not release.is_fresh(101, 10) with input as {"now_seconds": 100}

sources := [
	{"fact": "checks", "outcome": "failed", "why": "no token"},
	{"fact": "checks", "outcome": "collected"},
	{"fact": "pulls", "outcome": "absent", "why": "none"},
]

test_gap_tells_why if release.gap("checks") == "no token" with input as {"sources": sources}

test_gap_without_a_source if release.gap("sbom") == "nobody looked" with input as {"sources": sources}

test_because if release.because("checks") == " (no token)" with input as {"sources": sources}

test_because_of_nothing if release.because("sbom") == "" with input as {"sources": sources}

test_failed if release.is_failed("checks") with input as {"sources": sources}

test_absent_is_not_failed if not release.is_failed("pulls") with input as {"sources": sources}

test_harm_goes_back_where_it_is_out if release.harmful == "rollback" with input as {"deployed": true}

test_harm_stays_in_where_it_is_not_out if release.harmful == "deny" with input as {"deployed": false}
