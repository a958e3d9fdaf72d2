# METADATA
# title: Tests failed before the change and pass with it
# description: A test that passes without the change proves nothing about it.
# scope: package
# custom:
#   code: tests/red-green
#   effect: deny
#   help: Write tests that fail on the base by an assertion or by what is missing, and edits that make them pass.
#   since: 0.1.0
package orch.tests.red_green

import data.orch.lib.paths

proof := {"assertion", "missing-behaviour"}

expected := {[test.path, test.name] | some test in input.tests.set.expected}

red := {[test.path, test.name] |
	some test in input.tests.red.tests
	test.status == "failed"
	test.class in proof
}

green := {[test.path, test.name] |
	some test in input.tests.green.tests
	test.status == "passed"
}

waived if input.tests.set.exempt

deny contains "the change has no acceptance test" if {
	not waived
	count(expected) == 0
}

deny contains {"msg": sprintf("`%s` was not seen to fail before the change, by what it tests", [test[1]]), "path": test[0]} if {
	not waived
	some test in expected - red
}

deny contains {"msg": sprintf("`%s` was not seen to pass with the change", [test[1]]), "path": test[0]} if {
	not waived
	some test in expected - green
}

deny contains sprintf("the %s phase did not pass", [phase]) if {
	not waived
	some phase in ["red", "green"]
	input.tests[phase].outcome != "passed"
}

held(kind) if {
	some probe in input.tests.green.probes
	probe.kind == kind
	probe.runs > 0
	probe.held
}

wanted contains "revert" if input.settings.verify_revert_probe

wanted contains "flake" if input.settings.verify_flake_runs > 0

deny contains sprintf("the %s probe did not hold or did not run", [kind]) if {
	not waived
	some kind in wanted
	not held(kind)
}

deny contains sprintf("the %s probe did not hold: %s", [probe.kind, probe.message]) if {
	some probe in input.tests.green.probes
	probe.runs > 0
	not probe.held
}

warn contains {"msg": sprintf("the %s probe is switched off", [kind]), "help": "Switch it on again in `verify` in orch.yml."} if {
	not waived
	some kind in {"revert", "flake"} - wanted
}

code_files := paths.compact(input.settings.code_files)

code_files_except := paths.compact(input.settings.code_files_except)

code(path) if {
	paths.matches(code_files, path)
	not paths.exact(code_files_except, path)
}

deny contains {"msg": sprintf("tests are waived (%s), but `%s` is code", [input.tests.set.exempt, change.path]), "path": change.path} if {
	waived
	some change in input.changes
	code(change.path)
}

deny contains "tests are waived without a reason" if trim_space(input.tests.set.exempt) == ""

deny contains sprintf("the %s phase failed", [phase]) if {
	waived
	some phase in ["red", "green"]
	input.tests[phase].outcome == "failed"
}
