#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The house limits as a test: lint.py SOURCE_DIR [--bad-archive FILE ARCHIVE...], TAP on stdout.

First every rule has to find what is wrong with a few bad snippets, then it is let loose on the
tree. Archives are the library's static ones, searched for writable static data; the bad archive
holds such data.
"""

import os
import sys

import layers
import rules
import selftest

ROOTS = (".ci", "docs", "examples", "include", "libimgimport", "subprojects", "tests")
SHOWN = 20


def read_tree(source):
    files = []
    paths = [name for name in os.listdir(source) if os.path.isfile(os.path.join(source, name))]
    for root in ROOTS:
        for folder, folders, names in os.walk(os.path.join(source, root)):
            # Inside subprojects/ there is other projects' source.
            folders[:] = [] if root == "subprojects" else \
                [name for name in folders if name != "__pycache__" and not name.startswith("build")]
            paths += [os.path.relpath(os.path.join(folder, name), source) for name in names]
    for path in sorted(paths):
        try:
            with open(os.path.join(source, path), encoding="utf-8") as stream:
                files.append(rules.File(path.replace(os.sep, "/"), stream.read()))
        except UnicodeDecodeError:
            continue  # a binary file, such as a sample image
    return files


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def case(self, name, problems):
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} {name}")
        for problem in problems[:SHOWN]:
            print(f"# {problem}")
        if len(problems) > SHOWN:
            print(f"# … and {len(problems) - SHOWN} more")

    def finish(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def problems_of(rule, files):
    if rule in rules.PER_FILE:
        return [f"{file.path}:{line}: {text}" for file in files for line, text in rule(file)]
    return [f"{path}:{line}: {text}" for path, line, text in rule(files)]


def check_rules(tap):
    for rule, name, bad, good in selftest.CASES:
        path, line = bad[0], bad[-1]
        files = [rules.File(each, text) for each, text in selftest.tree(bad[:2]).items()]
        found = problems_of(rule, files)
        wanted = f"{path}:{line}: "
        tap.case(f"/lint/finds/{rule.__name__}/{name}",
                 [] if any(each.startswith(wanted) for each in found) else
                 [f"nothing found at {wanted}, but {found}"])
        files = [rules.File(each, text) for each, text in selftest.tree(good).items()]
        tap.case(f"/lint/accepts/{rule.__name__}/{name}", problems_of(rule, files))
    tested = {rule for rule, *_ in selftest.CASES}
    tap.case("/lint/every-rule-is-tested",
             [rule.__name__ for rule in rules.PER_FILE + layers.PER_TREE if rule not in tested])


def check_archives(tap, bad_archive, archives):
    found = [text for _, _, text in layers.writable_data([bad_archive])]
    tap.case("/lint/finds/writable_data",
             [f"not found: {name}" for name in selftest.WRITABLE
              if not any(text.split(".")[0].split(" ")[0] == name for text in found)] +
             [f"found for no reason: {text}" for text in found
              if text.split(".")[0].split(" ")[0] not in selftest.WRITABLE])
    tap.case("/lint/tree/writable_data",
             [f"{os.path.basename(path)}: {text}" for path, _, text in layers.writable_data(archives)])


def main():
    source = sys.argv[1]
    tap = Tap()
    check_rules(tap)
    if len(sys.argv) > 2:
        check_archives(tap, sys.argv[3], sys.argv[4:])
    files = read_tree(source)
    tap.case("/lint/tree/was-read",
             [] if sum(file.is_c() for file in files) > 100 else ["there is hardly any file"])
    for rule in rules.PER_FILE + layers.PER_TREE:
        tap.case(f"/lint/tree/{rule.__name__}", problems_of(rule, files))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
