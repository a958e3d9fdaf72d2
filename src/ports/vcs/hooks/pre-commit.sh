#!/bin/sh
# Written by `orch init --hooks`; `orch init --hooks=remove` takes it away. Judges what is about to be committed.
# To commit once without it: git commit --no-verify

if ! command -v orch >/dev/null 2>&1; then
	echo "orch is not on PATH, so this commit cannot be judged: install it (cargo install orch)," >&2
	echo "or take this hook away: $0" >&2
	exit 1
fi

orch stage policy --staged
code=$?
if [ "$code" -eq 4 ]; then
	echo "orch: a person has to approve this; that is asked for where it is merged, not here" >&2
	code=0
fi
exit "$code"
