#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seeds for fuzz-unpack: one small image in every packing.

corpus_unpack.py DIRECTORY             makes them
corpus_unpack.py --replay PROGRAM      runs a program on them; TAP
"""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile

import corpus

PAYLOAD = bytes(range(256)) * 3 + bytes(2000)
OVF = (b"<Envelope><References><File id='f' href='disk'/></References>"
       b"<DiskSection><Disk fileRef='f'/></DiskSection></Envelope>")
BOMB = bytes(200_000)
WRONG = b"SHA1(disk)= 00\n"
RIGHT = b"SHA256(disk)= %s\n" % hashlib.sha256(PAYLOAD).hexdigest().encode()
FEEDS = (0x00, 0xff)  # the last byte: fed by 1, by 256


def by_tool(*command):
    if shutil.which(command[0]) is None:
        return None
    return subprocess.run(command, input=PAYLOAD, check=True, capture_output=True).stdout


def by_zip(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("disk", PAYLOAD)
    return file.getvalue()


def by_tar(layout, *members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=layout) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()[:6144]


def seeds():
    disk = ("disk", PAYLOAD)
    yield "gz", gzip.compress(PAYLOAD)
    yield "gz-twice", gzip.compress(PAYLOAD) + gzip.compress(PAYLOAD)
    yield "gz-bomb", gzip.compress(BOMB)
    yield "bz2", bz2.compress(PAYLOAD, 1)
    yield "bz2-bomb", bz2.compress(BOMB, 1)
    yield "xz", lzma.compress(PAYLOAD, preset=0)
    yield "xz-bomb", lzma.compress(BOMB, preset=0)
    yield "lzma", lzma.compress(PAYLOAD, lzma.FORMAT_ALONE, preset=0)
    yield "zst", by_tool("zstd", "-q", "-c")
    yield "lz4", by_tool("lz4", "-q", "-c")
    yield "zip-stored", by_zip(zipfile.ZIP_STORED)
    yield "zip-deflated", by_zip(zipfile.ZIP_DEFLATED)
    yield "zip-streamed", by_tool("zip", "-q", "-", "-")
    yield "tar", by_tar(tarfile.USTAR_FORMAT, disk)
    yield "tar-pax", by_tar(tarfile.PAX_FORMAT, ("d" * 120, PAYLOAD))
    yield "tar-gnu", by_tar(tarfile.GNU_FORMAT, ("d" * 120, PAYLOAD))
    yield "ova", by_tar(tarfile.USTAR_FORMAT, ("a.ovf", OVF), ("a.mf", WRONG), disk)
    yield "ova-doctype", by_tar(tarfile.USTAR_FORMAT, ("a.ovf", b"<!DOCTYPE x>" + OVF), disk)
    yield "ova-right", by_tar(tarfile.USTAR_FORMAT, ("a.ovf", OVF), ("a.mf", RIGHT), disk)


def make(directory):
    n = 0
    for name, data in seeds():
        for feed in FEEDS if data is not None else ():
            with open(os.path.join(directory, f"{name}-{feed:02x}"), "wb") as file:
                file.write(data + bytes([feed]))
            n += 1
    return n


if __name__ == "__main__":
    corpus.main(make)
