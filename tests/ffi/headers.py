#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public header compiles alone, and the umbrella does, in each language standard a host may
use: headers.py [--cc COMPILER]... [--cxx COMPILER]... [--include DIRECTORY]... HEADER..., TAP on
stdout.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys

STANDARDS = {"cc": ("c99", "c11"), "cxx": ("c++11", "c++14", "c++17", "c++20")}
LANGUAGE = {"cc": "c", "cxx": "c++"}
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-unused-parameter")


def compiles(command, source):
    """What the compiler says against it, empty where nothing."""
    result = subprocess.run([*command, "-fsyntax-only", "-"], input=source, capture_output=True,
                            text=True)
    return result.stderr.strip().splitlines() or (["no message"] if result.returncode else [])


def source_for(header):
    # What a host does: it includes the header twice, by way of another one, and uses it from C++.
    name = os.path.basename(header)
    include = f"#include <imgimport/{name}>\n"
    return include * 2 + "int main (void) { return 0; }\n"


def commands(options):
    flags = subprocess.run(["pkg-config", "--cflags", "gobject-2.0", "gio-2.0"], check=True,
                           capture_output=True, text=True).stdout.split()
    flags += [f"-I{directory}" for directory in options.include]
    for kind in ("cc", "cxx"):
        for compiler in getattr(options, kind):
            for standard in STANDARDS[kind]:
                yield (f"{os.path.basename(compiler)}-{standard}",
                       [compiler, f"-std={standard}", "-x", LANGUAGE[kind], *WARNINGS, *flags])


def finds_what_is_wrong(command):
    found = compiles(command, "#include <imgimport/imgimport.h>\nImgImportNothing *a;\n")
    return [] if found else ["a wrong source was compiled"]


def cases(options):
    """Functions that answer a case's name and its problems."""
    for name, command in commands(options):
        for header in options.headers:
            yield lambda name=f"{name}/{os.path.basename(header)}", command=command, header=header: \
                (name, compiles(command, source_for(header)))
        yield lambda name=f"{name}/finds-what-is-wrong", command=command: \
            (name, finds_what_is_wrong(command))


def parse():
    parser = argparse.ArgumentParser()
    for name in ("--cc", "--cxx", "--include"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("headers", nargs="+")
    return parser.parse_args()


def main():
    options = parse()
    number = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, problems in pool.map(lambda case: case(), cases(options)):
            number += 1
            failed += bool(problems)
            print(f"{'not ok' if problems else 'ok'} {number} /ffi/headers/{name}")
            for problem in problems[:10]:
                print(f"# {problem}")
    print(f"1..{number}")
    return 1 if failed or not number else 0


if __name__ == "__main__":
    sys.exit(main())
