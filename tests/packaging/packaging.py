#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host outside the tree builds against the library and runs: packaging.py SOURCE_DIR, TAP on
stdout.

The library is built shared and static at once and installed into a prefix; the host finds it by
pkg-config. Then the host builds it as a subproject, shared and static.
"""

import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

CONSUMER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "consumer")


class Failure(Exception):
    pass


def run(*command, **environment):
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            env={**os.environ, **environment})
    if result.returncode != 0:
        raise Failure(f"{shlex.join(command)}: {result.returncode}\n"
                      f"{result.stdout[-4000:]}{result.stderr[-2000:]}")
    return result.stdout


class Site:
    def __init__(self, directory, source):
        self.directory = directory
        self.source = source
        self.prefix = os.path.join(directory, "prefix")

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def setup(self, source, build, *options):
        run("meson", "setup", build, source, "--buildtype=debug", *options, **self.environment())

    def build(self, source, build, *options):
        self.setup(source, build, *options)
        run("ninja", "-C", build)

    def environment(self):
        return {"PKG_CONFIG_PATH": os.path.join(self.prefix, "lib", "pkgconfig"),
                "LD_LIBRARY_PATH": os.path.join(self.prefix, "lib")}

    def pkg_config(self, *options):
        return run("pkg-config", *options, "imgimport-1", **self.environment()).split()


def expect(condition, problem):
    if not condition:
        raise Failure(problem)


def runs(site, program, links_to_library):
    with tempfile.TemporaryDirectory() as root:
        output = run(program, root, **site.environment())
    expect(output.startswith("imported with "), output)
    needed = run("readelf", "-d", program)
    expect(("libimgimport.so.0" in needed) == links_to_library, needed)


def installs_into_a_prefix(site):
    build = site.path("library")
    site.setup(site.source, build, f"--prefix={site.prefix}", "--libdir=lib",
               "-Ddefault_library=both", "-Dintrospection=disabled")
    targets = json.loads(run("meson", "introspect", "--targets", build))
    # Not the tests, which `ninja` alone would build too.
    run("ninja", "-C", build, *{os.path.relpath(name, build) for target in targets
                                if target["installed"] for name in target["filename"]})
    run("meson", "install", "-C", build, "--no-rebuild")
    installed = {os.path.relpath(path, site.prefix)
                 for path in glob.glob(os.path.join(site.prefix, "**"), recursive=True)}
    for path in ("lib/libimgimport.so", "lib/libimgimport.so.0", "lib/libimgimport.a",
                 "lib/pkgconfig/imgimport-1.pc", "bin/imgimport",
                 "include/imgimport-1/imgimport/imgimport.h",
                 "include/imgimport-1/imgimport/imgimport-version.h"):
        expect(path in installed, f"{path} is not installed")
    private = [path for path in installed if path.endswith("-private.h")]
    expect(not private, f"private headers are installed: {private}")


def requires_what_the_headers_use(site):
    requires = run("pkg-config", "--print-requires", "imgimport-1", **site.environment())
    names = {line.split()[0] for line in requires.splitlines() if line.strip()}
    expect(names == {"glib-2.0", "gobject-2.0", "gio-2.0"}, f"Requires: {sorted(names)}")
    flags = site.pkg_config("--libs")
    expect("-limgimport" in flags and "-lsqlite3" not in flags and "-ljson-glib-1.0" not in flags,
           f"--libs: {flags}")


def names_the_rest_for_static_linking(site):
    flags = site.pkg_config("--static", "--libs")
    for flag in ("-limgimport", "-ljson-glib-1.0", "-lgio-2.0"):
        expect(flag in flags, f"--static --libs: {flags}")
    config = site.path("library", "libimgimport", "imgimport-config.h")
    with open(config, encoding="utf-8") as stream:
        enabled = stream.read()
    for option, flag in (("HAVE_SQLITE", "-lsqlite3"), ("HAVE_LIBCRYPTO", "-lcrypto")):
        expect(re.search(f"{option} 1", enabled) is None or flag in flags, f"{flag}: {flags}")


def compiles_by_hand_with_pkg_config(site):
    program = site.path("by-hand")
    run("cc", os.path.join(CONSUMER, "consumer.c"), "-o", program,
        *site.pkg_config("--cflags", "--libs"))
    runs(site, program, True)


def links_by_hand_statically(site):
    program = site.path("by-hand-static")
    # Only this library from its archive: the system's libraries stay shared.
    flags = ["-l:libimgimport.a" if flag == "-limgimport" else flag
             for flag in site.pkg_config("--static", "--cflags", "--libs")]
    run("cc", os.path.join(CONSUMER, "consumer.c"), "-o", program, *flags)
    runs(site, program, False)


def is_found_by_meson(site):
    build = site.path("found")
    site.build(CONSUMER, build)
    runs(site, os.path.join(build, "consumer"), True)


def subproject(site, kind, links_to_library):
    # A tree of its own, so that nothing is written into this one.
    tree = site.path("tree-" + kind)
    os.makedirs(os.path.join(tree, "subprojects"))
    for name in ("meson.build", "meson_options.txt", "consumer.c"):
        os.symlink(os.path.join(CONSUMER, name), os.path.join(tree, name))
    os.symlink(site.source, os.path.join(tree, "subprojects", "libimgimport"))
    build = site.path("build-" + kind)
    site.build(tree, build, "--force-fallback-for=libimgimport",
               f"-Ddefault_library={kind}", f"-Dlink={kind}", "-Dlibimgimport:introspection=disabled")
    runs(site, os.path.join(build, "consumer"), links_to_library)


def builds_as_a_shared_subproject(site):
    subproject(site, "shared", True)


def builds_as_a_static_subproject(site):
    subproject(site, "static", False)


CASES = (installs_into_a_prefix, requires_what_the_headers_use, names_the_rest_for_static_linking,
         compiles_by_hand_with_pkg_config, links_by_hand_statically, is_found_by_meson,
         builds_as_a_shared_subproject, builds_as_a_static_subproject)


def main():
    source = os.path.abspath(sys.argv[1])
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        site = Site(directory, source)
        for number, case in enumerate(CASES, 1):
            problem = ""
            try:
                case(site)
            except Failure as failure:
                problem = str(failure)
                failed += 1
            print(f"{'not ok' if problem else 'ok'} {number} /packaging/{case.__name__.replace('_', '-')}")
            for line in problem.splitlines():
                print(f"# {line}")
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
