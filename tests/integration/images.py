# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images that other programs make, and what they are."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile

from harness import Skip

MIB = 1 << 20


def tool(name):
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if found is None:
        raise Skip(f"there is no {name}")
    return found


def call(*command, data=b"", attempts=1):
    for _ in range(attempts):
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        if done.returncode == 0:
            return done.stdout
    raise Skip(f"{command[0]}: {done.stderr.decode().strip()}")


# ---- what makes an image at a path ----------------------------------------------------------------

def by_qemu(driver, *options, size="64M"):
    def make(path):
        arguments = [word for option in options for word in ("-o", option)]
        call(tool("qemu-img"), "create", "-q", "-f", driver, *arguments, path, size)
    return make


def converted(driver, *options):
    def make(path):
        with open(path + ".raw", "wb") as file:
            file.write(os.urandom(MIB) + bytes(2 * MIB))
        arguments = [word for option in options for word in ("-o", option)]
        call(tool("qemu-img"), "convert", "-f", "raw", "-O", driver, *arguments, path + ".raw", path)
    return make


def with_backing_file(driver):
    def make(path):
        by_qemu(driver)(path + ".base")
        call(tool("qemu-img"), "create", "-q", "-f", driver, "-F", driver, "-b", path + ".base", path)
    return make


def encrypted(driver, *options):
    def make(path):
        arguments = [word for option in ("key-secret=s", "iter-time=10", *options)
                     for word in ("-o", option if driver == "luks" else f"encrypt.{option}")]
        # It may fail to measure how long a key's derivation takes.
        call(tool("qemu-img"), "create", "-q", "--object", "secret,id=s,data=x", "-f", driver,
             *arguments, path, "8M", attempts=20)
    return make


def luks2(path):
    with open(path, "wb") as file:
        file.truncate(32 * MIB)
    call(tool("cryptsetup"), "luksFormat", "--type", "luks2", "--batch-mode", "--pbkdf", "pbkdf2",
         "--pbkdf-force-iterations", "1000", path, "-", data=b"x")


def iso(path, *options):
    os.mkdir(path + ".d")
    with open(os.path.join(path + ".d", "file"), "wb") as file:
        file.write(b"content\n" * 1000)
    call(tool("xorriso"), "-as", "mkisofs", "-quiet", *options, "-o", path, path + ".d")


def iso_with_gpt(path):
    with open(path + ".part", "wb") as file:
        file.write(bytes(MIB))
    iso(path, "-appended_part_as_gpt", "-append_partition", "2",
        "28732ac11ff8d211ba4b00a0c93ec93b", path + ".part")


def partitioned(label):
    def make(path):
        with open(path, "wb") as file:
            file.truncate(8 * MIB)
        call(tool("sfdisk"), "-q", path, data=f"label: {label}\n,,L\n".encode())
    return make


def fixed_vhd(label):
    def make(path):
        partitioned(label)(path + ".raw")
        call(tool("qemu-img"), "convert", "-f", "raw", "-O", "vpc", "-o",
             "subformat=fixed,force_size=on", path + ".raw", path)
    return make


def written(data):
    def make(path):
        with open(path, "wb") as file:
            file.write(data)
    return make


def tar_of(**members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name.replace("_", "."))
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def zip_of(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("disk.raw", data)
    return stream.getvalue()


# ---- what it is ----------------------------------------------------------------------------------

# name → make, the matches, whether it is accepted as what it is
CORPUS = {
    "raw": (written(bytes(MIB)), [], True),
    "random": (written(bytes(range(256)) * 4096), [], True),
    "empty": (written(b""), [], True),
    "qcow2": (by_qemu("qcow2"), ["qcow2"], True),
    "qcow2-v2": (by_qemu("qcow2", "compat=0.10"), ["qcow2"], True),
    "qcow2-backed": (with_backing_file("qcow2"), ["qcow2"], False),
    "qcow2-luks": (encrypted("qcow2", "format=luks"), ["qcow2"], False),
    "qcow2-odd": (by_qemu("qcow2", "cluster_size=512", "refcount_bits=1", size="1000001"), ["qcow2"],
                  True),
    "qcow2-large": (by_qemu("qcow2", "cluster_size=2M", size="4096T"), ["qcow2"], True),
    "qcow2-zstd": (by_qemu("qcow2", "compression_type=zstd"), ["qcow2"], True),
    "qcow2-subclusters": (by_qemu("qcow2", "extended_l2=on"), ["qcow2"], False),
    "qed": (by_qemu("qed"), ["qed"], False),
    "vdi": (by_qemu("vdi"), ["vdi"], True),
    "vdi-static": (by_qemu("vdi", "static=on", size="1000001"), ["vdi"], True),
    "vhd": (by_qemu("vpc"), ["vhd"], True),
    "vhd-odd": (by_qemu("vpc", "force_size=on", size="1000001"), ["vhd"], True),
    "vhd-fixed": (converted("vpc", "subformat=fixed"), ["vhd"], True),
    "vhd-fixed-gpt": (fixed_vhd("gpt"), ["vhd", "gpt"], True),
    "vhd-fixed-mbr": (fixed_vhd("dos"), ["vhd", "mbr"], True),
    "vhdx": (by_qemu("vhdx"), ["vhdx"], True),
    "vhdx-large": (by_qemu("vhdx", "block_size=256M", size="64T"), ["vhdx"], True),
    "vhdx-data": (converted("vhdx"), ["vhdx"], True),
    "vmdk-sparse": (by_qemu("vmdk"), ["vmdk"], True),
    "vmdk-stream": (converted("vmdk", "subformat=streamOptimized"), ["vmdk"], True),
    "vmdk-flat": (by_qemu("vmdk", "subformat=monolithicFlat"), ["vmdk"], False),
    "vmdk-split": (by_qemu("vmdk", "subformat=twoGbMaxExtentSparse"), ["vmdk"], False),
    "vmdk-backed": (with_backing_file("vmdk"), ["vmdk"], False),
    "parallels": (by_qemu("parallels"), ["parallels"], True),
    "parallels-odd": (by_qemu("parallels", "cluster_size=64k", size="513"), ["parallels"], True),
    "luks1": (encrypted("luks"), ["luks"], True),
    "luks2": (luks2, ["luks"], True),
    "iso": (iso, ["iso"], True),
    "iso-gpt": (iso_with_gpt, ["iso", "gpt"], True),
    "gpt": (partitioned("gpt"), ["gpt"], True),
    "mbr": (partitioned("dos"), ["mbr"], True),
    "gzip": (written(gzip.compress(bytes(MIB))), ["gzip"], False),
    "bzip2": (written(bz2.compress(bytes(MIB))), ["bzip2"], False),
    "xz": (written(lzma.compress(bytes(MIB))), ["xz"], False),
    "zip": (written(zip_of(bytes(MIB))), ["zip"], False),
    "tar": (written(tar_of(disk_raw=bytes(MIB))), ["tar"], False),
    "ova": (written(tar_of(box_ovf=b"<Envelope/>", disk_vmdk=bytes(MIB))), ["ova"], False),
    "json-name": (written(b'json:{"driver":"file","filename":"/etc/passwd"}'.ljust(600)), None,
                  False),
    "vmdk-text": (written(b"# Disk DescriptorFile\nversion=1\n".ljust(600, b"\0")), None, False),
}
