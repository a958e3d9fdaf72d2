# METADATA
# title: No private key is committed
# description: A key that was in the history once has to be replaced everywhere it is used.
# scope: package
# custom:
#   code: secrets/private-key
#   effect: deny
#   help: Take the key out, replace it where it is in use, and read it from a secret store.
#   since: 0.1.0
package orch.secrets.private_key

begin := `-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----|^PuTTY-User-Key-File-[0-9]`

key_names := {"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"}

key_stores := {".p12", ".pfx", ".jks", ".keystore", ".ppk", ".kdbx"}

deny contains {"msg": sprintf("`%s` holds a private key", [change.path]), "path": change.path, "line": line.line} if {
	some change in input.changes
	some line in change.added
	regex.match(begin, line.text)
}

deny contains {"msg": sprintf("`%s` is named like a private key", [change.path]), "path": change.path} if {
	some change in input.changes
	change.op != "delete"
	lower(change.name) in key_names
}

deny contains {"msg": sprintf("`%s` is a key store", [change.path]), "path": change.path} if {
	some change in input.changes
	change.op != "delete"
	some ending in key_stores
	endswith(lower(change.name), ending)
}
