# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several processes on one root, and processes that are interrupted."""

import json
import os
import signal
import time

from harness import (CANCELLED, CONFLICT, DONE, IS_LONG, NOT_FOUND, TEMPORARY, TIMEOUT_S, cases,
                     contains, equal, main, sha512, test)

MIB = 1 << 20
N_PROCESSES = 32 if IS_LONG else 8


def wait_until(condition):
    """Asks again and again; a condition that never holds is a failure."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        os.sched_yield()


def finish(process):
    output, error = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, output.decode(), error.decode()


class Staging:
    """A process that stages from a pipe that we hold open; at least 1 MiB has arrived."""

    def __init__(self, root, image):
        reader, self.writer = os.pipe()
        self.process = root.start("image-stage", image, stdin=reader)
        os.close(reader)
        self.send(MIB)
        wait_until(lambda: root.show(image).get("stage", {}) and root.files("staging"))

    def send(self, size):
        data = b"x" * size
        while data:
            data = data[os.write(self.writer, data):]

    def end(self):
        """Closes the pipe; exit status, output, error."""
        os.close(self.writer)
        return finish(self.process)


# ---- side by side --------------------------------------------------------------------------------

@test
def processes_with_images_of_their_own_do_not_meet(root):
    root.configure()
    paths = [root.write(f"disk{i}", os.urandom(MIB + i)) for i in range(N_PROCESSES)]
    processes = [root.start("--format", "json", "image-create-via-import", "--disk-format", "raw",
                            "--container-format", "bare", "--name", str(i), "--file", path)
                 for i, path in enumerate(paths)]
    for process in processes:
        status, _, error = finish(process)
        equal((status, "busy" in error.lower(), "locked" in error.lower()), (DONE, False, False),
              error)
    records = root.json("image-list", "--limit", "100")
    equal(len(records), N_PROCESSES)
    for record in records:
        equal((record["status"], record["os_hash_value"]),
              ("active", sha512(paths[int(record["name"])])))
        equal([job["status"] for job in root.jobs(record["id"])], ["success"])
    equal((root.files("staging"), len(root.files("store"))), ([], N_PROCESSES))


@test
def of_processes_that_stage_one_image_one_wins(root):
    image = root.create()
    paths = [root.write(f"disk{i}", os.urandom(MIB)) for i in range(N_PROCESSES)]
    processes = [root.start("image-stage", image, "--file", path) for path in paths]
    results = [finish(process) for process in processes]
    equal(sorted(status for status, _, _ in results)[0], DONE)
    equal(len([1 for status, _, _ in results if status == DONE]), 1)
    for status, _, error in results:
        if status != DONE:
            equal(status in (CONFLICT, TEMPORARY), True, error)
            equal("(status-transition)" in error or "(image-claimed)" in error, True, error)
    root.assert_clean(image, "uploading")
    root.run("image-import", image)
    winner = paths[[status for status, _, _ in results].index(DONE)]
    equal(root.show(image)["os_hash_value"], sha512(winner))


@test
def of_processes_that_import_one_image_one_wins(root):
    image = root.staged(root.write("disk", os.urandom(MIB)))
    processes = [root.start("image-import", image) for _ in range(N_PROCESSES)]
    results = [finish(process) for process in processes]
    equal(len([1 for status, _, _ in results if status == DONE]), 1)
    for status, _, error in results:
        equal(status in (DONE, CONFLICT, TEMPORARY), True, error)
    root.assert_clean(image, "active", stored=1)
    equal([job["status"] for job in root.jobs(image)], ["success"])


@test
def staging_under_way_keeps_others_out(root):
    image = root.create()
    staging = Staging(root, image)
    path = root.write("disk", b"y" * MIB)
    root.run("image-stage", image, "--file", path, status=CONFLICT)
    root.run("image-import", image, status=TEMPORARY)
    staging.send(MIB)
    equal(staging.end()[0], DONE)
    root.run("image-import", image)
    equal(root.show(image)["size"], 2 * MIB)


@test
def image_that_is_deleted_while_it_is_staged_leaves_nothing(root):
    """Security 56."""
    image = root.create()
    staging = Staging(root, image)
    root.run("image-delete", image)
    root.run("image-show", image, status=NOT_FOUND)
    status, _, error = staging.end()
    equal(status, NOT_FOUND, error)
    contains(error, image)
    equal(root.files("staging"), [])


@test
def processes_that_delete_one_image_agree(root):
    image = root.active(root.write("disk", os.urandom(MIB)))
    processes = [root.start("image-delete", image) for _ in range(N_PROCESSES)]
    statuses = sorted(finish(process)[0] for process in processes)
    equal(statuses, [DONE] + [NOT_FOUND] * (N_PROCESSES - 1))
    equal(root.files("store"), [])


# ---- interrupted ---------------------------------------------------------------------------------

@cases({"SIGINT": (signal.SIGINT,), "SIGTERM": (signal.SIGTERM,), "SIGHUP": (signal.SIGHUP,)})
def signal_while_staging_leaves_a_queued_image(root, number):
    image = root.create()
    staging = Staging(root, image)
    staging.process.send_signal(number)
    status, _, error = finish(staging.process)
    os.close(staging.writer)
    equal(status, CANCELLED, error)
    root.assert_clean(image, "queued")
    equal(root.jobs(image), [])


def has_open(process, path):
    folder = f"/proc/{process.pid}/fd"
    try:
        return path in (os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder))
    except FileNotFoundError:
        return False


@cases({"stage": (["image-stage", "--file"],), "inspect": (["inspect"],)})
def named_pipe_that_nobody_writes_to_can_be_left(root, command):
    pipe = root.file("pipe")
    os.mkfifo(pipe)
    image = root.create()
    process = root.start(*command, pipe, *([image] if "--file" in command else []))
    wait_until(lambda: has_open(process, pipe) or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    status, _, error = finish(process)
    equal(status, CANCELLED, error)
    root.assert_clean(image, "queued")


@test
def named_pipe_is_read_to_its_end(root):
    pipe = root.file("pipe")
    os.mkfifo(pipe)
    image = root.create()
    process = root.start("--format", "json", "image-stage", image, "--file", pipe)
    data = os.urandom(3 * MIB + 1)
    with open(pipe, "wb") as file:
        file.write(data)
    status, output, error = finish(process)
    equal(status, DONE, error)
    equal(json.loads(output)["stage"]["bytes"], len(data))


@test
def two_signals_leave_at_once_and_the_next_command_cleans_up(root):
    image = root.create()
    staging = Staging(root, image)
    os.kill(staging.process.pid, signal.SIGSTOP)
    staging.process.send_signal(signal.SIGINT)
    staging.process.send_signal(signal.SIGTERM)
    os.kill(staging.process.pid, signal.SIGCONT)
    equal(finish(staging.process)[0], CANCELLED)
    os.close(staging.writer)
    root.assert_clean(image, "queued")


@test
def killed_staging_is_cleaned_up_by_the_next_command(root):
    image = root.create()
    staging = Staging(root, image)
    staging.process.kill()
    equal(finish(staging.process)[0], -signal.SIGKILL)
    os.close(staging.writer)
    root.assert_clean(image, "queued")
    root.stage(image, root.write("disk", b"x" * MIB))
    root.run("image-import", image)
    root.assert_clean(image, "active", stored=1)


@test
def import_of_a_stopped_process_is_left_alone(root):
    """A process that stands still lives: nothing of its is taken (security 59, 60)."""
    image = root.create()
    staging = Staging(root, image)
    os.kill(staging.process.pid, signal.SIGSTOP)
    root.run("image-list")
    root.run("image-stage", image, "--file", root.write("disk", b"y" * MIB), status=CONFLICT)
    equal(len(root.files("staging")), 1)
    os.kill(staging.process.pid, signal.SIGCONT)
    equal(staging.end()[0], DONE)
    root.assert_clean(image, "uploading")


if __name__ == "__main__":
    main()
