package orch.release.artifacts_test

import data.orch.release.artifacts as rule

doc(promoted, tested) := {
	"subject": {"commit": "aaaaaaaaaaaaaaaa", "artifacts": promoted},
	"terms": {"same_artifacts": true},
	"facts": {"tested": tested},
	"sources": [],
}

thing(digest) := {"name": "shop", "digest": digest}

outcomes := {result.outcome | some result in rule.control}

test_the_same if outcomes == {"pass"} with input as doc([thing("d")], {"artifacts": [thing("d")]})

test_another_digest if outcomes == {"deny"} with input as doc([thing("d")], {"artifacts": [thing("e")]})

test_not_tested if outcomes == {"deny"} with input as doc([thing("d")], {"artifacts": []})

test_built_from_another_commit if "deny" in outcomes with input as doc([thing("d")], {"commit": "b", "artifacts": [thing("d")]})

test_nothing_promoted if outcomes == {"hold"} with input as doc([], {"artifacts": [thing("d")]})
