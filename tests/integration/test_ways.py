# SPDX-License-Identifier: LGPL-2.1-or-later
"""How bytes come into a store on each kind of file system, and how often they are read for it."""

import contextlib
import glob
import os
import re
import shutil
import subprocess
import tempfile

from harness import Skip, cases, contains, equal, main, test

MIB = 1 << 20
SIZE = 8 * MIB + 12345
TRACED = "read,pread64,readv,preadv,preadv2,sendfile,copy_file_range,splice,mmap"


# ---- file systems


@contextlib.contextmanager
def directory_on(kind):
    """A directory on a file system of this kind."""
    if kind == "tmpfs":
        found = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True,
                               check=False)
        if found.stdout.strip() != b"tmpfs" or not os.access("/dev/shm", os.W_OK):
            raise Skip("/dev/shm is no tmpfs that can be written to")
        path = tempfile.mkdtemp(prefix="imgimport-test-", dir="/dev/shm")
        try:
            yield path
        finally:
            shutil.rmtree(path)
        return
    with mounted(kind) as path:
        yield path


@contextlib.contextmanager
def mounted(kind):
    make = shutil.which(f"mkfs.{kind}", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if make is None or os.geteuid() != 0:
        raise Skip(f"a loop file system needs root and mkfs.{kind}")
    work = tempfile.mkdtemp(prefix="imgimport-loop-")
    disk, path = os.path.join(work, "disk"), os.path.join(work, "mount")
    os.mkdir(path)
    try:
        with open(disk, "wb") as file:
            file.truncate(512 * MIB)
        for command in ([make, "-q", disk], ["mount", "-o", "loop", disk, path]):
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode != 0:
                raise Skip(f"{command}: {done.stderr.decode().strip()}")
        try:
            yield path
        finally:
            subprocess.run(["umount", path], check=True)
    finally:
        shutil.rmtree(work)


# ---- imports


def stores(*directories):
    return [{"id": f"s{number}", "type": "file", "directory": directory}
            for number, directory in enumerate(directories)]


def sparse_file(root):
    """Data at both ends, and nothing between them."""
    path = root.file("disk.raw")
    with open(path, "wb") as file:
        file.write(os.urandom(MIB))
        file.seek(SIZE - MIB)
        file.write(os.urandom(MIB))
    return path


def assert_same(path, copy):
    with open(path, "rb") as one, open(copy, "rb") as other:
        equal(one.read() == other.read(), True, f"{copy} has the same bytes")
    allocated = os.stat(copy).st_blocks * 512
    equal(allocated < 3 * MIB, True, f"{allocated} bytes allocated in {copy}")


def ways(root, image):
    return [(done["way"], done["why"]) for done in root.jobs(image)[0]["deliveries"]]


@cases({
    "tmpfs": ("tmpfs", "copy"),
    "ext4": ("ext4", "copy"),
    "btrfs": ("btrfs", "reflink"),
    "xfs": ("xfs", "reflink"),
})
def one_file_system_links_once(root, kind, second):
    with directory_on(kind) as directory:
        root.path = os.path.join(directory, "root")
        root.configure(stores=stores("one", "two"))
        path = sparse_file(root)
        image = root.active(path, "raw", "--all-stores", "true")
        found = ways(root, image)
        equal([way for way, _ in found], ["link", second])
        equal(found[0][1], "")
        contains(found[1][1], "no link: it has another name already")
        if second == "copy":
            contains(found[1][1], "no reflink: ")
        for store in ("one", "two"):
            assert_same(path, os.path.join(root.path, store, root.files(store)[0]))


@test
def another_file_system_copies_once(root):
    with directory_on("tmpfs") as directory:
        root.configure(stores=stores(os.path.join(directory, "one")))
        path = sparse_file(root)
        if os.stat(directory).st_dev == os.stat(root.work).st_dev:
            raise Skip("there is one file system only")
        image = root.active(path)
        (way, why), = ways(root, image)
        equal(way, "copy")
        contains(why, "no link: Invalid cross-device link")
        contains(why, "no reflink: ")
        name, = os.listdir(os.path.join(directory, "one"))
        assert_same(path, os.path.join(directory, "one", name))


# ---- reads


def count_reads(root, path, *arguments):
    """Runs the program and answers how many bytes of files below `path` it read, or mapped."""
    if shutil.which("strace") is None:
        raise Skip("there is no strace")
    prefix = root.file("trace")
    # What looks for leaks traces the process itself, which only one can.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    done = subprocess.run(["strace", "-ff", "-y", "-s", "0", "-e", f"trace={TRACED}", "-o", prefix,
                           *root.command(*arguments)], capture_output=True, check=False,
                          env={**os.environ, "ASAN_OPTIONS": options})
    if b"strace: " in done.stderr:
        raise Skip(done.stderr.decode().strip())
    equal(done.returncode, 0, done.stderr.decode())
    total = 0
    for name in glob.glob(prefix + ".*"):
        with open(name, encoding="utf-8", errors="replace") as file:
            total += sum(bytes_read(line, path) for line in file)
        os.unlink(name)
    return total


