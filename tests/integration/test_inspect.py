# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `inspect`, on images that other programs made."""

import gzip
import importlib
import io
import json
import logging
import os
import subprocess
import sys

from harness import Skip, cases, contains, equal, main, test
from images import CORPUS, MIB, by_qemu, iso, tool, with_backing_file, written, zip_of

SAFE, UNSAFE, UNREADABLE = range(3)

# What QEMU calls a format; it knows no others of the corpus.
QEMU_NAMES = {"qcow2": "qcow2", "qed": "qed", "vdi": "vdi", "vhd": "vpc", "vhdx": "vhdx",
              "vmdk": "vmdk", "parallels": "parallels", "luks": "luks"}


def imported(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Skip(f"there is no {name}") from error


def inspect(root, *arguments, status=SAFE, **options):
    output, error = root.run("--format", "json", "inspect", *arguments, status=status, **options)
    return json.loads(output), error


def compare_with_qemu(path, found, accepted):
    if len(found["matches"]) != 1 or found["matches"][0] not in QEMU_NAMES:
        return
    done = subprocess.run([tool("qemu-img"), "info", "--output=json", path], capture_output=True,
                          check=False)
    if done.returncode != 0:
        equal(accepted, False, done.stderr.decode())
        return
    info = json.loads(done.stdout)
    if info["format"] == "raw" and found["matches"][0] in ("vhd", "luks"):
        return  # of fixed size, or version 2: QEMU does not tell them
    equal(info["format"], QEMU_NAMES[found["matches"][0]], "format by qemu-img")
    if found["virtual_size"] is not None:
        equal(found["virtual_size"], info["virtual-size"], "virtual size by qemu-img")


@cases({name: row for name, row in CORPUS.items()})
def file_is_recognised_and_judged(root, make, matches, accepted):
    path = root.file("image")
    make(path)
    found = inspect(root, path, status=SAFE if accepted else UNSAFE)[0][0]
    if matches is not None:
        equal(found["matches"], matches, "matches")
        equal(found["format"], "raw" if not matches else matches[0] if len(matches) == 1 else None)
    equal(found["verdict"]["accepted"], accepted, found["verdict"]["message"])
    equal(found["size"], os.path.getsize(path), "size")
    compare_with_qemu(path, found, accepted)
    with open(path, "rb") as file:
        piped = inspect(root, "-", status=SAFE if accepted else UNSAFE, stdin=file)[0][0]
    equal({**piped, "file": path}, found, "by standard input")


def agrees(declared, matches):
    """A partition table is what a raw disk may begin with, and gpt to Glance; ploop is as Parallels
    is; no bytes tell an `ami`."""
    others = {"raw": ([], ["gpt"], ["mbr"]), "gpt": (["mbr"],), "ploop": (["parallels"],),
              "ami": ([],)}
    return matches in others.get(declared, ()) or matches[:1] == [declared]


@test
def every_format_is_judged_as_every_other(root):
    """security 41"""
    made = []
    for name, (make, matches, accepted) in CORPUS.items():
        try:
            make(root.file(name))
        except Skip:
            continue
        if matches is not None:
            made.append((root.file(name), matches, accepted))
    for declared in ("raw", "ami", "qcow2", "qed", "vmdk", "vhd", "vhdx", "vdi", "iso", "gpt", "luks",
                     "parallels", "ploop", "gzip", "tar", "ova"):
        found, _ = inspect(root, *[path for path, _, _ in made], "--disk-format", declared,
                           status=UNSAFE)
        for one, (path, matches, accepted) in zip(found, made):
            verdict = one["verdict"]
            equal(verdict["accepted"], accepted and agrees(declared, matches),
                  f"{os.path.basename(path)} as {declared}: {verdict['message']}")
            if not verdict["accepted"]:
                expected = "format-unsafe" if agrees(declared, matches) else "format-mismatch"
                if matches[0:1] in (["gzip"], ["bzip2"], ["xz"], ["zip"], ["tar"], ["ova"]):
                    expected = "format-mismatch"
                equal(verdict["reason"], expected, f"{os.path.basename(path)} as {declared}")


@cases({
    "iso+zip": (iso, zip_of(b"data"), 0, ["iso", "zip"]),
    "iso+qcow2": (iso, b"QFI\xfb\0\0\0\3".ljust(512, b"\0"), 0, ["iso", "qcow2"]),
    "qcow2+mbr": (by_qemu("qcow2"), b"\x55\xaa", 510, ["qcow2", "mbr"]),
    "qcow2+iso": (by_qemu("qcow2"), b"\1CD001\1", 32768, ["qcow2", "iso"]),
})
def polyglot_is_refused_with_all_its_matches(root, make, data, at, matches):
    """security 45"""
    path = root.file("image")
    make(path)
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)
    found = inspect(root, path, status=UNSAFE)[0][0]
    equal(sorted(found["matches"]), sorted(matches), "matches")
    equal(found["format"], None)
    equal(found["verdict"]["reason"], "format-ambiguous")
    contains(found["verdict"]["message"], ", ".join(found["matches"]))


