#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seeds for fuzz-inspect, from the images of the integration tests.

corpus_inspect.py DIRECTORY             makes them
corpus_inspect.py --replay PROGRAM      runs a program on them; TAP
"""

import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

import corpus  # pylint: disable=wrong-import-position
from harness import Skip  # pylint: disable=wrong-import-position
from images import CORPUS, written  # pylint: disable=wrong-import-position

BLOCK = 64
MAX_SEED = 9 << 8  # with the end and the gaps, 4 KiB
MODES = (0x04, 0x06, 0xfd)  # segments: whole; in pieces of 511; of 61, padded, told


def segments(path):
    """The image as gaps and data; what exceeds the largest seed is left out, but for the end."""
    parts, gap, seed_size = [], 0, 0
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        while data := file.read(BLOCK):
            at_end = size - file.tell() <= 1536
            if data.count(0) == len(data) or (seed_size > MAX_SEED and not at_end):
                gap += len(data)
                continue
            if gap > 0 or not parts:
                parts.append([gap, b""])
            parts[-1][1] += data
            seed_size += len(data)
            gap = 0
    parts.append([gap, b""])
    return b"".join(struct.pack("<IH", gap, len(data)) + data for gap, data in parts)


def vmdk_with_footer(path):
    """As one is written that cannot be seeked: where the tables lie is told at the end."""
    CORPUS["vmdk-stream"][0](path)
    with open(path, "r+b") as file:
        header = file.read(512)
        file.seek(56)
        file.write(b"\xff" * 8)
        file.seek(0, os.SEEK_END)
        marker = struct.pack("<QII", 1, 0, 3).ljust(512, b"\0")
        file.write(bytes(-file.tell() % 512) + marker + header + bytes(512))


def udf(path):
    """Its recognition area alone."""
    with open(path, "wb") as file:
        file.truncate(32768)
        file.seek(0, os.SEEK_END)
        for name in (b"BEA01", b"NSR03", b"TEA01"):
            file.write((b"\0" + name + b"\1").ljust(2048, b"\0"))


def skippable(frame):
    """Behind two skippable frames, of which the second exceeds what is kept of a begin."""
    frames = b"".join(struct.pack("<II", 0x184d2a50, n) + bytes(n) for n in (4, 70000))
    return written(frames + frame)


# What no program of the integration tests makes.
MORE = {
    "vmdk-footer": vmdk_with_footer,
    "vmdk-vmfs": written(b"COWD".ljust(512, b"\0")),
    "udf": udf,
    "ploop": written(b"\xef\xbb\xbf\n<?xml version='1.0'?>\n<Parallels_disk_image Version='1.0'/>"),
    "zstd": skippable(b"\x28\xb5\x2f\xfd\x24\0\1\0\0"),
    "lz4": written(b"\x04\x22\x4d\x18\x64\x40\xa7\0\0\0\0"),
    "zip-empty": written(b"PK\5\6".ljust(22, b"\0")),
}


def make(directory):
    images = {name: make_image for name, (make_image, _, _) in CORPUS.items()} | MORE
    n = 0
    for name, make_image in images.items():
        with tempfile.TemporaryDirectory() as work:
            path = os.path.join(work, "image")
            try:
                make_image(path)
            except Skip:
                continue
            seed = segments(path)
        for mode in MODES:
            with open(os.path.join(directory, f"{name}-{mode:02x}"), "wb") as file:
                file.write(bytes([mode]) + seed)
            n += 1
    return n


if __name__ == "__main__":
    corpus.main(make)
