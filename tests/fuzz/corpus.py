# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hands seeds to a fuzz target that only replays them."""

import os
import subprocess
import sys
import tempfile


def replay(make, program):
    """Replays what `make (directory)` makes and counts, as one case of TAP."""
    print("1..1")
    with tempfile.TemporaryDirectory() as directory:
        n = make(directory)
        files = [os.path.join(directory, name) for name in sorted(os.listdir(directory))]
        done = subprocess.run([program, *files], capture_output=True, text=True, check=False)
    print("".join(f"# {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="")
    good = done.returncode == 0 and n > 0
    print(f"{'ok' if good else 'not ok'} 1 - {n} seeds and their mutations are survived")
    return 0 if good else 1


def main(make):
    """What a corpus does with its arguments: DIRECTORY to fill, or --replay PROGRAM."""
    if sys.argv[1] == "--replay":
        sys.exit(replay(make, os.path.abspath(sys.argv[2])))
    print(make(sys.argv[1]), "seeds")
