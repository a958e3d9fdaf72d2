# METADATA
# title: What is promoted is what was tested, by digest
# description: A thing that is built again between test and promotion is another thing.
# scope: package
# custom:
#   code: release/artifacts
#   effect: deny
#   help: Promote the very files that were tested; let the step that tests write their digests to the file of `tested`.
#   locked: true
#   since: 0.2.0
package orch.release.artifacts

import data.orch.lib.release

asked if input.terms.same_artifacts

control contains release.not_asked("the environment promotes no artifacts") if not asked

control contains release.missing("nothing is named that is promoted") if {
	asked
	count(input.subject.artifacts) == 0
}

control contains release.missing(sprintf("what was tested is not known: %s", [release.gap("tested")])) if {
	asked
	not input.facts.tested
}

control contains release.measured("deny", sprintf("what was tested was built from %s", [release.short(input.facts.tested.commit)])) if {
	asked
	input.facts.tested.commit != input.subject.commit
}

control contains release.scoped(result(artifact), artifact.name) if {
	asked
	input.facts.tested
	some artifact in input.subject.artifacts
}

tested(name) := {seen.digest | some seen in input.facts.tested.artifacts; seen.name == name}

result(artifact) := release.measured("deny", sprintf("`%s` was not tested", [artifact.name])) if {
	count(tested(artifact.name)) == 0
} else := release.measured("deny", sprintf("`%s` has another digest than what was tested", [artifact.name])) if {
	tested(artifact.name) != {artifact.digest}
} else := release.measured("pass", sprintf("`%s` is what was tested", [artifact.name]))
