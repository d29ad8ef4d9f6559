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
import struct
import subprocess
import tarfile
import zipfile

import corpus

PAYLOAD = bytes(range(256)) * 3 + bytes(2000)
OVF = (b"<Envelope><References><File id='f' href='disk'/></References>"
       b"<DiskSection><Disk fileRef='f'/></DiskSection></Envelope>")
BOMB = bytes(200_000)
SKIPPABLE = b"\x5f\x2a\x4d\x18\4\0\0\0skip"
WRONG = b"SHA1(disk)= 00\n"
RIGHT = b"SHA256(disk)= %s\n" % hashlib.sha256(PAYLOAD).hexdigest().encode()
FEEDS = (0x00, 0xff)  # the last byte: fed by 1, by 256


def by_tool(*command):
    if shutil.which(command[0]) is None:
        return None
    return subprocess.run(command, input=PAYLOAD, check=True, capture_output=True).stdout


def by_zip(method, *names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, PAYLOAD if name == "disk" else b"")
    return file.getvalue()


def with_end_of_zip64(data):
    """The end of the directory, 22 bytes, behind that of zip64 and what says where it is."""
    at = len(data) - 22
    size, offset = struct.unpack("<II", data[at + 12:at + 20])
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, offset)
    return data[:at] + end64 + struct.pack("<4sIQI", b"PK\6\7", 0, at, 1) + data[at:]


def by_tar(layout, *members, **attributes):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=layout) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for key, value in attributes.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()[:6144]


def by_lzma(**options):
    return lzma.compress(PAYLOAD, filters=[{"id": lzma.FILTER_LZMA2, **options}])


def ova(*members):
    return by_tar(tarfile.USTAR_FORMAT, *members, ("disk", PAYLOAD))


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
    yield "xz-padded", lzma.compress(PAYLOAD, preset=0) + bytes(8)
    yield "xz-large", by_lzma(preset=6)
    yield "gz-nested", gzip.compress(gzip.compress(PAYLOAD))
    yield "zst", by_tool("zstd", "-q", "-c")
    yield "zst-skippable", SKIPPABLE + (by_tool("zstd", "-q", "-c") or b"")
    yield "lz4", by_tool("lz4", "-q", "-c")
    yield "zip-stored", by_zip(zipfile.ZIP_STORED, "disk")
    yield "zip-deflated", by_zip(zipfile.ZIP_DEFLATED, "disk")
    yield "zip-zip64", with_end_of_zip64(by_zip(zipfile.ZIP_DEFLATED, "disk"))
    yield "zip-two", by_zip(zipfile.ZIP_DEFLATED, "disk", "more")
    yield "zip-directory", by_zip(zipfile.ZIP_STORED, "disk/")
    yield "zip-streamed", by_tool("zip", "-q", "-", "-")
    yield "tar", by_tar(tarfile.USTAR_FORMAT, disk)
    yield "tar-pax", by_tar(tarfile.PAX_FORMAT, ("d" * 120, PAYLOAD))
    yield "tar-gnu", by_tar(tarfile.GNU_FORMAT, ("d" * 120, PAYLOAD))
    yield "tar-dot", by_tar(tarfile.USTAR_FORMAT, ("./disk", PAYLOAD))
    yield "tar-two", by_tar(tarfile.USTAR_FORMAT, ("a", b""), disk)
    yield "tar-set-uid", by_tar(tarfile.USTAR_FORMAT, disk, mode=0o4644)
    yield "tar-link", by_tar(tarfile.USTAR_FORMAT, ("a", b""), type=tarfile.SYMTYPE, linkname="b")
    yield "ova", ova(("a.ovf", OVF), ("a.mf", WRONG))
    yield "ova-doctype", ova(("a.ovf", b"<!DOCTYPE x>" + OVF))
    yield "ova-right", ova(("a.ovf", OVF), ("a.mf", RIGHT))
    yield "ova-dot", ova(("./a.ovf", OVF.replace(b"'disk'", b"'./disk'")))
    yield "ova-elsewhere", ova(("a.ovf", OVF.replace(b"'disk'", b"'other'")))
    yield "ova-packed", ova(("a.ovf", OVF.replace(b"href", b"compression='gzip' href", 1)))
    yield "ova-two-disks", ova(("a.ovf", OVF.replace(b"</Disk", b"<Disk fileRef='g'/></Disk", 1)))
    yield "ova-two-names", ova(("a.ovf", OVF), ("a.ovf", OVF))


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
