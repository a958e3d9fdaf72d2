package orch.content.binary_test

import data.orch.content.binary as rule

doc(binary, op) := {"facts": [], "changes": [{"path": "a.png", "binary": binary, "op": op}]}

test_new if count(rule.require_approval) == 1 with input as doc(true, "create")

test_changed if count(rule.require_approval) == 1 with input as doc(true, "modify")

test_deleted if count(rule.require_approval) == 0 with input as doc(true, "delete")

test_text if count(rule.require_approval) == 0 with input as doc(false, "create")

archive(place) := object.union(doc(true, "create"), {"facts": [{"path": "a.png", "code": "content/archive", "attributes": {"where": place}}]})

test_known if count(rule.require_approval) == 0 with input as archive("code")

test_known_in_a_test if count(rule.require_approval) == 1 with input as archive("tests")

unread := object.union(doc(true, "create"), {"unread": [{"path": "a.png", "why": "it is a submodule", "kind": "submodule"}]})

test_not_looked_at if count(rule.require_approval) == 0 with input as unread
