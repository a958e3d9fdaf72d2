package orch.release.review_test

import data.orch.release.review as rule

doc(review) := {"terms": {"reviewed": true}, "facts": {"changes": [{"run": "r", "head": "c", "review": review}]}, "sources": []}

outcomes := {result.outcome | some result in rule.control}

test_passed if outcomes == {"pass"} with input as doc({"outcome": "pass", "head": "c"})

test_older_commit if outcomes == {"deny"} with input as doc({"outcome": "pass", "head": "b"})

test_against if outcomes == {"deny"} with input as doc({"outcome": "fail", "head": "c"})

test_silence if outcomes == {"hold"} with input as doc({"outcome": "waiting", "head": "c"})

test_none if outcomes == {"hold"} with input as {"terms": {"reviewed": true}, "facts": {"changes": [{"run": "r", "head": "c"}]}, "sources": []}

test_nothing_known if outcomes == {"hold"} with input as {"terms": {"reviewed": true}, "facts": {}, "sources": []}