def bytes_read(line, path):
    call = re.match(r"(\w+)\((.*)\)\s+= (0x[0-9a-f]+|-?\d+)", line)
    if call is None:
        return 0
    name, arguments, result = call.group(1), call.group(2), int(call.group(3), 0)
    files = re.findall(r"\d+<([^>]*)>", arguments)
    source = files[-1:] if name == "sendfile" else files[:1]
    if result <= 0 or not any(file.startswith(path) for file in source):
        return 0
    return int(arguments.split(", ")[1]) if name == "mmap" else result


def at_most(found, expected, what):
    equal(found <= expected * 1.01, True, f"{what}: {found} bytes read of {expected}")


@test
def staging_reads_its_source_once_and_no_hole(root):
    dense = root.write("dense.raw", os.urandom(SIZE))
    found = count_reads(root, dense, "image-stage", root.create(), "--file", dense)
    at_most(found, SIZE, "dense source")
    equal(found >= SIZE, True, f"{found} bytes seen")
    sparse = sparse_file(root)
    found = count_reads(root, sparse, "image-stage", root.create(), "--file", sparse)
    at_most(found, 2 * MIB, "sparse source")


@test
def adopting_reads_nothing(root):
    image = root.staged(root.write("disk.raw", os.urandom(SIZE)))
    equal(count_reads(root, root.path + "/staging", "image-import", image), 0)
    equal(ways(root, image), [("link", "")])


@test
def one_read_serves_any_number_of_stores(root):
    with directory_on("tmpfs") as directory:
        for number in (1, 2, 4):
            root.configure(stores=stores(*(f"{directory}/{number}-{n}" for n in range(number))))
            if os.stat(directory).st_dev == os.stat(root.work).st_dev:
                raise Skip("there is one file system only")
            image = root.staged(root.write("disk.raw", os.urandom(SIZE)))
            found = count_reads(root, root.path + "/staging", "image-import", image,
                                "--all-stores", "true")
            at_most(found, SIZE, f"{number} stores")
            equal(found >= SIZE, True, f"{found} bytes seen")
            done = ways(root, image)
            equal([way for way, _ in done],
                  ["copy"] if number == 1 else ["stream"] * number)
            if number > 1:
                contains(done[0][1], "one pass serves several stores")


@test
def verifying_reads_once_and_takes_nothing_over(root):
    root.configure(verify_on_delivery=True, stores=stores("one", "two"))
    image = root.staged(root.write("disk.raw", os.urandom(SIZE)))
    found = count_reads(root, root.path + "/staging", "image-import", image, "--all-stores",
                        "true")
    at_most(found, SIZE, "verified")
    equal(ways(root, image), [("stream", "verify_on_delivery is on")] * 2)


if __name__ == "__main__":
    main()
