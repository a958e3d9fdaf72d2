package orch.release.freeze_test

import data.orch.release.freeze as rule

freeze(environments) := {"name": "x", "from_seconds": 100, "to_seconds": 200, "to": "later", "environments": environments, "reason": "r"}

doc(now, freezes) := {"environment": "production", "now_seconds": now, "facts": {"freezes": freezes}, "sources": []}

outcomes := {result.outcome | some result in rule.control}

test_on if outcomes == {"hold"} with input as doc(100, [freeze([])])

test_over if outcomes == {"pass"} with input as doc(200, [freeze([])])

test_before if outcomes == {"pass"} with input as doc(99, [freeze([])])

test_of_this_environment if outcomes == {"hold"} with input as doc(150, [freeze(["production"])])

test_of_another if outcomes == {"pass"} with input as doc(150, [freeze(["staging"])])

test_not_known if outcomes == {"hold"} with input as {"environment": "production", "now_seconds": 1, "facts": {}, "sources": []}
