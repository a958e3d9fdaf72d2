package orch.release.approvals_test

import data.orch.release.approvals as rule

approval := {"by": {"id": 9, "login": "olga", "bot": false}, "standing": "write", "how": "approved", "commit": "h", "at_seconds": 900}

doc(approvals) := {
	"now_seconds": 1000,
	"terms": {"approvals": 1, "approval_hours": 1},
	"facts": {
		"last_good": {"commit": "b"},
		"changes": [{"run": "r", "requester": {"id": 7}, "commits": ["c"]}],
		"commits": [{"commit": "c", "joins": false}],
		"pulls": [{"number": 20, "author": {"id": 5}, "writers": [], "head": "h", "commits": ["c"], "approvals": approvals}],
	},
	"sources": [],
}

with_edits(edits) := doc([object.union(approval, edits)])

outcomes := {result.outcome | some result in rule.control}

test_approved if outcomes == {"pass"} with input as doc([approval])

test_nobody if outcomes == {"hold"} with input as doc([])

test_older_commit if outcomes == {"hold"} with input as with_edits({"commit": "g"})

test_author if outcomes == {"hold"} with input as with_edits({"by": {"id": 5}})

test_requester if outcomes == {"hold"} with input as with_edits({"by": {"id": 7}})

test_program if outcomes == {"hold"} with input as with_edits({"by": {"bot": true}})

test_stranger if outcomes == {"hold"} with input as with_edits({"standing": "read"})

test_too_long_ago if outcomes == {"hold"} with input as with_edits({"at_seconds": -2601})

test_future if outcomes == {"hold"} with input as with_edits({"at_seconds": 1001})

test_against if outcomes == {"deny"} with input as doc([approval, object.union(approval, {"by": {"id": 10, "login": "nina"}, "how": "changes-requested"})])

test_nothing_known if outcomes == {"hold"} with input as {"now_seconds": 1, "terms": {"approvals": 1}, "facts": {}, "sources": []}
