# SPDX-License-Identifier: LGPL-2.1-or-later
"""An image beyond 4 GiB that is nearly all holes: every byte counts, none is written."""

import hashlib
import os

from harness import IS_LONG, Skip, contains, equal, main, test

MIB = 1 << 20
# One algorithm, and the one that is fast, unless there is time.
CONFIG = {} if IS_LONG else {"hashing_algorithm": "sha256", "checksum": False}
SIZE = (5 << 30) if IS_LONG else (4 << 30) + 3 * MIB


def sparse_image(root):
    """Data at the beginning, in the middle beyond 2 GiB, and in the last byte."""
    path = root.file("sparse.raw")
    with open(path, "wb") as file:
        file.truncate(SIZE)
        for offset, data in ((0, os.urandom(70000)), (SIZE // 2 + 12345, b"middle"),
                             (SIZE - 1, b"!")):
            file.seek(offset)
            file.write(data)
    if allocated(path) > MIB:
        raise Skip("this file system has no holes")
    return path


def allocated(path):
    return os.stat(path).st_blocks * 512


def same_bytes(one, other):
    with open(one, "rb") as first, open(other, "rb") as second:
        while block := first.read(8 * MIB):
            if block != second.read(len(block)):
                return False
        return second.read(1) == b""


def digest(file, algorithm):
    result = hashlib.new(algorithm)
    while block := file.read(4 * MIB):
        result.update(block)
    return result.hexdigest()


def digest_of_download(root, image, algorithm):
    with root.start("-q", "image-download", image) as process:
        found = digest(process.stdout, algorithm)
        equal(process.stderr.read(), b"")
    equal(process.returncode, 0)
    return found


@test
def sparse_image_keeps_its_holes_and_its_digest(root):
    """Security 47 and 77."""
    path = sparse_image(root)
    root.configure(**CONFIG, stores=[{"id": "one", "type": "file", "directory": "one"},
                                     {"id": "two", "type": "file", "directory": "two"}])
    image = root.staged(path)
    staged = os.path.join(root.path, "staging", root.files("staging")[0])
    equal(allocated(staged) < 2 * MIB, True, f"{allocated(staged)} bytes allocated in staging")
    root.run("image-import", image, "--all-stores", "true")
    record = root.show(image)
    equal((record["status"], record["size"], record["virtual_size"]), ("active", SIZE, SIZE))
    with open(path, "rb") as file:
        equal(record["os_hash_value"], digest(file, record["os_hash_algo"]))
    for store in ("one", "two"):
        copy = os.path.join(root.path, store, root.files(store)[0])
        equal(os.stat(copy).st_size, SIZE)
        equal(allocated(copy) < 2 * MIB, True, f"{allocated(copy)} bytes allocated in {store}")
    equal(digest_of_download(root, image, record["os_hash_algo"]), record["os_hash_value"])
    if not IS_LONG:
        return
    root.run("image-download", image, "--file", root.file("back"))
    equal(allocated(root.file("back")) < 2 * MIB, True, "downloaded holes are holes")
    equal(same_bytes(path, root.file("back")), True, "downloaded bytes are the same")


@test
def tebibyte_of_holes_is_imported_in_a_moment(root):
    """Security 77: nothing grows with what is not there, where nothing is digested."""
    size = 1 << 40
    path = root.file("huge.raw")
    with open(path, "wb") as file:
        file.truncate(size)
        file.seek(size // 2)
        file.write(b"middle")
    root.configure(hashing_algorithm="none", checksum=False)
    image = root.active(path)
    record = root.show(image)
    equal((record["size"], record["virtual_size"], record["os_hash_value"]), (size, size, None))
    root.run("image-download", image, "--file", root.file("back"))
    for copy in (os.path.join(root.path, "store", root.files("store")[0]), root.file("back")):
        equal(os.stat(copy).st_size, size)
        equal(allocated(copy) < MIB, True, f"{allocated(copy)} bytes allocated in {copy}")
        with open(copy, "rb") as file:
            file.seek(size // 2)
            equal(file.read(7), b"middle\0")


@test
def limit_counts_bytes_not_blocks(root):
    path = sparse_image(root)
    root.configure(**CONFIG, limits={"image_size_cap": SIZE - 1})
    image = root.create()
    _, error = root.run("image-stage", image, "--file", path, status=6)
    contains(error, "(image-size-cap)")
    root.assert_clean(image, "queued")


if __name__ == "__main__":
    main()
