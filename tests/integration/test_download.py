# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the bytes of an image can be written, and where not."""

import os
import subprocess

from harness import (CONFLICT, FAILED, NO_ROOM, NOT_FOUND, REFUSED, TIMEOUT_S, USAGE, contains,
                     equal, main, sha512, test)

MIB = 1 << 20


def active_image(root, size=4 * MIB + 17):
    path = root.write("disk.raw", os.urandom(size))
    return root.active(path), path


@test
def bytes_come_back_in_a_file_that_takes_the_place_of_another(root):
    image, path = active_image(root)
    back = root.write("back", b"another" * MIB)
    root.run("image-download", image, "--file", back)
    equal(sha512(back), sha512(path))


@test
def ranges_are_written_to_files_and_pipes(root):
    image, path = active_image(root)
    with open(path, "rb") as file:
        data = file.read()
    for offset, length in ((0, 10), (MIB - 1, 2 * MIB), (len(data) - 1, 1), (len(data), 0),
                           (5, None)):
        options = ["--offset", str(offset)] + (["--length", str(length)] if length is not None
                                               else [])
        part = data[offset:] if length is None else data[offset:offset + length]
        root.run("image-download", image, "--file", root.file("part"), *options)
        with open(root.file("part"), "rb") as file:
            equal(file.read() == part, True, f"{options}")
        out = subprocess.run(root.command("image-download", image, *options),
                             capture_output=True, check=True).stdout
        equal(out == part, True, f"{options} to a pipe")
    root.refused(USAGE, "range-invalid", "image-download", image, "--file", root.file("part"),
                 "--offset", str(len(data) + 1))
    root.run("image-download", image, "--length", "x", status=USAGE)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(root.command("image-download", image, "--length", "9"),
                              stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    equal(done.returncode, NO_ROOM)


@test
def full_device_is_an_error(root):
    image, _ = active_image(root)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(root.command("image-download", image), stdout=full,
                              stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    equal(done.returncode, NO_ROOM)
    contains(done.stderr.decode(), "imgimport: image-download: ")


@test
def full_device_is_an_error_of_every_command_that_prints(root):
    image, _ = active_image(root)
    for arguments in (["image-list"], ["image-show", image], ["--help"], ["import-info"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(root.command(*arguments), stdout=full, stderr=subprocess.PIPE,
                                  timeout=TIMEOUT_S, check=False)
        equal(done.returncode in (FAILED, NO_ROOM), True, f"{arguments}: {done.returncode}")


@test
def reader_that_went_away_is_an_error_not_a_signal(root):
    image, _ = active_image(root)
    reader, writer = os.pipe()
    os.close(reader)
    process = root.start("image-download", image, stdout=writer)
    os.close(writer)
    _, error = process.communicate(timeout=TIMEOUT_S)
    equal(process.returncode, FAILED)
    contains(error.decode(), "imgimport: image-download: ")


@test
def reader_that_stops_midway_is_an_error(root):
    image, path = active_image(root)
    process = root.start("image-download", image)
    with open(path, "rb") as file:
        equal(process.stdout.read(MIB) == file.read(MIB), True, "the first bytes are the same")
    process.stdout.close()
    process.stderr.read()
    equal(process.wait(TIMEOUT_S), FAILED)


@test
def standard_output_that_is_closed_is_an_error(root):
    image, _ = active_image(root)
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh",
                           *root.command("image-download", image)],
                          stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    equal(done.returncode != 0, True, "exit status")


@test
def damaged_copy_is_found_and_the_file_is_not_replaced(root):
    """Security 51."""
    image, _ = active_image(root)
    stored = os.path.join(root.path, "store", root.files("store")[0])
    os.chmod(stored, 0o600)
    with open(stored, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    back = root.write("back", b"what was there")
    root.run("image-download", image, "--file", back, status=REFUSED)
    with open(back, "rb") as file:
        equal(file.read(), b"what was there")
    equal(sorted(os.listdir(root.work)), ["back", "disk.raw", "root"])


@test
def directory_that_is_missing_is_not_found(root):
    image, _ = active_image(root)
    root.run("image-download", image, "--file", root.file("missing/back"), status=NOT_FOUND)


@test
def only_active_images_have_bytes(root):
    image = root.create()
    root.refused(CONFLICT, "image-not-active", "image-download", image, "--file",
                 root.file("back"))
    root.stage(image, root.write("disk.raw", b"x" * 512))
    root.refused(CONFLICT, "image-not-active", "image-download", image, "--file",
                 root.file("back"))
    equal(os.path.exists(root.file("back")), False)


if __name__ == "__main__":
    main()
