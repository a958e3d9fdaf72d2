#!/usr/bin/env python3
"""A plain BM25 over the files of a folder, as one would write it in Python: bm25.py FOLDER QUERY. A yardstick of the bench."""

import collections
import math
import os
import re
import sys

WORD = re.compile(r"[A-Za-z][a-z0-9]+|[A-Z]+(?![a-z])")


def words(text):
    return collections.Counter(word.lower() for word in WORD.findall(text))


def main():
    root, query = sys.argv[1], " ".join(sys.argv[2:])
    posts, lengths, paths = collections.defaultdict(dict), [], []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read()
            if b"\0" in data[:8000] or len(data) > 1 << 20:
                continue
            counted = words(data.decode(errors="replace"))
            for word, count in counted.items():
                posts[word][len(paths)] = count
            lengths.append(sum(counted.values()))
            paths.append(path)
    mean = sum(lengths) / max(1, len(lengths))
    scores = collections.Counter()
    for word in words(query):
        found = posts.get(word, {})
        idf = math.log(1 + (len(paths) - len(found) + 0.5) / (len(found) + 0.5))
        for at, count in found.items():
            scores[at] += idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[at] / mean))
    for at, score in scores.most_common(10):
        print(f"{score:.2f} {os.path.relpath(paths[at], root)}")


main()
