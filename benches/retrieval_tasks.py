#!/usr/bin/env python3
"""Makes requests with known answers from the past of a repository, for `orch util fit-ranking` and `orch util retrieval`.

usage: retrieval_tasks.py RULES MIRRORS OWNER/NAME COUNT > tasks.jsonl

RULES is the folder of the benchmark's common.py (what counts as a source file), MIRRORS holds owner+name/repo. The request is a
commit's message without paths, numbers of issues and trailers; the answer is the one to six source files that it changed.
The same repository and COUNT give the same tasks, and a smaller COUNT gives the first of them.
"""
import json
import random
import re
import subprocess
import sys

PATHS = re.compile(r"\S*/\S+\.\w+\S*|https?://\S+")
NAMES = re.compile(r"\b\w+\.(py|go|rs|ts|js|java|rb|php|c|h|cpp|cs|kt|vue|tsx)\b")
TRAILER = re.compile(
    r"^(Signed-off-by|Co-authored-by|Reviewed-by|Change-Id|Fixes|Closes|Refs?|Part of|Resolves|See|Cherry-picked"
    r"|\(cherry picked).*",
    re.I,
)
CHORE = re.compile(r"(?i)(bump|update dep|chore\(deps|release|revert|merge|prepare)")


def request(message):
    text = "\n".join(line for line in message.splitlines() if not TRAILER.match(line.strip()))
    text = NAMES.sub("", re.sub(r"\(?#\d+\)?", "", PATHS.sub("", text)))
    return re.sub(r"\n\s*\n+", "\n", re.sub(r"[ \t]+", " ", text)).strip()[:2000]


def main():
    rules, mirrors, repo, count = sys.argv[1:5]
    sys.path.insert(0, rules)
    from common import is_src

    folder = f"{mirrors}/{repo.replace('/', '+')}/repo"
    form = "--format=%x01%H%x02%P%x02%ct%x02%B%x03"
    log = subprocess.run(
        ["git", "-C", folder, "log", "--no-merges", "-n", "2500", form, "--name-status", "--no-renames"],
        capture_output=True,
        check=True,
    ).stdout.decode("utf8", "replace")
    tasks = []
    for entry in log.split("\x01")[1:]:
        head, _, files = entry.partition("\x03")
        commit, parents, time, message = head.split("\x02")
        touched = [line.partition("\t")[::2] for line in files.strip().splitlines()]
        gold = sorted(path for state, path in touched if state == "M" and is_src(path))
        added = [path for state, path in touched if state == "A" and is_src(path)]
        query = request(message)
        if not parents or not 1 <= len(gold) <= 6 or len(touched) > 30:
            continue
        if len(query.split()) < 4 or CHORE.match(query):
            continue
        name = f"{repo.replace('/', '__')}-{commit[:10]}"
        tasks.append({"id": name, "repo": repo, "commit": commit, "base": parents.split()[0], "time": int(time),
                      "query": query, "gold": gold, "added": added})
    random.Random(repo).shuffle(tasks)
    for task in tasks[: int(count)]:
        print(json.dumps(task))


if __name__ == "__main__":
    main()
