package orch.release.checks_test

import data.orch.release.checks as rule

build := {"app": "github-actions", "name": "build", "may_skip": false}

seen(app, state) := {"name": "build", "app": app, "app_id": 7, "commit": "a", "sort": "check-run", "state": state}

doc(required, checks) := {"subject": {"commit": "a"}, "terms": {"checks": required}, "facts": {"checks": checks}, "sources": []}

outcomes := {result.outcome | some result in rule.control}

test_green if outcomes == {"pass"} with input as doc([build], [seen("github-actions", "success")])

test_by_number if outcomes == {"pass"} with input as doc([object.union(build, {"app": "7"})], [seen("renamed", "success")])

test_red_beside_green if outcomes == {"deny"} with input as doc([build], [seen("github-actions", "success"), seen("other", "red")])

test_wrong_app if outcomes == {"hold"} with input as doc([build], [seen("other", "success")])

test_skipped if outcomes == {"hold"} with input as doc([build], [seen("github-actions", "skipped")])

test_may_skip if outcomes == {"pass"} with input as doc([object.union(build, {"may_skip": true})], [seen("github-actions", "skipped")])

test_none_required if outcomes == {"hold"} with input as doc([], [seen("github-actions", "success")])

test_none_there if outcomes == {"hold"} with input as doc([build], [])

test_not_known if outcomes == {"hold"} with input as {"subject": {"commit": "a"}, "terms": {"checks": [build]}, "facts": {}, "sources": []}
