package orch.release.waivers_test

import data.orch.release.waivers as rule

waiver(edits) := object.union({"control": "release/freeze", "reason": "r", "owner": "o", "expires": "e", "expires_seconds": 2000}, edits)

doc(waivers) := {
	"environment": "production",
	"subject": {"commit": "a"},
	"now_seconds": 1000,
	"facts": {"waivers": waivers},
	"sources": [],
}

test_in_force if count(rule.active) == 1 with input as doc([waiver({})])

test_over if count(rule.active) == 0 with input as doc([waiver({"expires_seconds": 1000})])

test_another_environment if count(rule.active) == 0 with input as doc([waiver({"environment": "staging"})])

test_another_commit if count(rule.active) == 0 with input as doc([waiver({"commit": "b"})])

test_without_a_near_end if count(rule.active) == 0 with input as doc([waiver({"expires_seconds": 40000000})])

test_not_readable if {
	some result in rule.control with input as {"facts": {}, "sources": [{"fact": "waivers", "outcome": "failed", "why": "broken"}]}
	result.outcome == "hold"
}

test_none if {
	some result in rule.control with input as {"facts": {}, "sources": []}
	result.state == "not-asked"
}
