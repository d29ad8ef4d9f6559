# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases of bench-bytes.py, one function a letter."""

import json
import os
import shutil
import subprocess
import tempfile

import measure
from measure import Command

POWER, PROCESS = "power", "process"


class World:
    """The programs, a directory to work in, and services in it."""

    def __init__(self, options, work, result):
        self.options = options
        self.work = work
        self.result = result
        self.source = os.path.join(work, "source")
        self.n_programs = 0
        measure.make_random(self.source, options.mib)

    def path(self, name):
        return os.path.join(self.work, name)

    def without(self, name):
        """A function that removes what an earlier run left."""
        def remove():
            path = self.path(name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
        return remove

    def program(self, durability, **members):
        """The beginning of a command on a service of its own."""
        self.n_programs += 1
        config = self.path(f"config-{self.n_programs}.json")
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"durability": durability, **members}, out)
        return [self.options.imgimport, "--root", self.path("root"), "--config", config, "-q"]

    def fresh(self, program, file=None):
        """Prepares a run: an empty service with a queued image, staged where there is a file."""
        def prepare():
            told = subprocess.run(
                [*program, "--format=json", "image-create", "--disk-format=raw",
                 "--container-format=bare"], check=True, capture_output=True).stdout
            image = json.loads(told)["id"]
            if file is not None:
                subprocess.run([*program, "image-stage", image, "--file", file], check=True,
                               stdout=subprocess.DEVNULL)
            return image
        return prepare

    def ours(self, program, verb, *options, name="imgimport", prepare=None, **facts):
        """A command of the program about the image that was prepared."""
        return Command(name, lambda image: [*program, verb, image, *options],
                       prepare or self.fresh(program), self.without("root"), rival=False, ours=True,
                       **facts)

    def tell(self, argv):
        """Runs a program that answers in JSON: what was measured of it, and what it said."""
        with tempfile.TemporaryFile() as out:
            row = measure.run(argv, stdout=out)
            out.seek(0)
            return row, json.load(out)

    def small(self, case, name, durability, clients, count, size):
        """One run of small-images."""
        self.without("small")()
        os.mkdir(self.path("small"), 0o700)
        row, told = self.tell([self.options.small_images, self.path("small"), durability,
                               str(clients), str(count), str(size)])
        row.update(case=case, name=name, cache="warm", durability=durability,
                   wall=told["wall_s"], cpu=told["cpu_s"], import_s=told["import_s"] / count,
                   peak=told["peak_mib"], rate=count / told["wall_s"], syncs=told["syncs"] / count)
        self.result.rows.append(row)
        self.without("small")()


def digest(name, file):
    return Command(f"openssl {name}", ["openssl", "dgst", f"-{name}", file])


def copy(world, file, name="cp", options=("--reflink=never",)):
    to = world.path("copy")
    return Command(name, ["cp", *options, file, to], clean=world.without("copy"))


def synced_copy(world, file):
    return Command("cp, sync", ["sh", "-c", 'cp --reflink=never "$0" "$1" && exec sync "$1"', file,
                                world.path("copy")], clean=world.without("copy"), durability=POWER)


# ---- (a) staging ---------------------------------------------------------------------------------

def stage(world, case, digests, members, rivals=()):
    """The durable way has one stage more: what is written is synced."""
    for cold in ((), (world.source,)):
        stages = [copy(world, world.source), synced_copy(world, world.source)]
        stages += [digest(name, world.source) for name in digests]
        commands = stages + [
            world.ours(world.program(durability, **members), "image-stage", "--file", world.source,
                       durability=durability)
            for durability in (PROCESS, POWER)]
        rows = world.result.measure(case, commands + ([] if cold else list(rivals)), cold)
        plain, synced, *others = rows[:len(stages)]
        measure.bound([row for row in rows if row is not synced and row.get("durability") != POWER],
                      [plain, *others])
        measure.bound([row for row in rows if row.get("durability") == POWER], [synced, *others])


