#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Staging and importing random bytes through the command-line program, beside the machine's limits.

    bench-import.py IMGIMPORT [MIB]

Each command is a whole process; wall, CPU and peak memory are the kernel's word of it. The rivals
do less: cp stores without digests, openssl computes one digest and stores nothing.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 3


def measure(argv):
    """Wall seconds, CPU seconds and peak KiB of one run."""
    start = time.monotonic()
    with open(os.devnull, "w") as null:
        child = subprocess.Popen(argv, stdout=null, stderr=null)
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"failed with {child.returncode}: {' '.join(argv)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def median_of(prepare, argv):
    rows = []
    for _ in range(RUNS):
        prepare()
        rows.append(measure(argv))
    return [statistics.median(column) for column in zip(*rows)]


def make_random(path, mib):
    with open(path, "wb") as out:
        for _ in range(mib):
            out.write(os.urandom(1 << 20))


def rivals(source, copy):
    def drop_copy():
        if os.path.exists(copy):
            os.unlink(copy)

    def nothing():
        pass

    yield "cp", drop_copy, ["cp", "--reflink=never", source, copy]
    yield "openssl md5", nothing, ["openssl", "md5", source]
    yield "openssl sha512", nothing, ["openssl", "sha512", source]


def imports(program, source, work):
    for durability in ("process", "power"):
        root = os.path.join(work, "root-" + durability)
        config = os.path.join(work, durability + ".json")
        with open(config, "w") as out:
            json.dump({"durability": durability}, out)

        def drop_root(root=root):
            shutil.rmtree(root, ignore_errors=True)

        yield f"imgimport, {durability}", drop_root, [
            program, "--root", root, "--config", config, "image-create-via-import", "--file", source,
            "--disk-format", "raw", "--container-format", "bare"]


def main():
    program = sys.argv[1]
    mib = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    with tempfile.TemporaryDirectory(prefix="bench-import-") as work:
        source = os.path.join(work, "source")
        make_random(source, mib)
        rows = {}
        for name, prepare, argv in [*rivals(source, os.path.join(work, "copy")),
                                    *imports(program, source, work)]:
            rows[name] = median_of(prepare, argv)
    digests = [rows["openssl md5"][0], rows["openssl sha512"][0]]
    cpu = sum(rows[name][1] for name in ("cp", "openssl md5", "openssl sha512"))
    bound = max(max(digests), cpu / os.cpu_count())
    print(f"{mib} MiB of random bytes, median of {RUNS}, page cache warm, {os.cpu_count()} cores")
    print(f"{'':22}{'wall s':>8}{'CPU s':>8}{'MiB':>7}{'x bound':>9}")
    for name, (wall, cpu_s, kib) in rows.items():
        print(f"{name:22}{wall:8.2f}{cpu_s:8.2f}{kib / 1024:7.0f}{wall / bound:9.2f}")
    print(f"bound: max (slowest digest alone, CPU seconds of cp and both digests / cores) = "
          f"{bound:.2f} s")


if __name__ == "__main__":
    main()
