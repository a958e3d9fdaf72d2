# METADATA
# title: The waivers can be read
# description: |
#   `active` holds those that are in force: for this environment and commit, not over, and with an end within a year.
#   What they set aside is shown as waived, with owner and reason.
# scope: package
# custom:
#   code: release/waivers
#   effect: deny
#   help: Mend the file, or take entries out that are over.
#   locked: true
#   since: 0.2.0
package orch.release.waivers

import data.orch.lib.release

control contains release.missing(sprintf("the waivers cannot be read: %s", [release.gap("waivers")])) if release.is_failed("waivers")

control contains release.not_asked("the released commit has no waivers") if {
	not input.facts.waivers
	not release.is_failed("waivers")
}

control contains release.measured("pass", sprintf("%d of %d waivers are in force", [count(in_force), count(input.facts.waivers)])) if {
	input.facts.waivers
	not release.is_failed("waivers")
}

in_force := [waiver |
	some waiver in input.facts.waivers
	is_here(waiver)
	is_of(waiver)
	waiver.expires_seconds > input.now_seconds
	waiver.expires_seconds <= input.now_seconds + (367 * 86400)
]

is_here(waiver) if not waiver.environment

is_here(waiver) if waiver.environment == input.environment

is_of(waiver) if not waiver.commit

is_of(waiver) if waiver.commit == input.subject.commit

active contains entry if {
	some waiver in in_force
	entry := {
		"control": waiver.control,
		"scope": object.get(waiver, "scope", null),
		"owner": waiver.owner,
		"reason": waiver.reason,
		"expires": waiver.expires,
	}
}
