# SPDX-License-Identifier: LGPL-2.1-or-later
"""For each rule: what it has to find, and at which line; and the like that it has to accept."""

import layers
import rules

LIB = "libimgimport/base/a.c"
HEADER = "libimgimport/base/a.h"
TEST = "tests/unit/test-a.c"
PYTHON = "tests/a.py"
SHELL = "tests/a.sh"

# Symbols of bad-data.c that the rule has to find.
WRITABLE = ("counter", "table", "thread_counter", "common")

_DOORS = {f"libimgimport/{folder}/{folder}-private.h": f"/* {rules.SPDX} */\n#pragma once\n"
          for folder in layers.ALLOWED}


def tree(pair):
    """One file among the private headers that every folder has."""
    path, text = pair[0], pair[1]
    files = dict(_DOORS) if path.startswith("libimgimport/") else {}
    if "a_door_is_missing" in text:
        del files["libimgimport/base/base-private.h"]
    users = f"/* {rules.SPDX} */\n" + "".join(f'#include "{door[len("libimgimport/"):]}"\n' for door in files)
    if files:
        files["tests/unit/user.c"] = users
    if path.endswith(".md"):
        files["examples/a.c"] = EXAMPLE
    files[path] = text
    return files


def c_function(lines, parameters="void", body="  f ();\n"):
    return f"static void\nf ({parameters})\n{{\n{body * lines}}}\n"


def nested(levels, braces):
    body = ""
    for level in range(levels):
        body += f"{'  ' * (level + 1)}if (f ({level}))\n" + ("{\n" if braces else "")
    body += "g ();\n" + ("}\n" * levels if braces else "")
    return c_function(1, body=body)


def py_nested(levels):
    lines = ["def f():"] + ["    " * (level + 1) + "if g():" for level in range(levels)]
    return "\n".join(lines) + "\n" + "    " * (levels + 1) + "pass\n"


def includes(text):
    return f"#include {text}\n"


ELSE_IFS = c_function(1, body="  if (a)\n    b ();\n" + "  else if (a)\n    b ();\n" * 6)
SWITCHES = "  switch (a)\n    {\n    case 1:\n      while (b)\n        do\n          for (;;)\n" \
           "            if (c)\n              d ();\n        while (e);\n    default:\n      g ();\n    }\n"
SPDX_C = f"/* {rules.SPDX} */\n"
EXAMPLE = SPDX_C + "main ();\n"
SPDX_SH = f"# {rules.SPDX}\n"
SLEEP = "sle" "ep"
MARK = "TO" "DO"

