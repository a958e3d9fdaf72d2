# METADATA
# title: Every commit of the release comes from a run whose evidence holds
# description: What `orch verify` says of each run, and which commits no run answers for.
# scope: package
# custom:
#   code: release/provenance
#   effect: deny
#   help: Run `orch verify RUN` for what does not hold; let a person's own commits go through a run, or waive them by commit.
#   since: 0.2.0
package orch.release.provenance

import data.orch.lib.release

control contains release.missing(sprintf("the runs behind the release are not known: %s", [release.gap("changes")])) if {
	not input.facts.changes
}

control contains release.missing(sprintf("the commits of the release are not known: %s", [release.gap("commits")])) if {
	input.terms.proven
	not input.facts.commits
}

# Without it nobody knows which commits are new.
control contains release.scoped(release.missing(sprintf("which commits are new is not known without a last good release: %s", [release.gap("last_good")])), "last-good") if {
	input.terms.proven
	not input.facts.last_good
}

control contains release.not_asked("the environment takes commits that no run made, and no run is behind the release") if {
	not input.terms.proven
	count(input.facts.changes) == 0
}

control contains release.missing("the release brings no commit") if {
	input.terms.proven
	count(input.facts.commits) == 0
}

control contains release.scoped(of_run(change), change.run) if some change in input.facts.changes

control contains release.scoped(of_commit(seen), seen.commit) if {
	input.terms.proven
	input.facts.changes
	some seen in input.facts.commits
}

answering(commit) := {change.run | some change in input.facts.changes; commit in change.commits}

of_commit(seen) := release.measured("pass", sprintf("%s only joins others", [release.short(seen.commit)])) if {
	seen.joins
} else := release.measured("pass", sprintf("%s is of a run", [release.short(seen.commit)])) if {
	seen.run in answering(seen.commit)
} else := release.missing(sprintf("%s names the run `%s`, whose files are not here", [release.short(seen.commit), seen.run])) if {
	seen.run
} else := release.measured("hold", sprintf("%s is of no run: somebody made it by hand", [release.short(seen.commit)]))

failed(change) := [check.name | some check in change.proof.checks; check.result == "failed"]

open(change) := [check.name | some check in change.proof.checks; check.result == "not-measured"]

of_run(change) := release.measured("deny", sprintf("`%s` does not hold: %s", [change.run, concat(", ", failed(change))])) if {
	count(failed(change)) > 0
} else := release.measured("deny", sprintf("`%s` does not hold", [change.run])) if {
	change.proof.result == "failed"
} else := release.missing(sprintf("`%s` is not proven: nothing was checked", [change.run])) if {
	count(change.proof.checks) == 0
} else := release.missing(sprintf("`%s` is not proven: %s", [change.run, concat(", ", open(change))])) if {
	count(open(change)) > 0
} else := release.missing(sprintf("`%s` is not proven", [change.run])) if {
	change.proof.result != "held"
} else := release.measured("hold", sprintf("no commit of the release is of `%s`", [change.run])) if {
	count(change.commits) == 0
} else := release.missing(sprintf("the statement of `%s` is not signed by a key of `release.keys`", [change.run])) if {
	input.terms.signed
	not change.proof.signed_by
} else := release.measured("pass", sprintf("`%s` is proven", [change.run]))
