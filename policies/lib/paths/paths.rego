# METADATA
# title: Paths against globs
# description: |
#   `matches` compares in lower case: on a file system that folds case `.ENV` is `.env`, so a rule that forbids must
#   see them as one. A rule that permits has to ask for the `exact` form. `compact` makes one glob of many, which a
#   rule that looks at every file does once; a pattern with a comma of its own stays apart.
package orch.lib.paths

matches(patterns, path) if {
	some pattern in patterns
	glob.match(lower(pattern), ["/"], lower(path))
}

exact(patterns, path) if {
	some pattern in patterns
	glob.match(pattern, ["/"], path)
}

compact(patterns) := array.concat(joined, apart) if {
	plain := [pattern | some pattern in patterns; not contains(pattern, ",")]
	apart := [pattern | some pattern in patterns; contains(pattern, ",")]
	joined := [sprintf("{%s}", [concat(",", plain)]) | count(plain) > 0]
}
