#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the examples as a user would: examples.py NAME=PATH..., TAP on stdout.

A Python example is run by the interpreter that runs this.
"""

import hashlib
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
COLLECT_ALWAYS = "import gc, runpy, sys; gc.set_threshold(1); sys.argv.pop(0); " \
                 "runpy.run_path(sys.argv[0], run_name='__main__')"


class Place:
    """A directory of one case's own, with a qcow2 image in it."""

    def __init__(self, directory, path):
        self.path = path
        self.root = os.path.join(directory, "root")
        self.qcow2 = os.path.join(directory, "disk.qcow2")
        self.content = qcow2()
        with open(self.qcow2, "wb") as stream:
            stream.write(self.content)

    def run(self, *arguments, status=0, interpreter=()):
        command = [self.path, *arguments]
        if self.path.endswith(".py"):
            command = [sys.executable, *interpreter, *command]
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert result.returncode == status, \
            f"exit status {result.returncode}: {result.stdout}{result.stderr}"
        return result.stdout if status == 0 else result.stderr


def qcow2():
    """A version 3 image of 1 MiB with 64 KiB clusters: header, refcounts, L1, L2, a data cluster."""
    cluster = 1 << 16
    header = struct.pack(">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 0, 0, 16, 1 << 20, 0, 1, 3 * cluster,
                         cluster, 1, 0, 0, 0, 0, 0, 4, 104)
    refcount_table = struct.pack(">Q", 2 * cluster)
    refcounts = struct.pack(">6H", 1, 1, 1, 1, 1, 1)
    l1_table = struct.pack(">Q", 4 * cluster | 1 << 63)
    l2_table = struct.pack(">Q", 5 * cluster | 1 << 63)
    data = random.Random(1).randbytes(cluster)
    return b"".join(part.ljust(cluster, b"\0") for part in (header, refcount_table, refcounts,
                                                            l1_table, l2_table, data))


def xorshift(size, seed):
    state = seed
    content = bytearray()
    for _ in range(size):
        state ^= state << 13 & 0xffffffffffffffff
        state ^= state >> 7
        state ^= state << 17 & 0xffffffffffffffff
        content.append(state & 0xff)
    return bytes(content)


def expect(pattern, text):
    assert re.search(pattern, text, re.MULTILINE), f"no “{pattern}” in: {text}"


def embed_imports_a_qcow2(place):
    record = json.loads(place.run(place.root, place.qcow2))
    assert record["status"] == "active", record
    assert record["size"] == len(place.content) and record["virtual_size"] == 1 << 20, record
    assert record["os_hash_value"] == hashlib.sha512(place.content).hexdigest(), record
    assert record["stores"] == "local", record


def embed_refuses_what_is_no_qcow2(place):
    with open(place.qcow2, "wb") as stream:
        stream.write(b"no image at all" * 100)
    expect("declared qcow2 but is raw", place.run(place.root, place.qcow2, status=1))


def embed_tells_its_usage(place):
    expect("^usage: embed", place.run(status=2))


def store_is_written_and_read(place):
    output = place.run(place.root)
    expect(f"^read back 16 bytes of image {UUID}$", output)
    expect("^the store was called to write [1-9][0-9]* times and to read [1-9][0-9]* times$", output)


def store_tells_its_usage(place):
    expect("^usage: custom-store", place.run(status=2))


def method_makes_the_bytes_of_its_seed(place):
    output = place.run(place.root, "300000", "7")
    expect(f"^{UUID} {hashlib.sha512(xorshift(300000, 7)).hexdigest()}$", output)


def method_refuses_a_size_of_nothing(place):
    expect(r"method/size.*\(request-invalid\)", place.run(place.root, "0", "7", status=1))


def hook_stamps_the_image(place):
    expect(f"^{UUID} is active, os_distro is debian$", place.run(place.root, "prod-1"))


def hook_refuses_a_name(place):
    expect(r"“prod-” \(name-refused\)", place.run(place.root, "test-1", status=1))


def inspect_tells_what_passes(place):
    for content, status in ((place.content, 0), (place.content[:300], 1)):
        done = subprocess.run([place.path], input=content, capture_output=True, check=False)
        assert done.returncode == status and done.stdout == content, done
        expect("\"format\":\"qcow2\"", done.stderr.decode())


def ctypes_uses_default_and_own_store(place):
    output = place.run(place.root, place.qcow2)
    size = len(place.content)
    expect(f"^local: active, {size} bytes, read back the same$", output)
    expect(f"^python: active, {size} bytes, read back the same$", output)
    expect(f"SHA-512 {hashlib.sha512(place.content).hexdigest()}$", output)
    expect("^python holds 0 objects after the deletion$", output)


def ctypes_survives_a_busy_garbage_collector(place):
    output = place.run(place.root, place.qcow2, interpreter=("-c", COLLECT_ALWAYS))
    expect("^python: active, .* read back the same$", output)


def ctypes_shows_the_libraries_error(place):
    with open(place.root, "wb"):
        pass  # a file where the directory should be
    expect(r"\(\S+\)$", place.run(place.root, place.qcow2, status=1))


def ctypes_fails_on_a_bad_image(place):
    with open(place.qcow2, "wb") as stream:
        stream.write(b"no image at all" * 100)
    expect(r"\(\S+\)$", place.run(place.root, place.qcow2, status=1))


def gi_imports_and_hears_events(place):
    output = place.run(place.root, place.qcow2)
    expect(f"^{UUID} is active, {len(place.content)} bytes, read back the same$", output)
    for status in ("queued", "uploading", "importing", "active"):
        expect(f"^event: the image became {status}$", output)


def gi_raises_what_failed(place):
    with open(place.qcow2, "wb") as stream:
        stream.write(b"no image at all" * 100)
    expect("declared qcow2 but is raw", place.run(place.root, place.qcow2, status=1))


CASES = {
    "embed": (embed_imports_a_qcow2, embed_refuses_what_is_no_qcow2, embed_tells_its_usage),
    "custom-store": (store_is_written_and_read, store_tells_its_usage),
    "custom-method": (method_makes_the_bytes_of_its_seed, method_refuses_a_size_of_nothing),
    "custom-hook": (hook_stamps_the_image, hook_refuses_a_name),
    "inspect": (inspect_tells_what_passes,),
    "ctypes": (ctypes_uses_default_and_own_store, ctypes_survives_a_busy_garbage_collector,
               ctypes_shows_the_libraries_error, ctypes_fails_on_a_bad_image),
    "gi": (gi_imports_and_hears_events, gi_raises_what_failed),
}


def main():
    programs = dict(argument.split("=", 1) for argument in sys.argv[1:])
    cases = [(name, path, case) for name, path in programs.items() for case in CASES[name]]
    failed = 0
    for number, (name, path, case) in enumerate(cases, 1):
        problem = None
        with tempfile.TemporaryDirectory() as directory:
            try:
                case(Place(directory, os.path.abspath(path)))
            except (AssertionError, ValueError, KeyError) as error:
                problem = str(error) or repr(error)
        failed += problem is not None
        title = case.__name__.replace("_", "-")
        print(f"{'not ok' if problem is not None else 'ok'} {number} /examples/{name}/{title}")
        for line in (problem or "").splitlines():
            print(f"# {line}")
    print(f"1..{len(cases)}")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
