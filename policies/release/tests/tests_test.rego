package orch.release.tests_test

import data.orch.release.tests as rule

tests := {"red": {"outcome": "passed"}, "green": {"outcome": "passed", "passed": 3, "failed": 0}}

doc(edits) := {"facts": {"changes": [{"run": "r", "tests": object.union(tests, edits)}]}, "sources": []}

outcomes := {result.outcome | some result in rule.control}

test_red_then_green if outcomes == {"pass"} with input as doc({})

test_one_failed if outcomes == {"deny"} with input as doc({"green": {"failed": 1}})

test_did_not_pass if outcomes == {"deny"} with input as doc({"green": {"outcome": "failed"}})

test_none_ran if outcomes == {"hold"} with input as doc({"green": {"passed": 0}})

test_never_red if outcomes == {"deny"} with input as doc({"red": {"outcome": "failed"}})

test_no_red if outcomes == {"hold"} with input as {"facts": {"changes": [{"run": "r", "tests": object.remove(tests, ["red"])}]}, "sources": []}

test_nothing_known if outcomes == {"hold"} with input as {"facts": {}, "sources": []}
