package orch.paths.git_test

import data.orch.paths.git as rule

doc(path) := {"changes": [{"path": path}]}

test_hook if count(rule.deny) == 1 with input as doc(".git/hooks/pre-commit")

test_nested if count(rule.deny) == 1 with input as doc("a/.GIT/config")

test_modules if count(rule.deny) == 1 with input as doc(".gitmodules")

test_ignore_file if count(rule.deny) == 0 with input as doc(".gitignore")

test_github if count(rule.deny) == 0 with input as doc(".github/workflows/ci.yml")
