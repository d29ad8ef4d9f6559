# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the rules need to know of a C file: its code without comments, and its functions."""

import re
from dataclasses import dataclass

CONTROL = ("if", "for", "while", "switch")
TOKEN = re.compile(r"\w+|[^\w\s]")
COMMENT_OR_LITERAL = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)


@dataclass
class Function:
    name: str
    line: int
    length: int
    parameters: list
    nesting: int


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code(text):
    """The text with comments and literals blanked; every character keeps its place."""
    def replace(match):
        found = match.group()
        if found[0] in "\"'":
            return found[0] + _blank(match)[1:-1] + found[0]
        return _blank(match)
    return COMMENT_OR_LITERAL.sub(replace, text)


def includes(text):
    """(line, path, whether in angle brackets) of each include."""
    pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)', re.MULTILINE)
    for match in pattern.finditer(text):
        yield line_of(text, match.start()), match.group(2), match.group(1) == "<"


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def _closing(text, start, pair):
    depth = 0
    for position in range(start, len(text)):
        if text[position] == pair[0]:
            depth += 1
        elif text[position] == pair[1]:
            depth -= 1
            if depth == 0:
                return position
    return len(text)


def _opening(text, end):
    depth = 0
    for position in range(end, -1, -1):
        if text[position] == ")":
            depth += 1
        elif text[position] == "(":
            depth -= 1
            if depth == 0:
                return position
    return -1


def parameters(text):
    """The names in a parameter list, without its parentheses."""
    names = []
    depth = 0
    item = ""
    for character in text + ",":
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character != "," or depth:
            item += character
            continue
        pointer = re.search(r"\(\s*\*\s*(\w+)", item)
        words = re.findall(r"\w+", item)
        if pointer:
            names.append(pointer.group(1))
        elif words and words != ["void"]:
            names.append(words[-1])
        item = ""
    return names


def functions(text):
    """Every function that the file defines."""
    body = DIRECTIVE.sub(_blank, code(text))
    position = 0
    while (opening := body.find("{", position)) != -1:
        closing = _closing(body, opening, "{}")
        header_end = len(body[:opening].rstrip()) - 1
        if body[header_end] == ")":
            start = _opening(body, header_end)
            name = re.search(r"(\w+)\s*$", body[:start])
            if name:
                line = line_of(body, name.start())
                yield Function(name.group(1), line, line_of(body, closing) - line + 1,
                               parameters(body[start + 1:header_end]),
                               nesting(body[opening:closing + 1]))
        position = closing + 1


def slots(text):
    """(line, name, parameters) of each function pointer that a struct or typedef declares."""
    body = DIRECTIVE.sub(_blank, code(text))
    for match in re.finditer(r"\(\s*\*\s*(\w+)\s*\)\s*\(", body):
        closing = _closing(body, match.end() - 1, "()")
        yield (line_of(body, match.start()), match.group(1),
               parameters(body[match.end():closing]))


def nesting(block):
    """How many control statements stand in one another, with braces or without."""
    return _Statements(TOKEN.findall(block)).statement(0, 0)[1]


class _Statements:
    def __init__(self, tokens):
        self.tokens = tokens

    def at(self, index):
        return self.tokens[index] if index < len(self.tokens) else ""

    def after_parentheses(self, index):
        depth = 0
        while index < len(self.tokens):
            depth += {"(": 1, ")": -1}.get(self.tokens[index], 0)
            index += 1
            if depth == 0:
                break
        return index

    def simple(self, index):
        depth = 0
        while index < len(self.tokens):
            token = self.tokens[index]
            if depth == 0 and token == "}":
                return index
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(token, 0)
            index += 1
            if depth == 0 and token == ";":
                break
        return index

    def block(self, index, depth):
        deepest = depth
        while self.at(index) not in ("}", ""):
            index, found = self.statement(index, depth)
            deepest = max(deepest, found)
        return index + 1, deepest

    def control(self, index, depth):
        is_if = self.at(index) == "if"
        index, deepest = self.statement(self.after_parentheses(index + 1), depth + 1)
        if is_if and self.at(index) == "else":
            # "else if" goes on at the level of its "if".
            inner = depth if self.at(index + 1) == "if" else depth + 1
            index, found = self.statement(index + 1, inner)
            deepest = max(deepest, found)
        return index, deepest

    def statement(self, index, depth):
        """The index after the statement, and the deepest level in it."""
        token = self.at(index)
        if token == "{":
            return self.block(index + 1, depth)
        if token in CONTROL:
            return self.control(index, depth)
        if token == "do":
            index, deepest = self.statement(index + 1, depth + 1)
            return self.simple(index), deepest
        if token in ("case", "default"):
            while self.at(index) not in (":", ""):
                index += 1
            return self.statement(index + 1, depth)
        return self.simple(index), depth
