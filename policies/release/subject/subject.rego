# METADATA
# title: What is released is a commit of its branch, and brings what it says
# description: A release of a commit that nobody merged, or of another one than was looked at, is none.
# scope: package
# custom:
#   code: release/subject
#   effect: deny
#   help: Name a commit of the branch, and run the gate where the clone has its history (`fetch-depth` 0).
#   locked: true
#   since: 0.2.0
package orch.release.subject

import data.orch.lib.release

commit := input.subject.commit

control contains release.missing(sprintf("the commits since the last good release are not known: %s", [release.gap("commits")])) if {
	not input.facts.commits
}

control contains release.missing(sprintf("whether the commit is on `%s` is not known: %s", [input.branch, release.gap("on_branch")])) if {
	not is_boolean(input.facts.on_branch)
}

control contains release.measured("deny", sprintf("%s is not on the branch `%s`", [release.short(commit), input.branch])) if {
	input.facts.on_branch == false
}

control contains release.measured("hold", sprintf("%s is the last good release already", [release.short(commit)])) if {
	input.facts.last_good.commit == commit
}

control contains result if {
	input.facts.on_branch == true
	input.facts.commits
	not is_last_good
	result := brings
}

is_last_good if input.facts.last_good.commit == commit

found := [seen | some seen in input.facts.commits; seen.commit == commit]

brings := release.measured("deny", "the commits that were looked at do not hold the one that is released") if {
	count(found) == 0
} else := release.measured("deny", "the tree that was looked at is not that of the commit") if {
	input.subject.tree != found[0].tree
} else := release.missing("the tree of the commit is not known") if {
	not input.subject.tree
} else := release.measured("pass", sprintf("%s is on `%s` and brings %d commits", [release.short(commit), input.branch, count(input.facts.commits)]))
