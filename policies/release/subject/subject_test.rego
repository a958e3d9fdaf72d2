package orch.release.subject_test

import data.orch.release.subject as rule

doc(facts) := {
	"subject": {"commit": "aaaaaaaaaaaaaaaa", "tree": "t1"},
	"branch": "main",
	"facts": facts,
	"sources": [],
}

commits := [{"commit": "aaaaaaaaaaaaaaaa", "tree": "t1"}]

outcomes := {result.outcome | some result in rule.control}

test_on_the_branch if outcomes == {"pass"} with input as doc({"commits": commits, "on_branch": true})

test_not_on_the_branch if outcomes == {"deny"} with input as doc({"commits": commits, "on_branch": false})

test_another_commit if outcomes == {"deny"} with input as doc({"commits": [{"commit": "b", "tree": "t1"}], "on_branch": true})

test_another_tree if outcomes == {"deny"} with input as doc({"commits": [{"commit": "aaaaaaaaaaaaaaaa", "tree": "t2"}], "on_branch": true})

test_out_already if "hold" in outcomes with input as doc({"commits": [], "on_branch": true, "last_good": {"commit": "aaaaaaaaaaaaaaaa"}})

test_nothing_known if outcomes == {"hold"} with input as doc({})
