#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the cases in a log of Meson's: count.py TOTALS TESTLOG.json, or count.py --self-test.

Prints a line a suite and the output of what failed, and appends "PASSED FAILED SKIPPED" to the file
TOTALS. A case is a line of TAP. A program that crashed, timed out or ended before its plan is one
more failure; one without TAP is one case. Exit status 1 where anything failed.
"""

import collections
import json
import re
import sys

CASE = re.compile(r"^(\s*)(not )?ok\b(.*)$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)")
SKIP = re.compile(r"#\s*skip\b", re.IGNORECASE)
REPORT = re.compile(r"(?:WARNING|ERROR): \w+Sanitizer|: runtime error: ")
SHOWN = 80  # lines of each of a program's outputs: one whole report of a sanitizer

Counts = collections.namedtuple("Counts", "passed failed skipped")


def plus(one, other):
    return Counts(*(a + b for a, b in zip(one, other)))


def count_tap(text):
    """The cases of one program. Where GLib nests them, the innermost count."""
    counts = Counts(0, 0, 0)
    planned = None
    top_level = 0
    inner_plan = -1  # the indentation of a nested plan that the last line of TAP was
    for line in text.splitlines():
        if plan := PLAN.match(line):
            if not plan.group(1):
                planned = int(plan.group(2))
            inner_plan = len(plan.group(1))
        elif case := CASE.match(line):
            indentation = len(case.group(1))
            top_level += indentation == 0
            is_summary = inner_plan > indentation
            inner_plan = -1
            if not is_summary:
                counts = plus(counts, (0, 0, 1) if SKIP.search(case.group(3)) else
                              (0, 1, 0) if case.group(2) else (1, 0, 0))
    if planned is not None and top_level < planned:
        counts = plus(counts, (0, 1, 0))
    return counts


def count_test(test):
    counts = count_tap(test.get("stdout", ""))
    is_good = test["result"] in ("OK", "SKIP")
    if not is_good and counts.failed == 0:
        counts = plus(counts, (0, 1, 0))
    if is_good and counts == (0, 0, 0):
        counts = Counts(0, 0, 1) if test["result"] == "SKIP" else Counts(1, 0, 0)
    return counts


def words(counts):
    text = f"{counts.passed} passed, {counts.failed} failed"
    return text + (f", {counts.skipped} skipped" if counts.skipped else "")


def telling(lines):
    """What tells most: the first report of a sanitizer, else what is around failed cases, else the
    end."""
    for index, line in enumerate(lines):
        if REPORT.search(line):
            return lines[max(index - 1, 0):][:SHOWN]
    failed = [index for index, line in enumerate(lines) if re.match(r"\s*not ok|Bail out!", line)]
    near = {line for index in failed for line in range(max(index - 3, 0), index + 12)}
    return [line for index, line in enumerate(lines) if index in near][:SHOWN] or lines[-SHOWN:]


def show_failure(test):
    print(f"  FAILED {test['name']}: {test['result']}, exit status {test.get('returncode')}, "
          f"after {test.get('duration', 0):.0f} s")
    tap = telling(test.get("stdout", "").splitlines())
    is_quiet = all(CASE.match(line) or line.startswith("#") for line in tap)
    for line in (tap[-10:] if is_quiet else tap) + telling(test.get("stderr", "").splitlines()):
        print("    " + line)


def count_log(path):
    suites = collections.defaultdict(lambda: [Counts(0, 0, 0), 0.0])
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            test = json.loads(line)
            counts = count_test(test)
            suite = suites[test["name"].split(" / ")[0].split(":")[-1]]
            suite[0] = plus(suite[0], counts)
            suite[1] += test["duration"]
            if counts.failed:
                show_failure(test)
            for skipped in re.findall(r"^.*# *SKIP.*$", test.get("stdout", ""), re.MULTILINE):
                print(f"  skipped {test['name']}: {skipped}")
    for name, (counts, seconds) in sorted(suites.items()):
        print(f"  {name:12} {words(counts)} ({seconds:.0f} s)")
    total = Counts(0, 0, 0)
    for counts, _ in suites.values():
        total = plus(total, counts)
    return total if suites else Counts(0, 1, 0)


SELF_TEST = (
    # stdout, result, what it has to count as
    ("TAP version 13\n1..2\nok 1 /a\n# b\nok 2 /c\n", "OK", (2, 0, 0)),
    ("1..3\nok 1 /a\nnot ok 2 /b\nok 3 /c # SKIP why\n", "FAIL", (1, 1, 1)),
    ("1..3\nok 1 /a\n", "ERROR", (1, 1, 0)),
    ("ok 1 a\nok 2 b\n1..2\n", "OK", (2, 0, 0)),
    ("1..1\nok 1 /a\n", "TIMEOUT", (1, 1, 0)),
    ("1..1\nok 1 /a\n", "ERROR", (1, 1, 0)),
    ("# Subtest: a\n    ok 1 x\n    ok 2 y\n    1..2\nok 1 a\n1..1\n", "OK", (2, 0, 0)),
    ("# Subtest: a\n    ok 1 x\n    not ok 2 y\n    1..2\nnot ok 1 a\n1..1\n", "FAIL", (1, 1, 0)),
    ("no tap\n", "OK", (1, 0, 0)),
    ("no tap\n", "FAIL", (0, 1, 0)),
    ("", "SKIP", (0, 0, 1)),
)


TELLING_TEST = (
    # output, what is shown of it
    (["ok 1"] * 20 + ["not ok 2"] + ["# why"] * 20, ["ok 1"] * 3 + ["not ok 2"] + ["# why"] * 11),
    (["a"] * 99 + ["=", "WARNING: ThreadSanitizer: data race"] + ["b"] * 99,
     ["=", "WARNING: ThreadSanitizer: data race"] + ["b"] * (SHOWN - 2)),
    (["a"] * 99 + ["z"], ["a"] * (SHOWN - 1) + ["z"]),
)


def self_test():
    pairs = [(tuple(count_test({"stdout": stdout, "result": result})), wanted)
             for stdout, result, wanted in SELF_TEST]
    pairs += [(telling(lines), wanted) for lines, wanted in TELLING_TEST]
    for number, (found, wanted) in enumerate(pairs, 1):
        print(f"{'ok' if found == wanted else 'not ok'} {number} /count/{number}")
        if found != wanted:
            print(f"# {found} instead of {wanted}")
    print(f"1..{len(pairs)}")
    return 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    total = count_log(sys.argv[2])
    with open(sys.argv[1], "a", encoding="utf-8") as stream:
        print(*total, file=stream)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
