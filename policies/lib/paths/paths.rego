# METADATA
# title: Paths against globs
# description: |
#   `matches` compares in lower case: on a file system that folds case `.ENV` is `.env`, so a rule that forbids must
#   see them as one. A rule that permits has to ask for the `exact` form.
package orch.lib.paths

matches(patterns, path) if {
	some pattern in patterns
	glob.match(lower(pattern), ["/"], lower(path))
}

exact(patterns, path) if {
	some pattern in patterns
	glob.match(pattern, ["/"], path)
}
