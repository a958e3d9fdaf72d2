package orch.licences.unknown_test

import data.orch.licences.unknown as rule

doc(confidence, place) := {"facts": [{
	"path": "x/LICENSE", "line": 1, "column": 1, "end_line": 1, "end_column": 1, "code": "licences/unknown", "scanner": "licences",
	"message": "m", "evidence": "", "fingerprint": "00", "confidence": confidence, "attributes": {"place": place},
}]}

counts := [count(rule.require_approval), count(rule.warn)]

test_unknown if counts == [0, 1] with input as doc("medium", "code")

test_altered if counts == [1, 0] with input as doc("high", "code")

test_altered_aside if counts == [0, 1] with input as doc("high", "aside")

test_none if counts == [0, 0] with input as {"facts": []}
