# METADATA
# title: No freeze is on
# description: A release in a freeze needs a waiver that names it, with a reason and an owner, which the decision shows.
# scope: package
# custom:
#   code: release/freeze
#   effect: deny
#   help: Wait until the freeze is over, or have it waived by name (`scope`) in the file of `release.waivers`.
#   since: 0.2.0
package orch.release.freeze

import data.orch.lib.release

control contains release.missing(sprintf("the calendar is not known: %s", [release.gap("freezes")])) if not input.facts.freezes

on := [freeze |
	some freeze in input.facts.freezes
	freeze.from_seconds <= input.now_seconds
	input.now_seconds < freeze.to_seconds
	is_for(freeze)
]

is_for(freeze) if count(freeze.environments) == 0

is_for(freeze) if input.environment in freeze.environments

control contains release.measured("pass", sprintf("none of %d freezes is on", [count(input.facts.freezes)])) if count(on) == 0

control contains release.scoped(release.measured("hold", sprintf("the freeze `%s` is on until %s: %s", [freeze.name, freeze.to, freeze.reason])), freeze.name) if {
	some freeze in on
}
