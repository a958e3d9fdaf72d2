package orch.release.verdict_test

import data.orch.release.verdict as rule

change := {
	"run": "r",
	"requester": {"id": 7, "login": "rita", "bot": false},
	"verdict": {"decision": "needs-approval", "digest": "d"},
	"bound_verdict": "d",
	"approval": {"by": {"id": 9, "login": "olga", "bot": false}, "verdict": "d", "covered": true, "why": ""},
}

doc(edits) := {"facts": {"changes": [object.union(change, edits)]}, "sources": []}

outcomes := {result.outcome | some result in rule.control}

test_approved if outcomes == {"pass"} with input as doc({})

test_allowed if outcomes == {"pass"} with input as doc({"verdict": {"decision": "allow"}})

test_denied if outcomes == {"deny"} with input as doc({"verdict": {"decision": "deny"}})

test_another_digest if outcomes == {"deny"} with input as doc({"verdict": {"digest": "e"}})

test_approval_of_another if outcomes == {"deny"} with input as doc({"approval": {"verdict": "e"}})

test_over if outcomes == {"deny"} with input as doc({"approval": {"covered": false, "why": "has expired"}})

test_own_approval if outcomes == {"deny"} with input as doc({"approval": {"by": {"id": 7}}})

test_program if outcomes == {"deny"} with input as doc({"approval": {"by": {"bot": true}}})

test_no_verdict if outcomes == {"hold"} with input as {"facts": {"changes": [object.remove(change, ["verdict"])]}, "sources": []}

test_nothing_known if outcomes == {"hold"} with input as {"facts": {}, "sources": []}
