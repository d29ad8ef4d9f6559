# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is imported and what is refused, with images that other programs made."""

import os
import shutil
import struct
import subprocess
import zlib

from harness import (CONFLICT, NO_ROOM, REFUSED, Skip, USAGE, cases, contains, equal, main, sha512,
                     test)

MIB = 1 << 20


def qemu_img(*arguments):
    if shutil.which("qemu-img") is None:
        raise Skip("there is no qemu-img")
    done = subprocess.run(["qemu-img", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"qemu-img {arguments[0]}: {done.stderr.strip()}")


def raw_image(root, size=3 * MIB):
    return root.write("disk.raw", os.urandom(MIB) + bytes(size - MIB))


def qcow2_image(root, *options):
    path = root.file("disk.qcow2")
    qemu_img("convert", "-f", "raw", "-O", "qcow2", *options, raw_image(root), path)
    return path


@cases({
    "v2": (["-o", "compat=0.10"],),
    "v3": (["-o", "compat=1.1"],),
    "compressed": (["-c"],),
    "zstd": (["-c", "-o", "compression_type=zstd"],),
    "lazy-refcounts": (["-o", "lazy_refcounts=on"],),
    "small-clusters": (["-o", "cluster_size=512"],),
    "preallocated": (["-o", "preallocation=metadata"],),
})
def qcow2_is_imported_and_read_back(root, options):
    path = qcow2_image(root, *options)
    image = root.active(path, "qcow2")
    record = root.show(image)
    equal(record["status"], "active")
    equal(record["virtual_size"], 3 * MIB)
    equal(record["size"], os.path.getsize(path))
    equal(record["os_hash_value"], sha512(path))
    root.run("image-download", image, "--file", root.file("back"))
    equal(sha512(root.file("back")), sha512(path))
    root.assert_clean(image, "active", stored=1)
    job = root.jobs(image)[0]
    equal((job["status"], job["message"], job["warnings"]), ("success", "", []))


def with_backing_file(root):
    qemu_img("create", "-q", "-f", "raw", root.file("base"), "1M")
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", root.file("base"),
             root.file("image"))


def with_json_backing_file(root):
    """CVE-2024-4467: what the name of a backing file can make qemu-img do."""
    qemu_img("create", "-q", "-f", "raw", root.file("base"), "1M")
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", root.file("base"),
             root.file("image"))
    qemu_img("rebase", "-u", "-f", "qcow2", "-F", "raw", "-b",
             'json:{"driver":"file","filename":"/etc/hostname"}', root.file("image"))


def with_data_file(root):
    """CVE-2024-32498"""
    qemu_img("create", "-q", "-f", "qcow2", "-o", f"data_file={root.file('data')},data_file_raw=on",
             root.file("image"), "1M")


def with_extended_l2(root):
    qemu_img("create", "-q", "-f", "qcow2", "-o", "extended_l2=on", root.file("image"), "1M")


def with_crypt_method(root, method):
    """As the header tells it: qemu-img's own key derivation would take seconds."""
    qemu_img("create", "-q", "-f", "qcow2", root.file("image"), "1M")
    with open(root.file("image"), "r+b") as file:
        file.seek(32)
        file.write(struct.pack(">I", method))


def with_unknown_encryption(root):
    with_crypt_method(root, 3)


def with_half_a_header(root):
    qemu_img("create", "-q", "-f", "qcow2", root.file("image"), "1M")
    os.truncate(root.file("image"), 60)


@cases({
    "backing-file": (with_backing_file,),
    "json-backing-file": (with_json_backing_file,),
    "data-file": (with_data_file,),
    "extended-l2": (with_extended_l2,),
    "unknown-encryption": (with_unknown_encryption,),
    "truncated-header": (with_half_a_header,),
})
def unsafe_qcow2_is_refused_and_its_bytes_are_gone(root, make):
    """Glance 61, 62: the image stays “importing” for ever, the bytes in staging."""
    make(root)
    image = root.staged(root.file("image"), "qcow2")
    root.refused(REFUSED, "format-unsafe", "image-import", image)
    root.assert_clean(image, "queued")
    record = root.show(image)
    equal(record["size"], None)
    equal(record.get("stage"), None)
    job = root.jobs(image)[0]
    equal((job["status"], job["reason"]), ("failure", "format-unsafe"))
    contains(job["message"], image)
    root.stage(image, qcow2_image(root))
    root.run("image-import", image)
    root.assert_clean(image, "active", stored=1)


@test
def qcow2_that_is_encrypted_is_imported_where_that_is_tolerated(root):
    with_crypt_method(root, 2)
    image = root.staged(root.file("image"), "qcow2")
    root.refused(REFUSED, "format-unsafe", "image-import", image)
    root.configure(format_policy={"nonfatal_checks": {"qcow2": ["encryption"]}})
    equal(root.show(root.active(root.file("image"), "qcow2"))["status"], "active")


