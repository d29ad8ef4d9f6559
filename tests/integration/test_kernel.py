# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors that come from the kernel itself, and not from a table of slots."""

import errno
import os
import resource
import signal
import subprocess
import sys

from harness import FAILED, NO_ROOM, Skip, contains, main, test

MIB = 1 << 20
UNREADABLE = 2  # what inspect says
SIZE = 8 * MIB
LIMIT = 4 * MIB  # of a file; the catalog's own are smaller


def limited(disposition):
    """For the child: files have a limit, and what the signal that comes with it does."""
    def prepare():
        signal.signal(signal.SIGXFSZ, disposition)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    return prepare


def require_limit(root, disposition, status):
    """Not every kernel that calls itself Linux has the limit."""
    done = subprocess.run(["dd", "if=/dev/zero", "of=" + root.file("probe"), f"bs={SIZE}", "count=1"],
                          capture_output=True, check=False, preexec_fn=limited(disposition))
    if done.returncode != status:
        raise Skip("files have no limit here")


def require_unreadable(path):
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        if error.errno == errno.EIO:
            return
    raise Skip(f"{path} can be read here, or is not there")


@test
def source_that_cannot_be_read_is_told_and_leaves_nothing(root):
    """security 63. Its first page is never mapped: the kernel answers EIO."""
    require_unreadable("/proc/self/mem")
    image = root.create()
    error = root.refused(FAILED, "io-error", "image-stage", image, "--file", "/proc/self/mem")
    contains(error, image)
    root.assert_clean(image, "queued")
    root.refused(UNREADABLE, "io-error", "inspect", "/proc/self/mem")


@test
def limit_on_files_is_a_full_store(root):
    """security 63"""
    require_limit(root, signal.SIG_IGN, 1)
    path = root.write("image", os.urandom(SIZE))
    image = root.create()
    error = root.refused(NO_ROOM, "store-full", "image-stage", image, "--file", path,
                         preexec_fn=limited(signal.SIG_IGN))
    contains(error, image)
    root.assert_clean(image, "queued")
    root.stage(image, path)
    root.run("image-import", image)
    root.assert_clean(image, "active", 1)


@test
def limit_that_kills_leaves_nothing_to_the_next(root):
    """security 62"""
    require_limit(root, signal.SIG_DFL, -signal.SIGXFSZ)
    path = root.write("image", os.urandom(SIZE))
    image = root.create()
    root.run("image-stage", image, "--file", path, status=-signal.SIGXFSZ,
             preexec_fn=limited(signal.SIG_DFL))
    root.assert_clean(image, "queued")
    root.stage(image, path)
    root.assert_clean(image, "uploading")


if __name__ == "__main__":
    sys.exit(main())
