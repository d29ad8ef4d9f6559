# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases of bench-bytes.py, one function a letter."""

import json
import os
import shutil
import subprocess
import tempfile

import measure

POWER, PROCESS = "power", "process"


class World:
    """The programs, a directory to work in, and services in it."""

    def __init__(self, options, work, result):
        self.options = options
        self.work = work
        self.result = result
        self.source = os.path.join(work, "source")
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
        config = self.path("config.json")
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"durability": durability, **members}, out)
        return [self.options.imgimport, "--root", self.path("root"), "--config", config, "-q"]

    def fresh(self, program, file=None):
        """Prepares a run: an empty service with a queued image, staged where there is a file."""
        def prepare():
            self.without("root")()
            told = subprocess.run(
                [*program, "--format=json", "image-create", "--disk-format=raw",
                 "--container-format=bare"], check=True, capture_output=True).stdout
            image = json.loads(told)["id"]
            if file is not None:
                subprocess.run([*program, "image-stage", image, "--file", file], check=True,
                               stdout=subprocess.DEVNULL)
            return image
        return prepare

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


def openssl(name, file):
    return ["openssl", "dgst", f"-{name}", file]


def copy_of(world, file, to="copy"):
    return ["cp", "--reflink=never", file, world.path(to)]


# ---- (a) staging ---------------------------------------------------------------------------------

def stage(world, case, digests, members):
    result, source = world.result, world.source
    for cache in ("warm", "cold"):
        cold = [source] if cache == "cold" else None
        rivals = [result.measure(case, "cp", copy_of(world, source), world.without("copy"), cold)]
        for digest in digests:
            rivals.append(result.try_measure(case, f"openssl {digest}", openssl(digest, source),
                                             cold=cold))
        for durability in (PROCESS, POWER):
            program = world.program(durability, **members)
            result.measure(case, "imgimport", lambda image, program=program: [
                *program, "image-stage", image, "--file", source], world.fresh(program), cold,
                durability=durability, ours=True)
        result.bound(case, rivals, cache)
    world.without("copy")()


def case_a(world):
    stage(world, "a: stage, md5 and sha512", ["md5", "sha512"], {})
    stage(world, "a: stage, sha256", ["sha256"], {"hashing_algorithm": "sha256", "checksum": False})
    case, result = "a: stage, md5 and sha512", world.result
    raw = world.path("imported")
    for name, argv in (
            ("qemu-img convert", ["qemu-img", "convert", "-f", "raw", "-O", "raw", world.source,
                                  raw]),
            ("nbdcopy", ["nbdcopy", "--", "[", "nbdkit", "--exit-with-parent", "file",
                         world.source, "]", raw]),
            ("systemd-import raw", ["/usr/lib/systemd/systemd-import",
                                    "--image-root=" + world.path("machines"), "raw", world.source,
                                    "bench"])):
        result.try_measure(case, name, argv, prepare=lambda: (
            world.without("machines")(), os.mkdir(world.path("machines")), open(raw, "wb").close()))
    world.without("machines")()
    world.without("imported")()
    ostree(world, case)


def ostree(world, case):
    tree, repo = world.path("tree"), world.path("repo")

    def prepare():
        world.without("tree")()
        world.without("repo")()
        os.mkdir(tree)
        os.link(world.source, os.path.join(tree, "image"))
        subprocess.run(["ostree", f"--repo={repo}", "init", "--mode=bare-user-only"], check=True)

    if shutil.which("ostree") is None:
        world.result.missing(case, "ostree commit", "ostree is not installed")
    else:
        world.result.try_measure(case, "ostree commit (sha256)", [
            "ostree", f"--repo={repo}", "commit", "-b", "bench", f"--tree=dir={tree}",
            "--canonical-permissions"], prepare=prepare)
    world.without("tree")()
    world.without("repo")()


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
        copies = [os.path.join(other, name) for name in ("copy1", "copy2")]
        rivals = [result.measure(case, f"cp, copy {number}", ["cp", world.source, copy])
                  for number, copy in enumerate(copies, 1)]
        for copy in copies:
            os.unlink(copy)
        program = world.program(PROCESS, stores=stores)

        def prepare():
            for store in stores:
                shutil.rmtree(store["directory"], ignore_errors=True)
            return world.fresh(program, world.source)()

        result.measure(case, "imgimport", lambda image: [
            *program, "image-import", image, "--all-stores=true"], prepare, durability=PROCESS,
            ours=True)
        result.bound(case, rivals)


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
        stages = [result.measure(case, f"{packer} -dc", ["sh", "-c", 'exec "$0" -dc "$1" >"$2"',
                                                         packer, packed, world.path("copy")])]
        stages += [result.try_measure(case, f"openssl {name}", openssl(name, plain))
                   for name in ("md5", "sha512")]
        program = world.program(PROCESS, hooks=["decompress"])
        result.try_measure(case, "imgimport", lambda image, program=program: [
            *program, "image-import", image], prepare=world.fresh(program, packed),
            durability=PROCESS, ours=True)
        result.bound(case, stages)
        for name in ("copy", "plain", os.path.basename(packed)):
            world.without(name)()


def half_random(world, path):
    """Half zeros, half random: what a disk image is like."""
    with open(path, "wb") as out:
        for number in range(world.options.mib):
            out.write(os.urandom(measure.MIB) if number % 2 == 0 else bytes(measure.MIB))


# ---- (e) sparse ----------------------------------------------------------------------------------

def case_e(world):
    mib = 16 * world.options.mib
    case, result = f"e: sparse, {mib} MiB with {mib // 256} MiB of data", world.result
    sparse, copy = world.path("sparse"), world.path("copy")
    with open(sparse, "wb") as out:
        for number in range(max(1, mib // 256)):
            out.seek(number * 256 * measure.MIB)
            out.write(os.urandom(measure.MIB))
        out.truncate(mib * measure.MIB)
    rivals = (("cp --sparse=always", ["cp", "--reflink=never", "--sparse=always", sparse, copy]),
              ("cp --sparse=auto", ["cp", "--reflink=never", sparse, copy]),
              ("qemu-img convert", ["qemu-img", "convert", "-f", "raw", "-O", "raw", sparse, copy]))
    for name, argv in rivals:
        result.try_measure(case, name, argv, prepare=world.without("copy"))
    for name, members in (("imgimport, no digests", {"hashing_algorithm": "none",
                                                     "checksum": False}),
                          ("imgimport, md5 and sha512", {})):
        program = world.program(PROCESS, **members)
        result.try_measure(case, name, lambda image, program=program: [
            *program, "image-stage", image, "--file", sparse], prepare=world.fresh(program),
            durability=PROCESS, ours=True)
    for name in ("sparse", "copy", "root"):
        world.without(name)()


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
