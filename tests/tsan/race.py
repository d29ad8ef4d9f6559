#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ThreadSanitizer sees a planted race and lets correct code pass: race.py PROGRAM, TAP on stdout."""

import subprocess
import sys


def run(kind):
    result = subprocess.run([sys.argv[1], kind], capture_output=True, text=True)
    return result.returncode, "data race" in result.stderr and "count_up" in result.stderr


def main():
    cases = (("locked", (0, False)), ("counted", (0, False)), ("made", (0, False)),
             ("planted", (66, True)))
    for number, (kind, wanted) in enumerate(cases, 1):
        found = run(kind)
        print(f"{'ok' if found == wanted else 'not ok'} {number} /tsan/{kind}")
        if found != wanted:
            print(f"# (exit status, reported) is {found} instead of {wanted}")
    print(f"1..{len(cases)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
