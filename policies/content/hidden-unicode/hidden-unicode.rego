# METADATA
# title: Added text has no characters that hide or reorder it
# description: Bidirectional, invisible and tag characters make code or instructions read otherwise than they run.
# scope: package
# custom:
#   code: content/hidden-unicode
#   effect: deny
#   help: Remove the character, or write it as an escape.
#   since: 0.1.0
package orch.content.hidden_unicode

hidden := {
	"a bidirectional control": `[\x{61C}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}]`,
	"an invisible character": `[\x{AD}\x{180E}\x{200B}\x{2060}-\x{2064}\x{206A}-\x{206F}\x{115F}\x{1160}\x{3164}\x{FFA0}\x{FFF9}-\x{FFFB}]|.\x{FEFF}`,
	"a joiner next to plain text": `(^|[\x{0}-\x{7F}])[\x{200C}\x{200D}]|[\x{200C}\x{200D}][\x{0}-\x{7F}]`,
	"a tag character": `[\x{E0000}-\x{E007F}]`,
}

deny contains {"msg": sprintf("line %d of `%s` has %s", [line.line, change.path, what]), "path": change.path, "line": line.line} if {
	some change in input.changes
	some line in change.added
	regex.match(`[^\x{0}-\x{7F}]`, line.text)
	some what, pattern in hidden
	regex.match(pattern, line.text)
}