@test
def digest_that_the_publisher_told_is_compared(root):
    """Security 46, 52: others' bytes are gone; a digest that is none is never passed over."""
    path = raw_image(root)
    image = root.staged(path, "raw")
    root.run("image-import", "--expected-digest", "12", image, status=USAGE)
    root.run("image-import", "--expected-digest", "sha512:12", image, status=USAGE)
    root.assert_clean(image, "uploading")
    root.refused(REFUSED, "digest-mismatch", "image-import", "--expected-digest",
                 "sha512:" + 64 * "12", image)
    root.assert_clean(image, "queued")
    equal(root.show(root.active(path, "raw", "--expected-digest",
                                "sha512:" + sha512(path).upper()))["status"], "active")


@test
def bytes_that_contradict_the_declared_format_are_refused(root):
    """Glance accepts them where no plug-in is set."""
    for declared, path in (("qcow2", raw_image(root)), ("raw", qcow2_image(root))):
        image = root.staged(path, declared)
        root.refused(REFUSED, "format-mismatch", "image-import", image)
        root.assert_clean(image, "queued")


def gpt_image(root):
    """A protective MBR, a GPT header with its checksum, and one partition."""
    disk = bytearray(2 * MIB)
    disk[446:462] = bytes([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff]) + struct.pack(
        "<II", 1, len(disk) // 512 - 1)
    disk[510:512] = b"\x55\xaa"
    entries = bytearray(128 * 128)
    entries[:56] = struct.pack("<16s16sQQQ", b"\x01" * 16, b"\x02" * 16, 34, 100, 0)
    header = bytearray(struct.pack(
        "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, len(disk) // 512 - 1, 34,
        len(disk) // 512 - 34, b"\x03" * 16, 2, 128, 128, zlib.crc32(entries)))
    header[16:20] = struct.pack("<I", zlib.crc32(header))
    disk[512:512 + len(header)] = header
    disk[1024:1024 + len(entries)] = entries
    return root.write("gpt.raw", disk)


@test
def raw_with_a_partition_table_is_raw(root):
    path = gpt_image(root)
    image = root.active(path)
    equal(root.show(image)["virtual_size"], os.path.getsize(path))


@test
def partition_table_of_another_program_is_raw(root):
    program = next((found for name in ("sfdisk", "sgdisk", "parted")
                    if (found := shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin"))),
                   None)
    if program is None:
        raise Skip("there is neither sfdisk nor sgdisk nor parted")
    path = root.write("disk.raw", bytes(4 * MIB))
    arguments = {"sfdisk": [program, "-q", path], "sgdisk": [program, "-n", "1", path],
                 "parted": [program, "-s", path, "mklabel", "gpt"]}[os.path.basename(program)]
    subprocess.run(arguments, input=b"label: gpt\n,,L\n", capture_output=True, check=True)
    equal(root.show(root.active(path))["status"], "active")


# ---- bytes that come otherwise -------------------------------------------------------------------

@test
def standard_input_is_staged(root):
    image = root.create()
    data = os.urandom(3 * MIB + 1)
    root.run("image-stage", image, input=data)
    root.run("image-import", image)
    out = subprocess.run(root.command("image-download", image), capture_output=True, check=True)
    equal(out.stdout == data, True, "downloaded bytes are the same")


@test
def empty_image_is_refused_at_staging(root):
    """Glance makes it active with size 0."""
    image = root.create()
    root.refused(REFUSED, "image-empty", "image-stage", image, "--file", root.write("empty", b""))
    root.assert_clean(image, "queued")


@test
def empty_image_is_imported_where_allowed(root):
    root.configure(allow_empty_images=True)
    image = root.active(root.write("empty", b""))
    equal(root.show(image)["size"], 0)
    root.run("image-download", image, "--file", root.file("back"))
    equal(os.path.getsize(root.file("back")), 0)


@test
def size_that_is_not_as_announced_is_refused(root):
    for announced in (MIB - 1, MIB + 1):
        image = root.create()
        _, error = root.run("image-stage", image, "--size", str(announced), status=REFUSED,
                            input=bytes(MIB))
        contains(error, "size")
        root.assert_clean(image, "queued")


@test
def image_over_the_cap_is_refused(root):
    """Glance 59c: it is staged whole."""
    root.configure(limits={"image_size_cap": MIB})
    image = root.create()
    path = root.write("big", bytes(MIB + 1))
    root.refused(NO_ROOM, "image-size-cap", "image-stage", image, "--file", path)
    root.refused(NO_ROOM, "image-size-cap", "image-stage", image, input=bytes(MIB + 1))
    root.assert_clean(image, "queued")
    root.run("image-stage", image, input=b"x" * MIB)
    root.assert_clean(image, "uploading")


@test
def wrong_statuses_are_conflicts(root):
    path = raw_image(root)
    image = root.create()
    root.refused(CONFLICT, "status-not-importable", "image-import", image)
    root.stage(image, path)
    root.refused(CONFLICT, "status-transition", "image-stage", image, "--file", path)
    root.assert_clean(image, "uploading")
    root.run("image-import", image)
    root.refused(CONFLICT, "status-not-importable", "image-import", image)
    root.refused(CONFLICT, "status-transition", "image-stage", image, "--file", path)
    root.assert_clean(image, "active", stored=1)


@test
def image_without_formats_cannot_be_imported(root):
    image = root.json("image-create")["id"]
    root.stage(image, raw_image(root))
    root.refused(CONFLICT, "formats-missing", "image-import", image)
    root.assert_clean(image, "uploading")


if __name__ == "__main__":
    main()
