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


class Report:
    """Rows, each a command in one case, beside the case's bound."""

    def __init__(self, n_runs):
        self.n_runs = n_runs
        self.rows = []
        self.bounds = {}

    def measure(self, case, name, command, prepare=None, cold=None, **more):
        """The median run of `command`, an argv or a function of what `prepare` answers; `cold`:
        files to evict before."""
        runs = []
        for _ in range(self.n_runs):
            context = prepare() if prepare else None
            for path in cold or []:
                evict(path)
            argv = command(context) if callable(command) else command
            runs.append(run(argv))
        row = {key: statistics.median(one[key] for one in runs) for key in runs[0]}
        cache = "cold" if cold else "warm"
        row.update(case=case, name=name, cache=cache, bound=self.bounds.get((case, cache)), **more)
        self.rows.append(row)
        return row

    def try_measure(self, case, name, command, **options):
        """The same for a rival, where it is installed, and works here."""
        try:
            if not callable(command) and shutil.which(command[0]) is None:
                raise FileNotFoundError(f"{command[0]} is not installed")
            return self.measure(case, name, command, **options)
        except (RuntimeError, OSError) as error:
            self.missing(case, name, str(error).splitlines()[0])
            return None

    def missing(self, case, name, why):
        self.rows.append({"case": case, "name": name, "missing": why})

    def bound(self, case, stages, cache="warm"):
        """max (slowest stage alone, CPU seconds of all stages / cores), put into the case's rows."""
        stages = [stage for stage in stages if stage]
        if not stages:
            return
        bound = max(max(stage["wall"] for stage in stages),
                    sum(stage["cpu"] for stage in stages) / os.cpu_count())
        self.bounds[case, cache] = bound
        for row in self.rows:
            if row["case"] == case and row.get("cache") == cache:
                row["bound"] = bound
