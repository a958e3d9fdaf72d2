# METADATA
# title: The list of components is there, and no component has a licence that is refused
# description: A component with a choice of licences is fine where one choice is; one without a known licence is not.
# scope: package
# custom:
#   code: release/licences
#   effect: deny
#   help: Replace the component, take another of its licences, or record the licence it has in the list.
#   since: 0.2.0
package orch.release.licences

import data.orch.lib.release

term := input.terms.licences

sbom := input.facts.sbom

control contains release.not_asked("the environment asks for no list of components") if not input.terms.licences

control contains release.missing(sprintf("the list of components is not known: %s", [release.gap("sbom")])) if {
	term
	not input.facts.sbom
}

control contains release.missing("the list of components is empty") if {
	term
	sbom.components == 0
}

control contains release.measured("deny", "the list of components does not add up") if {
	term
	sum([licence.components | some licence in sbom.licences]) != sbom.components
}

control contains release.measured("deny", sprintf("the list of components is of another `%s`", [thing.name])) if {
	term
	some thing in sbom.about
	not thing.digest in promoted
}

promoted := {artifact.digest | some artifact in input.subject.artifacts}

refused := {id | some id in term.deny}

# Every way to keep to it needs a licence that is refused.
denied := [licence |
	some licence in sbom.licences
	licence.state == "known"
	count([way | some way in licence.choices; count({id | some id in way} & refused) == 0]) == 0
]

open := [licence | some licence in sbom.licences; licence.state != "known"]

control contains release.scoped(release.measured("deny", sprintf("%d components have `%s`, as %s", [licence.components, licence.expression, licence.example])), licence.expression) if {
	term
	some licence in denied
}

control contains release.scoped(release.measured("hold", sprintf("%d components have no known licence (`%s`), as %s", [licence.components, licence.expression, licence.example])), licence.expression) if {
	term
	not term.unknown
	some licence in open
}

control contains release.measured("pass", sprintf("none of %d components has a licence that is refused (%s%s)", [sbom.components, sbom.form, bound])) if {
	term
	sbom.components > 0
	count(denied) == 0
}

bound := ", of what is promoted" if count(sbom.about) > 0

bound := ", which does not say of what" if count(sbom.about) == 0
