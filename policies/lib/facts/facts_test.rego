package orch.lib.facts_test

import data.orch.lib.facts

fact := {
	"path": "a.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "secrets/token", "scanner": "secrets",
	"message": "a token", "evidence": "x = ********", "fingerprint": "00ff", "confidence": "high", "attributes": {"place": "aside"},
}

test_of if count(facts.of("secrets/token")) == 1 with input as {"facts": [fact, object.union(fact, {"code": "pii/email"})]}

test_of_none if count(facts.of("secrets/token")) == 0 with input as {"facts": []}

test_finding if {
	found := facts.finding(fact)
	found.msg == "a token"
	found.fingerprint == "00ff"
	not found.confidence
}

test_layer if {
	wrapped := object.union(fact, {"attributes": {"layer": "base64"}})
	facts.finding(wrapped).msg == "a token, wrapped in base64"
}

test_message if facts.with_message(fact, "m").msg == "m"

test_aside if facts.aside(fact)

test_not_aside if not facts.aside(object.union(fact, {"attributes": {"place": "code"}}))
