#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the shared library exports: abi.py LIBRARY SYMBOLS HEADER..., TAP on stdout.

A symbol that is new or gone shows here first; whoever means it changes symbols.txt with it.
"""

import re
import subprocess
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DECLARATION = re.compile(r"IMGIMPORT_AVAILABLE_IN_\d+_\d+\s+(?:G_DECLARE_FINAL_TYPE\s*\(\s*\w+\s*,\s*"
                         r"(?P<type>\w+)|[^;(]*?\b(?P<name>\w+)\s*\()")
ANY_FUNCTION = re.compile(r"^[^\s#(][^\n(]*\b(imgimport_\w+) \(", re.MULTILINE)


def exported(library):
    output = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                            capture_output=True, text=True).stdout
    return sorted(line.split()[-1] for line in output.splitlines())


def soname(library):
    output = subprocess.run(["readelf", "-d", library], check=True, capture_output=True,
                            text=True).stdout
    return re.search(r"\(SONAME\).*\[(.*)\]", output).group(1)


def declared(headers):
    """The functions whose declaration carries the export mark."""
    found = set()
    for text in headers:
        for match in DECLARATION.finditer(COMMENT.sub("", text)):
            found.add(match["name"] or match["type"] + "_get_type")
    return found


def unmarked(headers):
    """Functions that a public header declares without the mark: nobody could link to them."""
    every = {name for text in headers for name in ANY_FUNCTION.findall(COMMENT.sub("", text))}
    return sorted(every - declared(headers))


def documented(headers):
    return {name for text in headers for name in re.findall(r"^/\*\*\n \* (\w+):", text, re.MULTILINE)}


def without_since(headers):
    blocks = [block for text in headers for block in re.findall(r"^/\*\*\n.*?\*/", text,
                                                              re.MULTILINE | re.DOTALL)]
    return [block.split("\n")[1] for block in blocks if not re.search(r"^ \* Since: \d", block,
                                                                       re.MULTILINE)]


def type_name(get_type):
    words = get_type[len("imgimport_"):-len("_get_type")].split("_")
    return "ImgImport" + "".join(word.capitalize() for word in words)


def undocumented(symbols, names):
    return [symbol for symbol in symbols if symbol not in names
            and not symbol.endswith("_quark")
            and not (symbol.endswith("_get_type") and type_name(symbol) in names)]


BAD_HEADER = """
/**
 * imgimport_known:
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
int imgimport_known (void);

IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportThing, imgimport_thing, IMGIMPORT, THING, GObject)

/* IMGIMPORT_AVAILABLE_IN_0_1 int imgimport_in_a_comment (void); */
int imgimport_unmarked (int a,
                        int b);

/**
 * imgimport_ageless:
 */
"""


def check_itself():
    bad = [BAD_HEADER]
    symbols = ["imgimport_known", "imgimport_thing_get_type", "imgimport_unmarked"]
    yield "finds/declared", declared(bad) ^ {"imgimport_known", "imgimport_thing_get_type"}
    yield "finds/unmarked", set(unmarked(bad)) ^ {"imgimport_unmarked"}
    yield "finds/undocumented", (set(undocumented(symbols, documented(bad)))
                                 ^ {"imgimport_thing_get_type", "imgimport_unmarked"})
    yield "finds/without-since", set(without_since(bad)) ^ {" * imgimport_ageless:"}


def check(library, listed, headers):
    symbols = exported(library)
    yield "soname", {soname(library)} ^ {"libimgimport.so.0"}
    yield "exported-but-not-listed", set(symbols) - set(listed)
    yield "listed-but-not-exported", set(listed) - set(symbols)
    yield "list-is-sorted-and-unique", {} if listed == sorted(set(listed)) else {"symbols.txt"}
    yield "exported-but-not-declared", set(symbols) - declared(headers)
    yield "declared-but-not-exported", declared(headers) - set(symbols)
    yield "declared-without-the-mark", unmarked(headers)
    yield "undocumented", undocumented(symbols, documented(headers))
    yield "without-since", without_since(headers)


def main():
    library, symbols_path, *header_paths = sys.argv[1:]
    with open(symbols_path, encoding="utf-8") as stream:
        listed = stream.read().split()
    headers = []
    for path in header_paths:
        with open(path, encoding="utf-8") as stream:
            headers.append(stream.read())
    number = failed = 0
    for name, problems in [*check_itself(), *check(library, listed, headers)]:
        number += 1
        failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {number} /abi/{name}")
        for problem in sorted(problems):
            print(f"# {problem}")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