# (rule, name, (path, bad text, line of the finding), (path, good text))
CASES = (
    (rules.file_length, "c", (LIB, "int a;\n" * 401, 401), (LIB, "int a;\n" * 400)),
    (rules.file_length, "python", (PYTHON, "a\n" * 401, 401), (PYTHON, "a\n" * 400)),
    (rules.function_length, "c", (LIB, c_function(58), 2), (LIB, c_function(57))),
    (rules.function_length, "c-after-a-macro",
     (LIB, "G_DEFINE_TYPE (A, a, B)\n" + c_function(58), 3), (LIB, "int a[] = {\n" + "1,\n" * 70 + "};\n")),
    (rules.function_length, "c-brace-in-literal",
     (LIB, c_function(58, body="  f ('{');\n"), 2), (LIB, c_function(5, body="  f (\"}\");\n"))),
    (rules.function_length, "python",
     (PYTHON, "def f():\n" + "    g()\n" * 60, 1), (PYTHON, "def f():\n" + "    g()\n" * 59)),
    (rules.function_length, "shell",
     (SHELL, "f ()\n{\n" + "  g\n" * 58 + "}\n", 1), (SHELL, "f ()\n{\n" + "  g\n" * 57 + "}\n")),
    (rules.function_nesting, "c-with-braces", (LIB, nested(5, True), 2), (LIB, nested(4, True))),
    (rules.function_nesting, "c-without-braces", (LIB, nested(5, False), 2), (LIB, nested(4, False))),
    (rules.function_nesting, "c-switch-and-do", (LIB, c_function(1, body=SWITCHES), 2), (LIB, ELSE_IFS)),
    (rules.function_nesting, "python", (PYTHON, py_nested(5), 1), (PYTHON, py_nested(4))),
    (rules.function_nesting, "shell",
     (SHELL, "f ()\n{\n" + "  if a; then\n" * 5 + "b\n" + "  fi\n" * 5 + "}\n", 1),
     (SHELL, "f ()\n{\n" + "  if a; then\n" * 4 + "b\n" + "  fi\n" * 4 + "}\n")),
    (rules.function_parameters, "c",
     (LIB, c_function(1, "A *self, int a, int b, int c, int d, int e, int (*f) (int, int), int g"), 2),
     (LIB, c_function(1, "A *self, int a, int b, int c, int d, int e, int f, B *cancellable,\nC **error"))),
    (rules.function_parameters, "slot",
     (HEADER, "struct s\n{\n  int (*f) (T *task, int a, int b, int c, int d, int e, int user_data);\n};\n", 3),
     (HEADER, "struct s\n{\n  int (*f) (T *self, int a, int b, int c, int d, int e, int g);\n};\n")),
    (rules.function_parameters, "python",
     (PYTHON, "def f(a, b, c, d, e, f, g):\n    pass\n", 1),
     (PYTHON, "def f(self, a, b, c, d, e, f):\n    pass\n")),
    (rules.no_goto, "c", (LIB, "a;\n  goto out;\n", 2), (LIB, "/* no goto here */\n\"goto\";\n")),
    (rules.no_ending_or_speaking, "abort", (LIB, "a ();\nabort ();\n", 2), (LIB, "vtable->abort (a);\n")),
    (rules.no_ending_or_speaking, "printf", (LIB, "printf (\"a\");\n", 1), (LIB, "g_strdup_printf (\"a\");\n")),
    (rules.no_ending_or_speaking, "assert", (LIB, "g_assert_true (a);\n", 1), (TEST, "g_assert_true (a);\n")),
    (rules.no_ending_or_speaking, "g_error", (LIB, "g_error (\"a\");\n", 1), (LIB, "g_error_free (a);\n")),
    (rules.no_sleep_in_tests, "c", (TEST, f"g_u{SLEEP} (10);\n", 1), (LIB, f"g_u{SLEEP} (10);\n")),
    (rules.no_sleep_in_tests, "python", (PYTHON, f"time.{SLEEP}(1)\n", 1), (PYTHON, f"{SLEEP}less()\n")),
    (rules.no_sleep_in_tests, "shell", (SHELL, f"while a; do {SLEEP} 1; done\n", 1), (SHELL, f"echo no {SLEEP}\n")),
    (rules.licence_line, "c", (LIB, "int a;\n", 1), (LIB, SPDX_C)),
    (rules.licence_line, "shell", (SHELL, "#!/bin/sh\n", 1), (SHELL, "#!/bin/sh\n" + SPDX_SH)),
    (rules.licence_line, "meson", ("tests/meson.build", "a\n", 1), ("tests/meson.build", SPDX_SH)),
    (rules.finished, "c", (LIB, f"int a;\n/* {MARK}: b */\n", 2), (LIB, f"/* {MARK}x */\n")),
    (rules.finished, "text", ("README.md", "works for " "now\n", 1), ("README.md", "for nowhere\n")),
    (rules.header_guard, "c", (HEADER, "int a;\n", 1), (HEADER, "#pragma once\n")),
    (layers.include_direction, "upwards",
     ("libimgimport/base/a.c", includes('"service/service-private.h"'), 1),
     ("libimgimport/service/a.c", includes('"base/base-private.h"'))),
    (layers.include_direction, "sideways",
     ("libimgimport/stores/a.c", includes('"catalogs/catalogs-private.h"'), 1),
     ("libimgimport/stores/a.c", includes('"inspect/inspect-private.h"'))),
    (layers.include_direction, "plug-in-to-service",
     ("libimgimport/hooks/a.c", includes('"stream/stream-private.h"'), 1),
     ("libimgimport/hooks/a.c", includes("<imgimport/imgimport-hook.h>"))),
    (layers.include_direction, "service-to-plug-in",
     ("libimgimport/service/a.c", includes('"stores/stores-private.h"'), 1),
     (layers.BUILTINS, includes('"stores/stores-private.h"'))),
    (layers.include_direction, "public-header",
     ("libimgimport/flow/a.c", includes("<imgimport/imgimport-image.h>"), 1),
     ("libimgimport/flow/a.c", includes("<imgimport/imgimport-flow.h>"))),
    (layers.include_direction, "dots",
     ("libimgimport/flow/a.c", includes('"../model/model-private.h"'), 1),
     ("libimgimport/flow/a.c", includes('"flow-private.h"'))),
    (layers.include_direction, "unknown-folder",
     ("libimgimport/extra/a.c", "int a;\n", 1), ("libimgimport/flow/a.c", "int a;\n")),
    (layers.one_private_header, "another",
     ("libimgimport/flow/other.h", "int a;\n", 1), ("libimgimport/stream/pass.h", "int a;\n")),
    (layers.one_private_header, "none",
     (LIB, "int a_door_is_missing;\n", 1), (LIB, "int a;\n")),
    (layers.quoted_examples, "other",
     ("README.md", f"a\n```c\n{SPDX_C}other ();\n```\n", 2),
     ("README.md", f"```c\n{EXAMPLE}```\n```c\nexcerpt ();\n```\n")),
    (layers.quoted_examples, "other-in-docs",
     ("docs/a.md", f"a\n```c\n{SPDX_C}other ();\n```\n", 2),
     ("docs/a.md", f"```c\n{EXAMPLE}```\n```c\nexcerpt ();\n```\n")),
    (layers.headers_used, "unused",
     ("libimgimport/flow/unused-private.h", "int a;\n", 1),
     ("libimgimport/flow/flow-private.h", "int a;\n")),
)
