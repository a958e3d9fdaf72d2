package orch.tests.red_green_test

import data.orch.tests.red_green as rule

settings := {
	"verify_revert_probe": true,
	"verify_flake_runs": 1,
	"code_files": ["**/*.py", "*.py", "*.js"],
	"code_files_except": ["*.config.js"],
}

reported(status, class) := {"path": "t.py", "name": "test_a", "status": status, "class": class}

good := {
	"settings": settings,
	"changes": [{"path": "a.py"}],
	"tests": {
		"set": {"expected": [{"path": "t.py", "name": "test_a"}]},
		"red": {"outcome": "passed", "tests": [reported("failed", "assertion")]},
		"green": {
			"outcome": "passed",
			"tests": [{"path": "t.py", "name": "test_a", "status": "passed"}],
			"probes": [
				{"kind": "revert", "runs": 1, "held": true, "message": ""},
				{"kind": "flake", "runs": 1, "held": true, "message": ""},
			],
		},
	},
}

change(patch) := object.union(good, patch)

test_good if {
	count(rule.deny) == 0 with input as good
	count(rule.warn) == 0 with input as good
}

test_no_test if "the change has no acceptance test" in rule.deny with input as change({"tests": {"set": {"expected": []}}})

test_wrong_reason if {
	some class in ["syntax", "environment", "stopped", "unclear"]
	count(rule.deny) == 1 with input as change({"tests": {"red": {"tests": [reported("failed", class)]}}})
}

test_passes_before if count(rule.deny) == 1 with input as change({"tests": {"red": {"tests": [reported("passed", null)]}}})

test_not_seen_after if count(rule.deny) == 1 with input as change({"tests": {"green": {"tests": []}}})

test_red_failed if "the red phase did not pass" in rule.deny with input as change({"tests": {"red": {"outcome": "failed"}}})

test_green_exempt if "the green phase did not pass" in rule.deny with input as change({"tests": {"green": {"outcome": "exempt"}}})

test_no_probe if count(rule.deny) == 2 with input as change({"tests": {"green": {"probes": []}}})

test_probe_failed if {
	probes := [{"kind": "revert", "runs": 1, "held": false, "message": "still green"}]
	off := {"verify_revert_probe": false, "verify_flake_runs": 0}
	found := rule.deny with input as change({"settings": off, "tests": {"green": {"probes": probes}}})
	found == {"the revert probe did not hold: still green"}
}

test_probes_off if count(rule.warn) == 2 with input as change({"settings": {"verify_revert_probe": false, "verify_flake_runs": 0}})

exempt(path, reason) := {
	"settings": settings,
	"changes": [{"path": path}],
	"tests": {
		"set": {"expected": [], "exempt": reason},
		"red": {"outcome": "exempt", "tests": []},
		"green": {"outcome": "exempt", "tests": [], "probes": []},
	},
}

test_waived if count(rule.deny) == 0 with input as exempt("README.md", "text only")

test_waived_tool_config if count(rule.deny) == 0 with input as exempt("eslint.config.js", "settings of a tool")

test_waived_code if count(rule.deny) == 1 with input as exempt("src/a.py", "text only")

test_waived_without_reason if count(rule.deny) == 1 with input as exempt("README.md", " ")

test_waived_and_failed if {
	failed := object.union(exempt("README.md", "text only"), {"tests": {"green": {"outcome": "failed"}}})
	count(rule.deny) == 1 with input as failed
}