def case_a(world):
    stage(world, "a: stage, md5 and sha512", ["md5", "sha512"], {}, rivals_of_staging(world))
    stage(world, "a: stage, sha256", ["sha256"], {"hashing_algorithm": "sha256", "checksum": False})


def rivals_of_staging(world):
    raw, machines = world.path("imported"), world.path("machines")
    tree, repo = world.path("tree"), world.path("repo")

    def make_empty():
        open(raw, "wb").close()

    def make_repo():
        os.mkdir(tree)
        os.link(world.source, os.path.join(tree, "image"))
        subprocess.run(["ostree", f"--repo={repo}", "init", "--mode=bare-user-only"], check=True)

    def remove_repo():
        world.without("tree")()
        world.without("repo")()

    return (
        Command("qemu-img convert", ["qemu-img", "convert", "-f", "raw", "-O", "raw", world.source,
                                     raw], make_empty, world.without("imported")),
        Command("nbdcopy", ["nbdcopy", "--", "[", "nbdkit", "--exit-with-parent", "file",
                            world.source, "]", raw], make_empty, world.without("imported")),
        Command("systemd-import raw", ["/usr/lib/systemd/systemd-import",
                                       "--image-root=" + machines, "raw", world.source, "bench"],
                lambda: os.mkdir(machines), world.without("machines")),
        Command("ostree commit (sha256)", ["ostree", f"--repo={repo}", "commit", "-b", "bench",
                                           f"--tree=dir={tree}", "--canonical-permissions"],
                make_repo, remove_repo))


# ---- (b) importing, (g) memory -------------------------------------------------------------------

