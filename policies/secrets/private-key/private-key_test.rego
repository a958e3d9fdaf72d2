package orch.secrets.private_key_test

import data.orch.secrets.private_key as rule

text(line) := {"changes": [{"path": "a", "name": "a", "op": "modify", "added": [{"line": 7, "text": line}]}]}

file(name, op) := {"changes": [{"path": name, "name": name, "op": op, "added": []}]}

dashes := "-----"

test_rsa if {
	found := rule.deny with input as text(concat("", [dashes, "BEGIN RSA PRIVATE KEY", dashes]))
	found == {{"msg": "`a` holds a private key", "path": "a", "line": 7}}
}

test_pkcs8 if count(rule.deny) == 1 with input as text(concat("", ["key = \"", dashes, "BEGIN PRIVATE KEY", dashes, "\\n"]))

test_pgp if count(rule.deny) == 1 with input as text(concat("", [dashes, "BEGIN PGP PRIVATE KEY BLOCK", dashes]))

test_openssh if count(rule.deny) == 1 with input as text(concat("", [dashes, "BEGIN OPENSSH PRIVATE KEY", dashes]))

test_public_key if count(rule.deny) == 0 with input as text(concat("", [dashes, "BEGIN PUBLIC KEY", dashes]))

test_name if count(rule.deny) == 1 with input as file("id_ed25519", "create")

test_store if count(rule.deny) == 1 with input as file("release.P12", "create")

test_public_name if count(rule.deny) == 0 with input as file("id_rsa.pub", "create")

test_removal if count(rule.deny) == 0 with input as file("id_rsa", "delete")
