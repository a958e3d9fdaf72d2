# METADATA
# title: Repository code ran inside the sandbox
# description: Without it, the tests of an untrusted change can read keys, write anywhere and reach the network.
# scope: package
# custom:
#   code: sandbox/in-force
#   effect: deny
#   help: Run on a system where the missing measure can be had; `orch doctor` tells why it could not.
#   since: 0.1.0
package orch.sandbox.in_force

needed := {"filesystem", "network", "privileges"}

missing contains [phase, name, measure.by] if {
	some phase in ["red", "green"]
	count(input.tests[phase].commands) > 0
	some name, measure in input.tests[phase].protection
	measure.state == "absent"
}

text(gap) := sprintf("commands of the %s phase ran without protection of %s: %s", gap)

deny contains text(gap) if {
	input.settings.sandbox_required
	some gap in missing
	gap[1] in needed
}

warn contains text(gap) if {
	some gap in missing
	not fatal(gap)
}

fatal(gap) if {
	input.settings.sandbox_required
	gap[1] in needed
}

deny contains sprintf("the report of the %s phase does not tell of %s", [phase, name]) if {
	some phase in ["red", "green"]
	some name in needed
	not input.tests[phase].protection[name].state
}
