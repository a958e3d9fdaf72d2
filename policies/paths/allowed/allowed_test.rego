package orch.paths.allowed_test

import data.orch.paths.allowed as rule

doc(allow, path) := {"settings": {"paths_allow": allow}, "changes": [{"path": path}]}

test_other_file_is_denied if count(rule.deny) == 1 with input as doc(["src/**"], "lib/a.rs")

test_other_case_is_denied if count(rule.deny) == 1 with input as doc(["src/**"], "SRC/a.rs")

test_listed_file_passes if count(rule.deny) == 0 with input as doc(["src/**"], "src/a/b.rs")

test_no_list_allows_all if count(rule.deny) == 0 with input as doc([], "lib/a.rs")
