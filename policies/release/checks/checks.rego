# METADATA
# title: Every required check is green at the commit, and none of its name is red
# description: |
#   Any app may use any name, so a check counts by name and app, and a red one of the same name speaks against the
#   commit whoever made it. Skipped and neutral are no success. No required check at all is never a pass.
# scope: package
# custom:
#   code: release/checks
#   effect: deny
#   help: Mend what is red or run what is missing at this commit, then run the gate again; name checks as `app:name`.
#   since: 0.2.0
package orch.release.checks

import data.orch.lib.release

required := input.terms.checks

control contains release.missing("the environment requires no check, and an empty list is never a pass") if count(required) == 0

control contains release.missing(sprintf("the checks of the commit are not known: %s", [release.gap("checks")])) if {
	count(required) > 0
	not input.facts.checks
}

control contains release.scoped(result(check), check.name) if {
	input.facts.checks
	some check in required
}

named(check) := [seen |
	some seen in input.facts.checks
	seen.name == check.name
	seen.commit == input.subject.commit
]

own(check) := [seen | some seen in named(check); is_of(seen, check.app)]

is_of(seen, app) if seen.app == app

is_of(seen, app) if sprintf("%d", [seen.app_id]) == app

in_state(checks, state) := [seen | some seen in checks; seen.state == state]

makers(checks) := concat(", ", sort({object.get(seen, "app", "a status") | some seen in checks}))

result(check) := release.measured("deny", sprintf("`%s` is red, by %s", [check.name, makers(in_state(named(check), "red"))])) if {
	count(in_state(named(check), "red")) > 0
} else := release.missing(sprintf("`%s` is not there", [check.name])) if {
	count(named(check)) == 0
} else := release.missing(sprintf("`%s` is made by %s, and not by %s", [check.name, makers(named(check)), check.app])) if {
	count(own(check)) == 0
} else := release.measured("hold", sprintf("`%s` is still running", [check.name])) if {
	count(in_state(named(check), "running")) > 0
} else := release.measured("hold", sprintf("`%s` was skipped or is neutral, which is no success", [check.name])) if {
	not check.may_skip
	count(in_state(own(check), "success")) < count(own(check))
} else := release.measured("pass", sprintf("`%s` is green", [check.name])) if {
	count(in_state(own(check), "success")) > 0
} else := release.measured("pass", sprintf("`%s` did not run, which orch.yml lets through", [check.name]))
