#!/bin/sh
# Written by `orch init --hooks`; `orch init --hooks=remove` takes it away. Judges what is about to be pushed.
# To push once without it: git push --no-verify

if ! command -v orch >/dev/null 2>&1; then
	echo "orch is not on PATH, so this push cannot be judged: install it (cargo install orch)," >&2
	echo "or take this hook away: $0" >&2
	exit 1
fi

remote=$1
worst=0

# A commit of the remote that what is pushed builds on; nothing when there is none.
base_of_new() {
	first=$(git rev-list --topo-order --reverse "$1" --not --remotes="$remote" | sed -n 1p)
	if [ -z "$first" ]; then
		# The remote has all of it already.
		git rev-parse --verify --quiet "$1"
	else
		git rev-parse --verify --quiet "$first^1"
	fi
}

while read -r local_ref local_id remote_ref remote_id; do
	case $local_id in
	*[!0]*) ;;
	*) continue ;; # a branch or tag is deleted: nothing is published
	esac
	if ! head=$(git rev-parse --verify --quiet "$local_id^{commit}"); then
		continue # a tag of something that is no commit
	fi
	base=
	case $remote_id in
	*[!0]*)
		# Not here when nobody fetched it; then it counts as new. After a rewrite what both have in common counts.
		if git cat-file -e "$remote_id^{commit}" 2>/dev/null; then
			base=$(git merge-base "$remote_id" "$head") || base=
		fi
		;;
	esac
	if [ -z "$base" ]; then
		base=$(base_of_new "$head") || base=
	fi
	if [ "$base" = "$head" ]; then
		continue
	fi
	echo "orch: $local_ref -> $remote_ref" >&2
	if [ -n "$base" ]; then
		orch stage policy --diff "$base..$head" </dev/null
	else
		# A history of its own: all of it is new.
		orch stage policy --all </dev/null
	fi
	code=$?
	if [ "$code" -eq 4 ]; then
		echo "orch: a person has to approve this; that is asked for where it is merged, not here" >&2
	elif [ "$code" -ne 0 ]; then
		worst=$code
	fi
done

exit "$worst"