# Where oslo.utils says something else, on purpose.
OSLO_DIFFERS = {
    "a master boot record is gpt there": ("mbr",),
    "a footer is not looked for": ("vhd-fixed", "vhd-fixed-gpt", "vhd-fixed-mbr"),
    "version 2 has no size, and is unsafe": ("luks2",),
    "it is unknown": ("parallels", "parallels-odd", "gzip", "bzip2", "xz", "zip", "tar", "ova",
                      "json-name"),
    "text is looked at less": ("vmdk-text",),
}


def oslo_says(inspector, path):
    """The names of the formats, whether all are safe, the size by the last of them."""
    wrapper = inspector.InspectWrapper(io.FileIO(path))
    while wrapper.read(65536):
        pass
    wrapper.close()
    formats, safe = sorted(wrapper.formats, key=str), True
    for one in formats:
        try:
            one.safety_check()
        except (inspector.SafetyCheckFailed, inspector.ImageFormatError):
            safe = False
    return [str(one) for one in formats], safe, formats[-1].virtual_size


@test
def files_are_what_oslo_utils_says(root):
    inspector = imported("oslo_utils.imageutils.format_inspector")
    logging.disable(logging.CRITICAL)
    for name, (make, matches, accepted) in CORPUS.items():
        if any(name in names for names in OSLO_DIFFERS.values()):
            continue
        path = root.file(name)
        try:
            make(path)
        except Skip:
            continue
        formats, safe, size = oslo_says(inspector, path)
        equal(formats, sorted(matches) or ["raw"], name)
        # More is refused here, nothing less.
        equal(safe or not accepted, True, f"{name} is unsafe there and safe here")
        if accepted and len(formats) == 1:
            equal(inspect(root, path)[0][0]["virtual_size"], size, f"virtual size of {name}")


# Glance's own looks for no footer, reads no descriptor that stands alone, and tolerates encryption
# and a VMDK with a parent.
GLANCE_DIFFERS = ("vhd-fixed", "vmdk-text", "vmdk-flat", "vmdk-split", "vmdk-backed", "qcow2-luks")


@test
def files_are_what_glance_says(root):
    inspector = imported("glance.common.format_inspector")
    for name, (make, matches, accepted) in CORPUS.items():
        if name in GLANCE_DIFFERS or not matches or len(matches) > 1 or (
                matches[0] not in inspector.ALL_FORMATS):
            continue
        path = root.file(name)
        try:
            make(path)
        except Skip:
            continue
        theirs = inspector.get_inspector(matches[0]).from_file(path)
        ours = inspect(root, path, status=SAFE if accepted else UNSAFE)[0][0]
        equal([ours["format"], True], [matches[0], theirs.format_match], name)
        equal(accepted, theirs.safety_check(), name)
        if accepted:
            equal(ours["virtual_size"], theirs.virtual_size, name)


# ---- the command ---------------------------------------------------------------------------------

@test
def several_files_are_shown_and_the_worst_counts(root):
    good, bad = root.file("good"), root.file("bad")
    written(bytes(MIB))(good)
    written(gzip.compress(bytes(MIB)))(bad)
    output, _ = root.run("inspect", good, bad, status=UNSAFE)
    contains(output, "accepted")
    contains(output, "REFUSED")
    output, error = root.run("inspect", good, root.file("absent"), bad, status=UNREADABLE)
    contains(output, "REFUSED")
    contains(error, "absent")
    _, error = root.run("inspect", root.work, status=UNREADABLE)
    contains(error, "directory")


@test
def declared_format_is_compared(root):
    path = root.file("image")
    by_qemu("qcow2")(path)
    inspect(root, path, "--disk-format", "qcow2")
    found, _ = inspect(root, path, "--disk-format", "raw", status=UNSAFE)
    equal(found[0]["verdict"]["reason"], "format-mismatch")
    found, _ = inspect(root, path, "--disk-format", "raw", "--container-format", "ova")
    equal(found[0]["verdict"]["format"], None)


@test
def policy_is_text_or_a_file(root):
    path = root.file("image")
    by_qemu("qcow2")(path)
    for policy, reason in (('{"max_virtual_size": 67108863}', "virtual-size-limit"),
                           ('{"allowed_formats": ["raw"]}', "format-not-allowed")):
        found, _ = inspect(root, path, "--policy", policy, status=UNSAFE)
        equal(found[0]["verdict"]["reason"], reason)
        found, _ = inspect(root, path, "--policy", root.write("policy", policy.encode()),
                           status=UNSAFE)
        equal(found[0]["verdict"]["reason"], reason)
    with_backing_file("qcow2")(root.file("backed"))
    inspect(root, root.file("backed"), status=UNSAFE)
    inspect(root, root.file("backed"), "--policy", '{"nonfatal_checks": {"qcow2": ["backing_file"]}}')
    for policy in ('{"max_virtual_size": 0}', "{", root.file("absent")):
        root.run("inspect", path, "--policy", policy, status=UNREADABLE)
    root.run("inspect", status=UNREADABLE)


@test
def huge_sparse_file_is_inspected_at_once(root):
    path = root.file("image")
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    equal(inspect(root, path)[0][0]["size"], 1 << 40)


@test
def nothing_stored_is_touched(root):
    written(bytes(MIB))(root.file("image"))
    subprocess.run([root.program, "--root", root.file("elsewhere"), "inspect", root.file("image")],
                   check=True, capture_output=True)
    equal(os.path.exists(root.file("elsewhere")), False)


if __name__ == "__main__":
    sys.exit(main())
