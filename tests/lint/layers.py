# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules for the tree as a whole: who includes whom, headers, and what objects hold."""

import re
import subprocess

import csource

PLUGINS = ("catalogs", "stores", "methods", "hooks")
ALLOWED = {
    "base": (),
    "model": ("base",),
    "flow": ("base",),
    "inspect": ("base",),
    "unpack": ("base",),
    "spi": ("model", "base"),
    "stream": ("inspect", "spi", "base"),
    "service": ("stream", "inspect", "spi", "model", "flow", "base"),
}
ALLOWED.update({plugin: ("base", "inspect") for plugin in PLUGINS})
ALLOWED["hooks"] += ("unpack",)

# The one file that may know the built-in plug-ins: it registers them.
BUILTINS = "libimgimport/service/builtins.c"

# What a layer that knows nothing of images may see of the public interface.
PUBLIC = {
    "base": ("error", "macros", "version"),
    "inspect": ("error", "macros", "version", "inspect"),
    "unpack": ("error", "macros", "version"),
    "flow": ("error", "macros", "version", "flow", "journal", "policy", "run", "task",
             "watch"),
}

# Headers beside a folder's door, shared by a few files of the folder.
INTERNAL_HEADERS = {
    "libimgimport/base/lock.h": "locks, and what a sanitizer has to be told of them",
    "libimgimport/catalogs/memory-index.h": "an index of its own under the memory catalog",
    "libimgimport/catalogs/sqlite-internal.h": "the connection that the SQLite catalog's files share",
    "libimgimport/flow/engine-private.h": "how a plan is run, beside what it is",
    "libimgimport/flow/journal-segment.h": "the files of a journal in a directory",
    "libimgimport/flow/pool-private.h": "who runs tasks, beside what they are",
    "libimgimport/flow/timeline-private.h": "what came of the tasks of a run, for the service too",
    "libimgimport/flow/watch-private.h": "what is kept of a run for those who watch it",
    "libimgimport/inspect/format.h": "what every format inspector implements",
    "libimgimport/inspect/vhdx.h": "the tables of VHDX, beside where they lie",
    "libimgimport/inspect/vmdk.h": "the text in VMware's disks, beside their header",
    "libimgimport/inspect/judge.h": "the policy, for who reads it and who judges by it",
    "libimgimport/inspect/luks.h": "what the two versions of LUKS share",
    "libimgimport/inspect/mbr.h": "the record that is a table, or protects a GPT",
    "libimgimport/service/import-private.h": "what the tasks of an import share",
    "libimgimport/service/txn.h": "what changes the records of a service",
    "libimgimport/service/upload-private.h": "what the two halves of an upload share",
    "libimgimport/unpack/decoder.h": "what every decoder of a packing implements",
    "libimgimport/stream/pass.h": "what the parts of a pass share",
}

# GLib's macros keep a type's id, its parent class, the offset of its private part, and an error
# domain's quark in such variables, written once under GLib's own lock.
TYPE_SYSTEM = re.compile(r"^(static_g_define_type_id|g_define_type__static|\w+_parent_class"
                         r"|\w+_private_offset|q|initialized)(\.\d+)?$")


def _folder(file):
    parts = file.path.split("/")
    return parts[1] if len(parts) == 3 and parts[0] == "libimgimport" else None


def _refusal(file, folder, path, angled, names):
    if angled:
        public = re.fullmatch(r"imgimport/imgimport-?(.*)\.h", path)
        if public and folder in PUBLIC and public.group(1) not in PUBLIC[folder]:
            return f"{folder} may not know <{path}>"
        return None
    if path == "imgimport-config.h" or f"libimgimport/{folder}/{path}" in names:
        return None
    target = path.split("/")[0]
    if target == folder or target in ALLOWED[folder]:
        return None
    if file.path == BUILTINS and target in PLUGINS:
        return None
    return f"{folder} may not include \"{path}\""


def include_direction(files):
    names = {file.path for file in files}
    for file in files:
        folder = _folder(file)
        if folder is None or not file.is_c():
            continue
        if folder not in ALLOWED:
            yield file.path, 1, f"folder {folder} has no place in the layers"
            continue
        for line, path, angled in csource.includes(file.text):
            refusal = _refusal(file, folder, path, angled, names)
            if refusal:
                yield file.path, line, refusal


def one_private_header(files):
    names = {file.path for file in files}
    for file in files:
        folder = _folder(file)
        door = f"libimgimport/{folder}/{folder}-private.h"
        if folder and file.kind == "h" and file.path != door and file.path not in INTERNAL_HEADERS:
            yield file.path, 1, "a header beside the folder's door"
        if folder and door not in names:
            yield file.path, 1, f"its folder has no {door}"


def headers_used(files):
    used = {path.rsplit("/", 1)[-1] for file in files if file.is_c()
            for _, path, _ in csource.includes(file.text)}
    for file in files:
        name = file.path.rsplit("/", 1)[-1]
        if file.kind == "h" and not file.is_below("include") and name not in used:
            yield file.path, 1, "no file includes it"


def quoted_examples(files):
    """A program that the documentation shows is one of the examples, as it is compiled and run."""
    examples = {file.text for file in files if file.path.startswith("examples/")}
    for file in files:
        if file.path.endswith(".md"):
            for match in re.finditer(r"^```c\n(/\* SPDX.*?)^```$", file.text,
                                     re.MULTILINE | re.DOTALL):
                if match.group(1) not in examples:
                    yield file.path, csource.line_of(file.text, match.start()), "no example is like it"


PER_TREE = (include_direction, one_private_header, headers_used, quoted_examples)


def writable_data(archives):
    """Static data that can be written after the program's start."""
    for archive in archives:
        table = subprocess.run(["objdump", "-t", archive], check=True, capture_output=True,
                               text=True).stdout
        for line in table.splitlines():
            found = re.match(r"^[0-9a-f]+ .{7} (\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$", line)
            if not found:
                continue
            section, symbol = found.groups()
            is_variable = re.match(r"^(\.(data|bss|tdata|tbss)(\.|$)|\*COM\*)", section)
            is_constant = section.startswith(".data.rel.ro")
            if is_variable and not is_constant and symbol != section \
                    and not TYPE_SYSTEM.match(symbol):
                yield archive, 0, f"{symbol} in {section}"
