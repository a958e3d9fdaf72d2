# METADATA
# title: Enough people approved the head of every pull request of the release
# description: |
#   Of the head, not of an older commit; by people who may write, and did not open, write or ask for the change; not
#   longer ago than the environment allows. Who may write and wants it changed stops it.
# scope: package
# custom:
#   code: release/approvals
#   effect: deny
#   help: Let somebody who did not write, open or ask for the change approve its head again.
#   since: 0.2.0
package orch.release.approvals

import data.orch.lib.release

needed := input.terms.approvals

control contains release.not_asked("the environment asks for no approval") if needed == 0

control contains release.missing(sprintf("the pull requests of the release are not known: %s", [release.gap("pulls")])) if {
	needed > 0
	not input.facts.pulls
}

control contains release.missing(sprintf("the commits of the release are not known: %s", [release.gap("commits")])) if {
	needed > 0
	not input.facts.commits
}

control contains release.missing(sprintf("who asked for the changes is not known: %s", [release.gap("changes")])) if {
	needed > 0
	not input.facts.changes
}

# Without it nobody knows which commits are new.
control contains release.scoped(release.missing(sprintf("which commits are new is not known without a last good release: %s", [release.gap("last_good")])), "last-good") if {
	needed > 0
	not input.facts.last_good
}

control contains release.missing("no pull request belongs to the release, so nobody has approved it") if {
	needed > 0
	count(input.facts.pulls) == 0
}

control contains release.scoped(result(pull), sprintf("%d", [pull.number])) if {
	needed > 0
	some pull in input.facts.pulls
}

control contains release.scoped(release.missing(sprintf("%s came with no pull request", [release.short(seen.commit)])), seen.commit) if {
	needed > 0
	some seen in input.facts.commits
	not seen.joins
	not seen.commit in brought
}

brought := {commit | some pull in input.facts.pulls; some commit in pull.commits}

# Who opened it, who wrote it, and who asked for a run that is in it.
own(pull) := ({pull.author.id} | {writer.id | some writer in pull.writers}) | {change.requester.id |
	some change in input.facts.changes
	some commit in change.commits
	commit in pull.commits
} if {
	pull.author
} else := {writer.id | some writer in pull.writers} | {change.requester.id |
	some change in input.facts.changes
	some commit in change.commits
	commit in pull.commits
}

may_write(given) if given.standing in {"write", "maintain", "admin"}

# Why an approval does not count; empty where it does.
why(pull, given) := "took the approval back" if {
	given.how == "dismissed"
} else := "is a program" if {
	given.by.bot
} else := "may not write" if {
	not may_write(given)
} else := "opened, wrote or asked for it" if {
	given.by.id in own(pull)
} else := "approved a commit that is gone" if {
	not given.commit
} else := "approved an older commit" if {
	given.commit != pull.head
} else := "approved in the future" if {
	release.age(given.at_seconds) < 0
} else := "approved too long ago" if {
	release.age(given.at_seconds) > input.terms.approval_hours * 3600
} else := "wants it changed" if {
	given.how != "approved"
} else := ""

good(pull) := {given.by.id | some given in pull.approvals; why(pull, given) == ""}

names(pull) := sort({given.by.login | some given in pull.approvals; why(pull, given) == ""})

against(pull) := sort({given.by.login |
	some given in pull.approvals
	given.how == "changes-requested"
	not given.by.bot
	may_write(given)
})

others(pull) := concat("; ", sort({sprintf("%s %s", [given.by.login, why(pull, given)]) |
	some given in pull.approvals
	why(pull, given) != ""
}))

result(pull) := release.measured("deny", sprintf("#%d: %s wants it changed", [pull.number, concat(", ", against(pull))])) if {
	count(against(pull)) > 0
} else := release.measured("pass", sprintf("#%d: %s approved its head", [pull.number, concat(", ", names(pull))])) if {
	count(good(pull)) >= needed
} else := release.missing(sprintf("#%d: %d of %d people approved its head", [pull.number, count(good(pull)), needed])) if {
	others(pull) == ""
} else := release.measured("hold", sprintf("#%d: %d of %d approvals count (%s)", [pull.number, count(good(pull)), needed, others(pull)]))
