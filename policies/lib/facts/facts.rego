# METADATA
# title: Facts of scanners
# description: |
#   `of` gives the facts with a code. `finding` makes an element of an entry set of a fact: its place, its masked evidence
#   and its fingerprint, so that the finding stays the same when lines move.
package orch.lib.facts

of(code) := [fact | some fact in input.facts; fact.code == code]

finding(fact) := {
	"msg": said(fact),
	"path": fact.path,
	"line": fact.line,
	"column": fact.column,
	"end_line": fact.end_line,
	"end_column": fact.end_column,
	"evidence": fact.evidence,
	"fingerprint": fact.fingerprint,
}

said(fact) := sprintf("%s, wrapped in %s", [fact.message, fact.attributes.layer]) if fact.attributes.layer

said(fact) := fact.message if not fact.attributes.layer

with_message(fact, message) := object.union(finding(fact), {"msg": message})

aside(fact) if fact.attributes.place == "aside"
