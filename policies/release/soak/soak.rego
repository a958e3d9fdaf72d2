# METADATA
# title: The commit ran long enough where it had to run before
# description: Since its first successful deployment there that no failure followed.
# scope: package
# custom:
#   code: release/soak
#   effect: deny
#   help: Deploy the commit there, or wait until it has run as long as the environment asks.
#   since: 0.2.0
package orch.release.soak

import data.orch.lib.release

term := input.terms.soak

control contains release.not_asked("the environment asks for no soak time") if not input.terms.soak

control contains release.missing(sprintf("the deployments of the commit are not known: %s", [release.gap("deployments")])) if {
	term
	not input.facts.deployments
}

control contains result if {
	term
	input.facts.deployments
	result := soaked
}

there := [seen |
	some seen in input.facts.deployments
	seen.environment == term.environment
	seen.commit == input.subject.commit
]

running := [seen.at_seconds | some seen in there; seen.state == "success"]

failures := [seen.at_seconds | some seen in there; seen.state == "failed"]

last_failure := max(failures) if count(failures) > 0

last_failure := -1 if count(failures) == 0

since := min([at | some at in running; at > last_failure])

for_seconds := release.age(since)

soaked := release.missing(sprintf("it does not run in `%s`", [term.environment])) if {
	count(running) == 0
} else := release.measured("deny", sprintf("it failed in `%s` after it was deployed there", [term.environment])) if {
	last_failure >= max(running)
} else := release.missing(sprintf("it was deployed to `%s` in the future", [term.environment])) if {
	for_seconds < 0
} else := release.measured("hold", sprintf("it has run in `%s` for %s of %d minutes", [term.environment, release.lasting(for_seconds), term.minutes])) if {
	for_seconds < term.minutes * 60
} else := release.measured("pass", sprintf("it has run in `%s` for %s", [term.environment, release.lasting(for_seconds)]))
