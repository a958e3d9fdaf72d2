package orch.lib.paths_test

import data.orch.lib.paths

test_double_star_crosses_folders if paths.exact(["src/**"], "src/a/b.rs")

test_double_star_needs_something_below if not paths.exact(["src/**"], "src")

test_double_star_in_front if paths.exact(["**/x.py"], "a/b/x.py")

test_double_star_in_the_middle if paths.exact(["a/**/z"], "a/b/c/z")

test_star_stays_in_a_folder if not paths.exact(["src/*.rs"], "src/a/b.rs")

test_star_matches_in_a_folder if paths.exact(["src/*.rs"], "src/b.rs")

test_question_mark_is_no_slash if not paths.exact(["a?b"], "a/b")

test_exact_keeps_case if not paths.exact([".env"], ".ENV")

test_matches_folds_case if paths.matches([".Env"], ".ENV")

test_nothing_matches_nothing if not paths.matches([], "a")

many := ["**/x.py", "src/**", "a/*.rs", "*.{js,ts}", "odd,name.txt", "[a,b].c", ".Env", "a?b"]

seen := ["a/b/x.py", "x.py", "src/a/b.rs", "src", "a/b.rs", "a/b/c.rs", "m.js", "m/m.js", "m.ts", "odd", "name.txt", "odd,name.txt", "a.c", "z.c", ".env", ".Env", "a/b", "axb", "{", ""]

test_compact_matches_what_the_many_match if {
	every path in seen {
		[p | some p in [path]; paths.matches(many, p)] == [p | some p in [path]; paths.matches(paths.compact(many), p)]
		[p | some p in [path]; paths.exact(many, p)] == [p | some p in [path]; paths.exact(paths.compact(many), p)]
	}
}

test_compact_joins_what_has_no_comma if count(paths.compact(many)) == 4

test_compact_of_nothing_is_nothing if paths.compact([]) == []
