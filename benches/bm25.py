#!/usr/bin/env python3
"""A plain BM25 over the files of a folder, as one would write it in Python: bm25.py [--names] [--okapi] FOLDER QUERY.

A yardstick of the bench. By itself it counts the parts of names. With --names it counts the words that orch counts: the parts
with a light stem, and names of several parts as a whole. With --okapi the index is that of the package rank_bm25.
"""

import collections
import math
import os
import re
import sys

WORD = re.compile(r"[A-Za-z][a-z0-9]+|[A-Z]+(?![a-z])")
RUN = re.compile(r"\w{2,96}")
PART = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[^\WA-Z_]+|[A-Z]")
VOWEL = re.compile(r"[aeiouy]")


def parts(text):
    return [word.lower() for word in WORD.findall(text)]


def stem(word):
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui":
        if len(word) > 4 and word.endswith("ies"):
            word = word[:-3] + "y"
        elif len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):
            word = word[:-2]
        else:
            word = word[:-1]
    cut = 3 if len(word) > 5 and word.endswith("ing") else 2 if len(word) > 4 and word.endswith("ed") else 0
    if cut and VOWEL.search(word[:-cut]):
        word = word[:-cut]
        if word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def names(text):
    found = []
    for run in RUN.findall(text):
        several = [part.lower() for part in PART.findall(run) if len(part) > 1 and not part.isdigit()]
        found.extend(map(stem, several))
        if len(several) > 1:
            found.append(stem(run.replace("_", "").lower()))
    return found


def files(root):
    for folder, folders, names_of in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names_of:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read()
            if b"\0" not in data[:8000] and len(data) <= 1 << 20:
                yield path, data.decode(errors="replace")


def own(texts, words, query):
    posts, lengths = collections.defaultdict(dict), []
    for text in texts:
        counted = collections.Counter(words(text))
        for word, count in counted.items():
            posts[word][len(lengths)] = count
        lengths.append(sum(counted.values()))
    mean = sum(lengths) / max(1, len(lengths))
    scores = collections.Counter()
    for word in set(words(query)):
        found = posts.get(word, {})
        idf = math.log(1 + (len(lengths) - len(found) + 0.5) / (len(found) + 0.5))
        for at, count in found.items():
            scores[at] += idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[at] / mean))
    return scores.most_common(10)


def okapi(texts, words, query):
    from rank_bm25 import BM25Okapi

    scores = BM25Okapi([words(text) for text in texts]).get_scores(words(query))
    return sorted(enumerate(scores), key=lambda pair: -pair[1])[:10]


def main():
    args = sys.argv[1:]
    words = names if "--names" in args else parts
    index = okapi if "--okapi" in args else own
    root, *query = [arg for arg in args if not arg.startswith("--")]
    paths = []

    def texts():
        for path, text in files(root):
            paths.append(path)
            yield text

    for at, score in index(texts(), words, " ".join(query)):
        print(f"{score:.2f} {os.path.relpath(paths[at], root)}")


main()