def sizes_of(world, *mib):
    return [max(1, size * world.options.mib // 1024) for size in mib]


def case_b(world):
    for durability in (PROCESS, POWER):
        for mib in sizes_of(world, 64, 1024, 8192):
            world.small("b: import what is staged", f"imgimport, {mib} MiB", durability, 1, 1,
                        mib * measure.MIB)


def case_g(world):
    world.small("g: peak memory", "imgimport, 1 byte", PROCESS, 1, 1, 1)
    for mib in sizes_of(world, 64, 1024, 16384):
        world.small("g: peak memory", f"imgimport, {mib} MiB", PROCESS, 1, 1, mib * measure.MIB)


# ---- (c) two stores ------------------------------------------------------------------------------

def case_c(world):
    case, result = "c: two stores on tmpfs", world.result
    if os.stat("/dev/shm").st_dev == os.stat(world.work).st_dev:
        result.missing(case, "all", "there is no second file system")
        return
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/dev/shm") as other:
        stores = [{"id": name, "type": "file", "directory": os.path.join(other, name)}
                  for name in ("one", "two")]
        program = world.program(PROCESS, stores=stores)
        directories = [store["directory"] for store in stores]
        copies = [os.path.join(other, f"copy{number}") for number in (1, 2)]

        def remove(paths):
            subprocess.run(["rm", "-rf", *paths], check=True)

        def copy_to(number):
            return Command(f"cp, copy {number}", ["cp", world.source, copies[number - 1]])

        def prepare():
            """The copies stand until the import may take their memory: for what was given back long
            ago a virtual machine has to ask again."""
            remove(directories)
            image = world.fresh(program, world.source)()
            remove(copies)
            return image

        rows = result.measure(case, [copy_to(1), copy_to(2), world.ours(
            program, "image-import", "--all-stores=true", prepare=prepare, durability=PROCESS)])
        measure.bound(rows, rows[:2])


# ---- (d) packed ----------------------------------------------------------------------------------

def case_d(world):
    for packer, options in (("gzip", ["-1"]), ("xz", ["-0"]), ("zstd", ["-3"])):
        case, result = f"d: {packer}, unpacked and staged", world.result
        packed, plain = world.path(f"packed.{packer}"), world.path("plain")
        if shutil.which(packer) is None:
            result.missing(case, packer, f"{packer} is not installed")
            continue
        half_random(world, plain)
        with open(packed, "wb") as out:
            subprocess.run([packer, *options, "-c", plain], check=True, stdout=out)
        program = world.program(PROCESS, hooks=["decompress"])
        rows = result.measure(case, [
            Command(f"{packer} -dc", ["sh", "-c", 'exec "$0" -dc "$1" >"$2"', packer, packed,
                                      world.path("copy")], clean=world.without("copy")),
            digest("md5", plain), digest("sha512", plain),
            world.ours(program, "image-import", prepare=world.fresh(program, packed),
                       durability=PROCESS)])
        measure.bound(rows, rows[:3])
        for path in (plain, packed):
            os.unlink(path)


def half_random(world, path):
    """Half zeros, half random: what a disk image is like."""
    with open(path, "wb") as out:
        for number in range(world.options.mib):
            out.write(os.urandom(measure.MIB) if number % 2 == 0 else bytes(measure.MIB))


# ---- (e) sparse ----------------------------------------------------------------------------------

def case_e(world):
    mib = 16 * world.options.mib
    case, result = f"e: sparse, {mib} MiB with {mib // 256} MiB of data", world.result
    sparse = world.path("sparse")
    with open(sparse, "wb") as out:
        for number in range(max(1, mib // 256)):
            out.seek(number * 256 * measure.MIB)
            out.write(os.urandom(measure.MIB))
        out.truncate(mib * measure.MIB)
    commands = [
        copy(world, sparse, "cp --sparse=always", ("--reflink=never", "--sparse=always")),
        copy(world, sparse, "cp --sparse=auto"),
        Command("qemu-img convert", ["qemu-img", "convert", "-f", "raw", "-O", "raw", sparse,
                                     world.path("copy")], clean=world.without("copy"))]
    for name, members in (("imgimport, no digests", {"hashing_algorithm": "none",
                                                     "checksum": False}),
                          ("imgimport, md5 and sha512", {})):
        commands.append(world.ours(world.program(PROCESS, **members), "image-stage", "--file",
                                   sparse, name=name, durability=PROCESS))
    result.measure(case, commands)
    world.without("sparse")()


# ---- (f) the inspector ---------------------------------------------------------------------------

def case_f(world):
    case, result = "f: inspector, from memory", world.result
    size = min(world.options.mib, 64) * measure.MIB
    headers = [("random bytes", None), ("zero bytes", "")]
    headers += [(name, name) for name in ("qcow2", "qed", "vmdk", "vpc", "vhdx", "vdi",
                                          "parallels", "luks")]
    file = world.path("inspected")
    for name, kind in headers:
        if kind and not make_header(file, kind):
            result.missing(case, name, "qemu-img makes none here")
            continue
        if kind is None:
            measure.make_random(file, size // measure.MIB)
        else:
            fill(file, "ab" if kind else "wb", size)
        row, told = world.tell([world.options.inspect_speed, file, str(world.options.mib)])
        row.update(case=case, name=name, cache="warm", wall=told["wall_s"],
                   rate_gb=told["bytes"] / told["wall_s"] / 1e9)
        result.rows.append(row)
        os.unlink(file)


def make_header(file, kind):
    if shutil.which("qemu-img") is None:
        return False
    extra = ["--object", "secret,id=s,data=secret", "-o", "key-secret=s"] if kind == "luks" else []
    return subprocess.run(["qemu-img", "create", "-q", "-f", kind, *extra, file, "64M"],
                          check=False, capture_output=True).returncode == 0


def fill(file, mode, size):
    with open(file, mode) as out:
        while out.tell() < size:
            out.write(bytes(min(measure.MIB, size - out.tell())))


# ---- (h) many small images -----------------------------------------------------------------------

def case_h(world):
    count = 20 if world.options.smoke else 1000
    for durability in (PROCESS, POWER):
        for clients in (1, 8):
            world.small("h: images of 64 KiB", f"imgimport, {clients} at a time", durability,
                        clients, count, 64 * 1024)
