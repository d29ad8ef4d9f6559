# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hook decompress: what packs an image is taken off on its way."""

import gzip
import io
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile

from harness import NO_ROOM, REFUSED, Skip, cases, equal, main, sha512, test

MIB = 1 << 20


def run_tool(*command):
    if shutil.which(command[0]) is None:
        raise Skip(f"there is no {command[0]}")
    subprocess.run(command, check=True, capture_output=True)


def qcow2(root):
    """The path of an image, so that what comes out of a packing can be told from what went in."""
    raw = root.write("disk.raw", os.urandom(MIB) + bytes(2 * MIB))
    run_tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, root.file("disk.qcow2"))
    return root.file("disk.qcow2")


def by_gzip(root, path):
    with open(path, "rb") as file:
        return root.write("disk.gz", gzip.compress(file.read()))


def by_xz(root, path):
    with open(path, "rb") as file:
        return root.write("disk.xz", lzma.compress(file.read()))


def by_tool_to(suffix, *command):
    def pack(root, path):
        run_tool(*command, path)
        return path + suffix
    return pack


def by_zip(root, path):
    with zipfile.ZipFile(root.file("disk.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "../../../staging/evil")
    return root.file("disk.zip")


def by_tar(root, path):
    with tarfile.open(root.file("disk.tar"), "w") as archive:
        archive.add(path, "disk.qcow2")
    return root.file("disk.tar")


def by_ova(root, path):
    descriptor = (b"<Envelope><References><File id='f' href='disk.qcow2'/></References>"
                  b"<DiskSection><Disk fileRef='f'/></DiskSection></Envelope>")
    with tarfile.open(root.file("disk.ova"), "w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("machine.ovf")
        member.size = len(descriptor)
        archive.addfile(member, io.BytesIO(descriptor))
        archive.add(path, "disk.qcow2")
    return root.file("disk.ova")


def list_tree(root):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(root.work)
                  for name in names if not folder.startswith(os.path.join(root.path, "store")))


@cases({
    "gzip": (by_gzip,),
    "xz": (by_xz,),
    "bzip2": (by_tool_to(".bz2", "bzip2", "-k"),),
    "lzma": (by_tool_to(".lzma", "xz", "-k", "--format=lzma"),),
    "zstd": (by_tool_to(".zst", "zstd", "-q", "-k"),),
    "lz4": (by_tool_to(".lz4", "lz4", "-q", "-k", "-m"),),
    "zip": (by_zip,),
    "tar": (by_tar,),
    "ova": (by_ova,),
})
def packed_qcow2_is_imported_as_what_it_is(root, pack):
    """Glance rows F109 and F111; what is staged this way never succeeds there."""
    root.configure(hooks=["decompress"])
    path = qcow2(root)
    packed = pack(root, path)
    root.run("image-list")
    before = list_tree(root)
    image = root.active(packed, "qcow2")
    record = root.show(image)
    equal(record["size"], os.path.getsize(path))
    equal(record["virtual_size"], 3 * MIB)
    equal(record["os_hash_value"], sha512(path))
    root.assert_clean(image, "active", stored=1)
    # No member of an archive became a file.
    equal(list_tree(root), before)


@test
def image_that_is_not_packed_is_adopted(root):
    root.configure(hooks=["decompress"])
    image = root.active(qcow2(root), "qcow2")
    root.assert_clean(image, "active", stored=1)
    equal([way["way"] for way in root.jobs(image)[0]["deliveries"]], ["link"])


@test
def container_that_is_compressed_is_left_alone(root):
    """Glance row F110."""
    root.configure(hooks=["decompress"])
    packed = by_gzip(root, root.write("disk.raw", os.urandom(MIB)))
    image = root.json("image-create", "--disk-format", "raw", "--container-format",
                      "compressed")["id"]
    root.stage(image, packed)
    root.run("image-import", image)
    equal(root.show(image)["os_hash_value"], sha512(packed))


@test
def ova_in_its_own_container_is_left_alone(root):
    root.configure(hooks=["decompress"])
    packed = by_ova(root, qcow2(root))
    image = root.json("image-create", "--disk-format", "vmdk", "--container-format", "ova")["id"]
    root.stage(image, packed)
    root.run("image-import", image)
    equal(root.show(image)["os_hash_value"], sha512(packed))


@cases({
    "damaged": (lambda data: data[:5000] + bytes(100) + data[5100:], "unpack-corrupt"),
    "truncated": (lambda data: data[:-1], "unpack-truncated"),
    "tail": (lambda data: data + b"more", "unpack-trailing-data"),
    "packed-twice": (gzip.compress, "unpack-nested"),
})
def packing_that_is_not_whole_costs_the_bytes(root, harm, reason):
    """D1: the bytes are to blame. Nothing of them is left, and the image can be staged again."""
    root.configure(hooks=["decompress"])
    data = gzip.compress(os.urandom(MIB))
    image = root.staged(root.write("bad.gz", harm(data)), "raw")
    root.refused(REFUSED, reason, "image-import", image)
    root.assert_clean(image, "queued")
    root.stage(image, by_gzip(root, root.write("disk.raw", bytes(MIB))))
    root.run("image-import", image)
    root.assert_clean(image, "active", stored=1)


@test
def bomb_is_stopped_by_its_ratio(root):
    """Security 28."""
    root.configure(hooks=["decompress"])
    image = root.staged(root.write("bomb.gz", gzip.compress(bytes(80 * MIB))), "raw")
    root.configure(hooks=[{"name": "decompress", "options": {"max_ratio": 50}}])
    root.refused(NO_ROOM, "unpack-ratio", "image-import", image)
    root.assert_clean(image, "queued")


@test
def output_is_limited_and_the_original_kept(root):
    """The limit is the operator's: with a larger one the same bytes can be imported."""
    root.configure(hooks=["decompress"], limits={"image_size_cap": 2 * MIB})
    image = root.staged(root.write("disk.gz", gzip.compress(bytes(4 * MIB))), "raw")
    root.refused(NO_ROOM, "image-size-cap", "image-import", image)
    root.assert_clean(image, "uploading")
    root.configure(hooks=["decompress"])
    root.run("image-import", image)
    equal(root.show(image)["size"], 4 * MIB)
    root.assert_clean(image, "active", stored=1)


if __name__ == "__main__":
    main()
