package orch.sandbox.in_force_test

import data.orch.sandbox.in_force as rule

held := {"state": "enforced", "by": "landlock"}

absent := {"state": "absent", "by": "no landlock"}

full := {"filesystem": held, "network": held, "privileges": held, "limits": held}

doc(required, gaps, commands) := {
	"settings": {"sandbox_required": required},
	"tests": {
		"red": {"commands": [], "protection": full},
		"green": {"commands": commands, "protection": object.union(full, gaps)},
	},
}

ran := [{"argv": ["true"]}]

test_in_force if count(rule.deny | rule.warn) == 0 with input as doc(true, {}, ran)

test_required if {
	found := rule.deny with input as doc(true, {"network": absent}, ran)
	found == {"commands of the green phase ran without protection of network: no landlock"}
}

test_not_required if {
	count(rule.deny) == 0 with input as doc(false, {"network": absent}, ran)
	count(rule.warn) == 1 with input as doc(false, {"network": absent}, ran)
}

test_other_measure_only_warns if {
	count(rule.deny) == 0 with input as doc(true, {"limits": absent}, ran)
	count(rule.warn) == 1 with input as doc(true, {"limits": absent}, ran)
}

test_partial_is_in_force if count(rule.deny | rule.warn) == 0 with input as doc(true, {"network": {"state": "partial", "by": "x"}}, ran)

test_nothing_ran if count(rule.deny | rule.warn) == 0 with input as doc(true, {"network": absent}, [])

test_not_told if {
	silent := json.remove(doc(false, {}, ran), ["tests/green/protection/network"])
	count(rule.deny) == 1 with input as silent
}
