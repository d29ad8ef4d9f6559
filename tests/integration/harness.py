# SPDX-License-Identifier: LGPL-2.1-or-later
"""A root directory, the command-line program run on it, and tests that answer in TAP."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

IS_LONG = bool(os.environ.get("IMGIMPORT_TEST_LONG"))
TIMEOUT_S = 120
# Exit statuses as the program's --help documents them.
DONE, FAILED, USAGE, NOT_FOUND, CONFLICT, REFUSED, NO_ROOM, TEMPORARY, FORBIDDEN = range(9)
CANCELLED = 130

_tests = []

# Children inherit what is ignored, and the program keeps ignoring what its caller did.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)


class Skip(Exception):
    """Raised by a test that this machine cannot run."""


def test(function):
    """Registers a test: a function that is handed a Root."""
    _tests.append(function)
    return function


def cases(table):
    """Registers a function once for each row of a table: name → further arguments."""
    def register(function):
        for name, arguments in table.items():
            def run(root, arguments=arguments):
                function(root, *arguments)
            run.__name__ = f"{function.__name__}[{name}]"
            _tests.append(run)
        return function
    return register


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} instead of {expected!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def sha512(path):
    digest = hashlib.sha512()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


class Root:
    """A directory of its own for each test, removed afterwards."""

    def __init__(self, program):
        self.program = program
        self.work = tempfile.mkdtemp(prefix="imgimport-test-")
        self.path = os.path.join(self.work, "root")
        self.fast = {"durability": "process"}

    def file(self, name):
        return os.path.join(self.work, name)

    def write(self, name, data):
        path = self.file(name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def configure(self, **members):
        """Writes the root's configuration; what the tests do not care about syncs nothing."""
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        with open(os.path.join(self.path, "imgimport.json"), "w", encoding="utf-8") as file:
            json.dump({**self.fast, **members}, file)

    def command(self, *arguments):
        if not os.path.exists(self.path):
            self.configure()
        return [self.program, "--root", self.path, *arguments]

    def start(self, *arguments, **options):
        """A process of the program whose output is piped, as bytes."""
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.command(*arguments), **options)

    def run(self, *arguments, status=DONE, **options):
        """Runs the program to its end; standard output and error as text."""
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(self.command(*arguments), capture_output=True, check=False,
                              timeout=TIMEOUT_S, **options)
        output, error = done.stdout.decode(), done.stderr.decode()
        if done.returncode != status:
            raise AssertionError(f"{arguments}: exit status {done.returncode} instead of "
                                 f"{status}: {error}")
        return output, error

    def refused(self, status, reason, *arguments, **options):
        """Runs a command that fails; its error names the reason."""
        _, error = self.run(*arguments, status=status, **options)
        contains(error, f"({reason})")
        return error

    def json(self, *arguments, **options):
        return json.loads(self.run("--format", "json", *arguments, **options)[0])

    # ---- images

    def create(self, disk_format="raw", *options):
        return self.json("image-create", "--disk-format", disk_format, "--container-format",
                         "bare", *options)["id"]

    def stage(self, image, file, *options):
        return self.json("image-stage", image, "--file", file, *options)

    def staged(self, file, disk_format="raw"):
        image = self.create(disk_format)
        self.stage(image, file)
        return image

    def active(self, file, disk_format="raw", *options):
        image = self.staged(file, disk_format)
        self.run("image-import", image, *options)
        return image

    def show(self, image):
        return self.json("image-show", image)

    def jobs(self, image):
        return self.json("image-tasks", image)

    def files(self, name):
        """What lies in a directory of the root, sorted."""
        path = os.path.join(self.path, name)
        return sorted(os.listdir(path)) if os.path.isdir(path) else []

    def assert_clean(self, image, status, stored=0):
        """The image is in this status, and there are no bytes but those it is to have."""
        equal(self.show(image)["status"], status, "status")
        equal(len(self.files("staging")), 1 if status == "uploading" else 0, "files in staging")
        equal(len(self.files("store")), stored, "files in the store")

    def remove(self):
        shutil.rmtree(self.work, ignore_errors=True)


def _run_one(function, number, program):
    root = Root(program)
    try:
        function(root)
    except Skip as why:
        print(f"ok {number} - {function.__name__} # SKIP {why}")
        return
    except Exception:  # pylint: disable=broad-except
        print(f"not ok {number} - {function.__name__}")
        print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="")
        return
    finally:
        root.remove()
    print(f"ok {number} - {function.__name__}")


def main():
    """Runs the tests that are registered, or those whose name contains the second argument."""
    program = os.path.abspath(sys.argv[1])
    chosen = [one for one in _tests if len(sys.argv) < 3 or sys.argv[2] in one.__name__]
    print(f"1..{len(chosen)}")
    for number, function in enumerate(chosen, 1):
        _run_one(function, number, program)
        sys.stdout.flush()
