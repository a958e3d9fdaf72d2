"""Writes every document below `test_data` as a JSON file, those inside a List by themselves; or lists what a check found."""

import json
import pathlib
import sys


def documents(file):
    text = file.read_text()
    if file.suffix == ".json":
        found = [json.loads(text)]
    else:
        import yaml

        found = [document for document in yaml.safe_load_all(text) if document is not None]
    for document in found:
        is_list = isinstance(document, dict) and document.get("kind") == "List"
        yield from document["items"] if is_list else [document]


def main():
    if sys.argv[1] == "--messages":
        lines = set()
        for outcome in json.load(sys.stdin):
            for finding in outcome.get("failures", []) + outcome.get("warnings", []):
                name = pathlib.PurePath(outcome["filename"]).name
                lines.add(f"{name} {outcome['namespace']} {finding['msg']}")
        sys.stdout.write("".join(line.replace("\n", " ") + "\n" for line in sorted(lines)))
        return
    folder, into = map(pathlib.Path, sys.argv[1:3])
    into.mkdir(exist_ok=True)
    files = sorted(file for file in folder.glob("**/test_data/**/*.*") if file.is_file())
    number = 0
    for file in files:
        for document in documents(file):
            (into / f"{number:03}.json").write_text(json.dumps(document, default=str))
            number += 1


main()
