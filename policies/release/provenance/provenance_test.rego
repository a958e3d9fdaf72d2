package orch.release.provenance_test

import data.orch.release.provenance as rule

change(result) := {
	"run": "r",
	"commits": ["c"],
	"proof": {"result": result, "checks": [{"name": "chain", "result": result, "why": ""}], "signed_by": "k"},
}

doc(changes, commits) := {
	"terms": {"proven": true, "signed": true},
	"facts": {"last_good": {"commit": "b"}, "changes": changes, "commits": commits},
	"sources": [],
}

own := {"commit": "c", "run": "r", "joins": false}

outcomes := {result.outcome | some result in rule.control}

test_proven if outcomes == {"pass"} with input as doc([change("held")], [own])

test_a_merge_that_only_joins if outcomes == {"pass"} with input as doc([change("held")], [own, {"commit": "m", "joins": true}])

test_not_held if count(outcomes & {"deny"}) == 1 with input as doc([change("failed")], [own])

test_not_measured if count(outcomes & {"hold"}) == 1 with input as doc([change("not-measured")], [own])

test_by_hand if count(outcomes & {"hold"}) == 1 with input as doc([change("held")], [own, {"commit": "h", "joins": false}])

test_run_that_is_not_here if count(outcomes & {"hold"}) == 1 with input as doc([change("held")], [{"commit": "c", "run": "other", "joins": false}])

unsigned := {"run": "r", "commits": ["c"], "proof": {"result": "held", "checks": [{"name": "chain", "result": "held", "why": ""}]}}

test_not_signed if count(outcomes & {"hold"}) == 1 with input as doc([unsigned], [own])

test_nothing_to_begin_with if outcomes == {"pass", "hold"} with input as {"terms": {"proven": true, "signed": false}, "facts": {"changes": [change("held")], "commits": [own]}, "sources": []}

test_nothing_known if outcomes == {"hold"} with input as {"terms": {"proven": true, "signed": false}, "facts": {}, "sources": []}
