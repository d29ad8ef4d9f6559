# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmarks share: measured commands, warm and cold, and the rows of a table.

Wall is the clock's, CPU the kernel's word of the whole process and its children; bytes read and
written are those of its own system calls, of children not.
"""

import os
import shutil
import statistics
import subprocess
import time

MIB = 1 << 20


# The kernel gives the counts of a process that has ended to root alone, so that they are opened
# before the command begins.
WAIT = ["sh", "-c", 'read -r _ && exec "$@" </dev/null', "sh"]


def run(argv, stdout=None):
    """Runs a command to its end: wall, CPU seconds, MiB read and written."""
    child = subprocess.Popen([*WAIT, *argv], stdin=subprocess.PIPE,
                             stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE)
    with open(f"/proc/{child.pid}/io", encoding="ascii") as counts:
        start = time.monotonic()
        child.stdin.write(b"\n")
        child.stdin.close()
        told = child.stderr.read()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        bytes_of = dict(line.split(": ") for line in counts.read().splitlines())
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {child.returncode}: {told.decode().strip()}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime,
            "read": int(bytes_of["rchar"]) / MIB, "written": int(bytes_of["wchar"]) / MIB}


def evict(path):
    """Drops a file from the page cache."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def make_random(path, mib):
    with open(path, "wb") as out:
        for _ in range(mib):
            out.write(os.urandom(MIB))


class Command:
    """An argv, or a function that makes one of what `prepare` answers. `clean` takes away what it
    left. A rival may be missing. `facts` are put into its row."""

    def __init__(self, name, argv, prepare=None, clean=None, rival=True, **facts):
        self.name = name
        self.argv = argv
        self.prepare = prepare
        self.clean = clean
        self.rival = rival
        self.facts = facts
        self.runs = []
        self.missing = None
        if not callable(argv) and shutil.which(argv[0]) is None:
            self.missing = f"{argv[0]} is not installed"

    def take_turn(self, cold):
        """Runs once, with nothing left to be written back that others wrote."""
        if self.missing:
            return
        try:
            context = self.prepare() if self.prepare else None
            os.sync()
            for path in cold:
                evict(path)
            self.runs.append(run(self.argv(context) if callable(self.argv) else self.argv))
        except (RuntimeError, OSError) as error:
            if not self.rival:
                raise
            self.missing = str(error).splitlines()[0]
        finally:
            if self.clean:
                self.clean()

    def row(self, case, cold):
        if self.missing:
            return {"case": case, "name": self.name, "missing": self.missing}
        row = {key: statistics.median(one[key] for one in self.runs) for key in self.runs[0]}
        return {"case": case, "name": self.name, "cache": "cold" if cold else "warm", **row,
                **self.facts}


class Report:
    """Rows, each a command in one case, beside the case's bound."""

    def __init__(self, n_runs):
        self.n_runs = n_runs
        self.rows = []

    def measure(self, case, commands, cold=()):
        """The median run of each command. They take turns, so that what the machine does meanwhile
        is done to all of them. `cold`: files to evict before a run."""
        for _ in range(self.n_runs):
            for command in commands:
                command.take_turn(cold)
        rows = [command.row(case, cold) for command in commands]
        self.rows += rows
        return rows

    def missing(self, case, name, why):
        self.rows.append({"case": case, "name": name, "missing": why})


def bound(rows, stages):
    """max (slowest stage alone, CPU seconds of all stages / cores), put into the rows."""
    stages = [stage for stage in stages if "wall" in stage]
    if not stages:
        return
    limit = max(max(stage["wall"] for stage in stages),
                sum(stage["cpu"] for stage in stages) / os.cpu_count())
    for row in rows:
        row["bound"] = limit
