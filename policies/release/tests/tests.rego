# METADATA
# title: The tests of every change were red without it and are green with it
# description: What a run's own verification says, by its numbers too; no test at all is no evidence.
# scope: package
# custom:
#   code: release/tests
#   effect: deny
#   help: Run the change again, or look at its build-test files; `orch report RUN` shows them.
#   since: 0.2.0
package orch.release.tests

import data.orch.lib.release

control contains release.missing(sprintf("the runs behind the release are not known: %s", [release.gap("changes")])) if {
	not input.facts.changes
}

control contains release.not_asked("no run is behind the release") if count(input.facts.changes) == 0

control contains release.scoped(result(change), change.run) if some change in input.facts.changes

result(change) := release.missing(sprintf("`%s` has no tests that ran with the change", [change.run])) if {
	not change.tests.green
} else := release.measured("deny", sprintf("%d tests of `%s` failed", [change.tests.green.failed, change.run])) if {
	change.tests.green.failed > 0
} else := release.measured("deny", sprintf("the tests of `%s` did not pass", [change.run])) if {
	change.tests.green.outcome == "failed"
} else := release.missing(sprintf("no test of `%s` ran", [change.run])) if {
	change.tests.green.passed == 0
} else := release.missing(sprintf("the new tests of `%s` did not run without the change", [change.run])) if {
	not change.tests.red
} else := release.measured("deny", sprintf("the new tests of `%s` passed without the change", [change.run])) if {
	change.tests.red.outcome == "failed"
} else := release.measured("pass", sprintf("`%s`: %d tests passed; it needed no new one, and says why", [change.run, change.tests.green.passed])) if {
	change.tests.red.outcome == "exempt"
} else := release.measured("pass", sprintf("`%s`: red without the change, %d tests passed with it", [change.run, change.tests.green.passed]))
