#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The way of the bytes beside the machine's limits and real tools, all in one run.

    bench-bytes.py IMGIMPORT SMALL_IMAGES INSPECT_SPEED [--mib N] [--runs N] [--cases LETTERS]
                   [--json FILE] [--directory DIR] [--smoke]

The rivals do less: cp digests nothing, openssl stores nothing, none of them keeps a record.
"""

import argparse
import json
import os
import tempfile

import cases
import measure
import report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("imgimport")
    parser.add_argument("small_images")
    parser.add_argument("inspect_speed")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cases", default="abcdefgh")
    parser.add_argument("--json")
    parser.add_argument("--directory", help="where to work; must be of a disk's file system")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: that it runs, in TAP")
    options = parser.parse_args()
    if options.smoke:
        options.mib, options.runs = 2, 1
    result = measure.Report(options.runs)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.directory) as work:
        world = cases.World(options, work, result)
        for letter in options.cases:
            getattr(cases, f"case_{letter}")(world)
    facts = {"cores": os.cpu_count(), "mib": options.mib, "runs": options.runs,
             "rows": result.rows}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(facts, out, indent=1)
    if not options.smoke:
        print(report.table(facts))
        return
    report.chart(facts)
    print("1..1")
    print("ok 1 /bench/bytes/every-case-runs" if report.table(facts) else "not ok 1")


if __name__ == "__main__":
    main()
