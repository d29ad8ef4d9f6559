# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command-line program killed while bytes flow: after so many of them, not after so long."""

import os
import random
import shutil
import signal
import tempfile

from harness import IS_LONG, equal, main, sha512, test

MIB = 1 << 20
SIZE = 24 * MIB
N_KILLS = 100 if IS_LONG else 8
SEED = 62  # the row of the threat model


def bytes_in(*directories):
    """What has been written there; files come and go meanwhile."""
    total = 0
    for directory in directories:
        try:
            for entry in os.scandir(directory):
                total += entry.stat().st_size
        except FileNotFoundError:
            pass
    return total


def kill_staging(root, image, path, limit):
    """Kills a process that stages once it has been given this much, and waits for more."""
    reader, writer = os.pipe()
    process = root.start("image-stage", image, stdin=reader)
    os.close(reader)
    with open(path, "rb") as source, open(writer, "wb", buffering=0) as pipe:
        pipe.write(source.read(limit))
        process.kill()
        process.communicate()
    equal(process.returncode, -signal.SIGKILL)


def kill_import(root, image, limit, directories):
    """Kills a process that imports once there is this much, if it has not ended before."""
    process = root.start("image-import", image)
    while process.poll() is None and bytes_in(*directories) < limit:
        pass
    process.kill()
    process.communicate()


def far_directory():
    """On another file system where there is one, so that the store must copy."""
    if os.path.isdir("/dev/shm") and os.stat("/dev/shm").st_dev != os.stat("/tmp").st_dev:
        return tempfile.mkdtemp(dir="/dev/shm")
    return tempfile.mkdtemp()


def check(root, far):
    """What the next command finds: documented states and exactly their bytes."""
    expected = {"queued": (0, 0), "uploading": (1, 0), "active": (0, 1)}
    staged = stored = 0
    for record in root.json("image-list", "--limit", "1000"):
        equal(record["status"] in expected, True, record["status"])
        staged += expected[record["status"]][0]
        stored += expected[record["status"]][1]
        for job in root.jobs(record["id"]):
            equal(job["status"] in ("success", "failure"), True, job["status"])
    equal((len(root.files("staging")), len(os.listdir(far))), (staged, stored))


def finish(root, image, path):
    """Whatever was left can be made active, read and deleted."""
    status = root.show(image)["status"]
    if status == "queued":
        root.stage(image, path)
    if status != "active":
        root.run("image-import", image)
    record = root.show(image)
    equal((record["status"], record["os_hash_value"]), ("active", sha512(path)))
    root.run("image-download", image, "--file", root.file("back"))
    equal(sha512(root.file("back")), sha512(path))
    root.run("image-delete", image)


def kill_many(root, durability):
    far = far_directory()
    chance = random.Random(SEED)
    try:
        root.configure(durability=durability,
                       stores=[{"id": "far", "type": "file", "directory": far}])
        path = root.write("disk", os.urandom(SIZE))
        places = (os.path.join(root.path, "staging"), far)
        for _ in range(N_KILLS):
            image = root.create()
            kill_staging(root, image, path, chance.randrange(1, SIZE))
            check(root, far)
            equal(root.show(image)["status"], "queued")
            root.stage(image, path)
            kill_import(root, image, SIZE + chance.randrange(1, SIZE), places)
            check(root, far)
            finish(root, image, path)
        check(root, far)
        equal(bytes_in(*places), 0)
    finally:
        shutil.rmtree(far)


@test
def killed_processes_leave_documented_states(root):
    kill_many(root, "process")


@test
def killed_processes_leave_documented_states_durably(root):
    kill_many(root, "power")


if __name__ == "__main__":
    main()
