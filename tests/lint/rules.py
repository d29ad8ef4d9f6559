# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules for single files. A rule takes a File and yields (line, what is wrong)."""

import ast
import re

import csource

MAX_FILE = 400
MAX_FUNCTION = 60
MAX_NESTING = 4
MAX_PARAMETERS = 6
UNCOUNTED = ("self", "cls", "cancellable", "error")

# A program's own ways to end or to speak, which a library has no business with.
BANNED = re.compile(r"(?<![\w.>])(g_error|abort|_?exit|quick_exit|v?f?printf|g_print|g_printerr|f?puts"
                    r"|putchar|perror|assert|g_assert\w*|raise)\s*\(")
SLEEP = re.compile(r"(?<!\w)(?:g_u|nano|u|clock_nano)?sleep\s*\(")
SHELL_SLEEP = re.compile(r"(?:^|[;&|]|\b(?:do|then))\s*sleep\s", re.MULTILINE)
# In pieces, so that this file does not hold them.
WORDS = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK", "st" "ub",
                                      "place" "holder", "for " "now", "not yet " "implemented"))
                   + r")\b", re.IGNORECASE)
SPDX = "SPDX-License-Identifier: LGPL-2.1-or-later"


class File:
    def __init__(self, path, text):
        self.path = path  # relative to the source directory, with slashes
        self.text = text
        self.kind = path.rsplit(".", 1)[-1] if "." in path.rsplit("/", 1)[-1] else ""

    def is_c(self):
        return self.kind in ("c", "h")

    def is_code(self):
        return self.kind in ("c", "h", "py", "sh")

    def is_below(self, *folders):
        return self.path.split("/")[0] in folders


def _python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            yield csource.Function(node.name, node.lineno, node.end_lineno - node.lineno + 1,
                                   [argument.arg for argument in arguments],
                                   max(_python_nesting(child, 0) for child in node.body))


def _python_nesting(node, depth):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return depth  # counted on its own
    if isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
        depth += 1
    deepest = depth
    for field, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        is_elif = (isinstance(node, ast.If) and field == "orelse" and len(children) == 1
                   and isinstance(children[0], ast.If))
        for child in children:
            if isinstance(child, ast.AST):
                deepest = max(deepest, _python_nesting(child, depth - is_elif))
    return deepest


def _shell_functions(text):
    for match in re.finditer(r"^(\w+) *\(\)\s*\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        depth = deepest = 0
        for word in re.findall(r"(?:^|;|&&|\|\||\bthen|\bdo|\belse)\s*(if|fi|for|while|until|done|case"
                               r"|esac)\b", match.group(2), re.MULTILINE):
            depth += -1 if word in ("fi", "done", "esac") else 1
            deepest = max(deepest, depth)
        yield csource.Function(match.group(1), csource.line_of(text, match.start()),
                               match.group().count("\n") + 1, [], deepest)


def functions(file):
    if file.kind == "c" or file.kind == "h":
        return csource.functions(file.text)
    if file.kind == "py":
        return _python_functions(file.text)
    return _shell_functions(file.text) if file.kind == "sh" else ()


def file_length(file):
    lines = file.text.count("\n")
    if file.is_code() and lines > MAX_FILE:
        yield lines, f"{lines} lines, more than {MAX_FILE}"


def function_length(file):
    for function in functions(file):
        if function.length > MAX_FUNCTION:
            yield function.line, f"{function.name}: {function.length} lines, more than {MAX_FUNCTION}"


def function_nesting(file):
    for function in functions(file):
        if function.nesting > MAX_NESTING:
            yield function.line, f"{function.name}: nesting of {function.nesting}"


def function_parameters(file):
    found = [(each.line, each.name, each.parameters) for each in functions(file)]
    if file.is_c():
        found += csource.slots(file.text)
    for line, name, names in found:
        counted = [each for each in names if each not in UNCOUNTED]
        if len(counted) > MAX_PARAMETERS:
            yield line, f"{name}: {len(counted)} parameters: {', '.join(counted)}"


def _matches(file, pattern, text):
    for match in pattern.finditer(text):
        yield csource.line_of(text, match.start()), " ".join(match.group().split())


def no_goto(file):
    if file.is_c():
        yield from _matches(file, re.compile(r"\bgoto\b"), csource.code(file.text))


def no_ending_or_speaking(file):
    if file.is_c() and file.is_below("libimgimport"):
        yield from _matches(file, BANNED, csource.code(file.text))


def no_sleep_in_tests(file):
    if not file.is_below("tests"):
        return
    if file.is_c():
        yield from _matches(file, SLEEP, csource.code(file.text))
    elif file.kind == "py":
        yield from _matches(file, SLEEP, file.text)
    elif file.kind == "sh":
        yield from _matches(file, SHELL_SLEEP, file.text)


def licence_line(file):
    is_build = file.path.rsplit("/", 1)[-1] in ("meson.build", "run")
    if (file.is_code() or is_build) and SPDX not in "".join(file.text.splitlines(True)[:2]):
        yield 1, "no SPDX line at the top"


def finished(file):
    if file.kind != "wrap" and file.path != "LICENSE":
        yield from _matches(file, WORDS, file.text)


def header_guard(file):
    if file.kind == "h" and not re.search(r"^#pragma once$", file.text, re.MULTILINE):
        yield 1, "no #pragma once"


PER_FILE = (file_length, function_length, function_nesting, function_parameters, no_goto,
            no_ending_or_speaking, no_sleep_in_tests, licence_line, finished, header_guard)
