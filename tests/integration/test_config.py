# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configurations, root directories and command lines that are refused, and by what name."""

import json
import os
import shutil
import subprocess

from harness import (DONE, FORBIDDEN, NOT_FOUND, USAGE, Skip, cases, contains, equal, main, test)


@cases({
    "unknown-member": ({"stors": []}, "stors"),
    "wrong-type": ({"workers": "two"}, "workers"),
    "out-of-range": ({"workers": -1}, "workers"),
    "durability": ({"durability": "maybe"}, "durability"),
    "hashing": ({"hashing_algorithm": "crc32"}, "hashing_algorithm"),
    "nested-unknown": ({"limits": {"image_size": 1}}, "limits/image_size"),
    "nested-zero": ({"limits": {"image_size_cap": 0}}, "limits/image_size_cap"),
    "store-without-id": ({"stores": [{"type": "memory"}]}, "stores/0/id"),
    "store-twice": ({"stores": [{"id": "a", "type": "file", "directory": "a"},
                                {"id": "a", "type": "file", "directory": "b"}]}, "stores/1/id"),
    "store-reserved": ({"stores": [{"id": "os_glance_x", "type": "file", "directory": "a"}]},
                       "stores/0/id"),
    "store-type": ({"stores": [{"id": "a", "type": "tape"}]}, "stores/0/type"),
    "default-store": ({"default_store": "nowhere"}, "default_store"),
    "method-unknown": ({"methods": ["glance-direct", "no-such"]}, "no-such"),
    "method-twice": ({"methods": ["glance-direct", "glance-direct"]}, "methods/1"),
    "hook-unknown": ({"hooks": ["no-such"]}, "no-such"),
    "hook-option": ({"hooks": [{"name": "inject-metadata", "options": {"inyect": {}}}]},
                    "inyect"),
    "staging-in-store": ({"staging": {"type": "file", "directory": "store/staging"}}, "store"),
    "staging-is-store": ({"staging": {"type": "file", "directory": "store"}}, "store"),
})
def wrong_configuration_is_refused_by_the_name_of_what_is_wrong(root, config, name):
    root.configure(**config)
    _, error = root.run("image-list", status=USAGE)
    contains(error, name)


@cases({"no-json": ("{",), "array": ("[]",), "empty": ("",), "duplicate": ('{"workers": 1, "workers": 2}',),
        "trailing": ("{} {}",), "deep": ("[" * 100000,)})
def text_that_is_no_configuration_is_refused(root, text):
    os.makedirs(root.path, 0o700)
    with open(os.path.join(root.path, "imgimport.json"), "w", encoding="ascii") as file:
        file.write(text)
    root.run("image-list", status=USAGE)


@test
def configuration_with_a_nul_is_refused(root):
    os.makedirs(root.path, 0o700)
    with open(os.path.join(root.path, "imgimport.json"), "wb") as file:
        file.write(b'{"workers": 1}\0{"workers": 2}')
    root.run("image-list", status=USAGE)


@test
def root_that_is_read_only_is_told_from_one_that_is_not_there(root):
    root.run("image-list")
    read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    unshare = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if shutil.which("unshare") is None or subprocess.run(
            [*unshare, read_only, root.path, "true"], capture_output=True, check=False).returncode:
        raise Skip("nothing can be mounted")
    for arguments in (["image-list"], ["image-create"], ["stores-info"]):
        done = subprocess.run([*unshare, read_only, root.path, *root.command(*arguments)],
                              capture_output=True, check=False)
        equal(done.returncode, FORBIDDEN, done.stderr.decode())


@test
def configuration_of_another_place_is_read(root):
    path = root.file("other.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump({"methods": []}, file)
    equal(root.json("--config", path, "import-info")["import-methods"]["value"], [])
    root.run("--config", root.file("missing.json"), "image-list", status=NOT_FOUND)


@cases({"readable": (0o755,), "group": (0o750,), "writable": (0o777,), "sticky": (0o1777,)})
def root_that_is_not_ours_alone_is_refused(root, mode):
    root.configure()
    os.chmod(root.path, mode)
    error = root.refused(FORBIDDEN, "directory-not-private", "image-list")
    contains(error, root.path)


@test
def root_that_is_a_link_is_refused(root):
    os.mkdir(root.file("real"), 0o700)
    os.symlink(root.file("real"), root.path)
    root.refused(FORBIDDEN, "directory-not-private", "image-list")
    equal(os.listdir(root.file("real")), [])


@test
def staging_that_others_can_write_is_refused(root):
    """Security 76."""
    root.run("image-list")
    os.chmod(os.path.join(root.path, "staging"), 0o777)
    root.refused(FORBIDDEN, "directory-not-private", "image-list")


@cases({"none": (0,), "all": (0o777,)})
def files_are_private_whatever_the_umask(root, umask):
    """Security 76."""
    path = root.write("disk.raw", b"x" * 4096)
    root.configure()
    created, _ = root.run("--format", "json", "image-create", "--disk-format", "raw",
                          "--container-format", "bare", umask=umask)
    root.run("image-stage", json.loads(created)["id"], "--file", path, umask=umask)
    for folder, _, files in os.walk(root.path):
        equal(os.stat(folder).st_mode & 0o777, 0o700, folder)
        for name in files:
            if name != "imgimport.json":
                equal(os.stat(os.path.join(folder, name)).st_mode & 0o477, 0o400, name)


@cases({
    "no-command": ([],),
    "unknown-command": (["image-fly"],),
    "unknown-option": (["image-list", "--fly"],),
    "missing-argument": (["image-show"],),
    "too-many": (["image-show", "a", "b"],),
    "bad-format": (["--format", "xml", "image-list"],),
    "bad-limit": (["image-list", "--limit", "0"],),
    "big-limit": (["image-list", "--limit", "1001"],),
    "no-number": (["image-list", "--limit", "many"],),
    "bad-status": (["image-list", "--status", "flying"],),
    "empty-root": (["--root", "", "image-list"],),
    "bad-size": (["image-stage", "00000000-0000-4000-8000-000000000000", "--size", "-1"],),
    "user-without-project": (["--user", "u", "image-list"],),
    "bad-disk-format": (["image-create", "--disk-format", "floppy"],),
    "bad-id": (["image-create", "--id", "../x"],),
})
def wrong_command_line_is_a_usage_error(root, arguments):
    _, error = root.run(*arguments, status=USAGE)
    contains(error, "imgimport: ")


@test
def help_and_version_need_no_root(root):
    for arguments in (["--help"], ["--version"], ["image-stage", "--help"], ["lifecycle"]):
        output, _ = root.run(*arguments, status=DONE)
        equal(output != "", True)
    equal(os.path.exists(os.path.join(root.path, "catalog.db")), False)


@test
def what_is_not_there_is_not_found(root):
    unknown = "00000000-0000-4000-8000-000000000000"
    for command in ("image-show", "image-import", "image-download", "image-tasks"):
        root.run(command, unknown, status=NOT_FOUND, input=b"")
    root.run("image-stage", unknown, status=NOT_FOUND, input=b"x")
    root.run("image-delete", unknown, status=NOT_FOUND)
    root.run("image-show", "../../etc/passwd", status=NOT_FOUND)
    root.run("image-stage", root.create(), "--file", root.file("missing"), status=NOT_FOUND)


@test
def protected_image_is_not_deleted(root):
    image = root.create("raw", "--protected", "true")
    root.refused(FORBIDDEN, "protected", "image-delete", image)
    root.assert_clean(image, "queued")


@test
def images_of_others_cannot_be_seen_or_changed(root):
    """Security 69."""
    path = root.write("disk.raw", b"x" * 4096)
    alice, bob = ("--project", "alice"), ("--project", "bob")
    image = root.json(*alice, "image-create", "--disk-format", "raw", "--container-format",
                      "bare")["id"]
    for arguments in (("image-show", image), ("image-stage", image, "--file", path),
                      ("image-import", image), ("image-delete", image), ("image-tasks", image)):
        root.run(*bob, *arguments, status=NOT_FOUND)
    equal(root.json(*bob, "image-list"), [])
    equal(len(root.json(*alice, "image-list")), 1)


@test
def pages_of_a_list_follow_one_another(root):
    images = [root.create("raw", "--name", f"n{i}") for i in range(5)]
    first = root.json("image-list", "--limit", "2")
    second = root.json("image-list", "--limit", "2", "--marker", first[-1]["id"])
    third = root.json("image-list", "--limit", "2", "--marker", second[-1]["id"])
    equal([len(first), len(second), len(third)], [2, 2, 1])
    found = [one["id"] for one in first + second + third]
    equal(sorted(found), sorted(images))
    equal(root.json("image-list", "--limit", "2", "--marker", third[-1]["id"]), [])
    equal([one["id"] for one in root.json("image-list", "--name", "n3")], [images[3]])
    root.refused(USAGE, "marker-unknown", "image-list", "--marker",
                 "00000000-0000-4000-8000-000000000000")


@test
def every_command_that_promises_json_prints_json(root):
    image = root.staged(root.write("disk.raw", b"x" * 4096))
    for arguments in (["image-list"], ["image-show", image], ["image-tasks", image],
                      ["import-info"], ["stores-info"], ["lifecycle"], ["image-import", image],
                      ["image-create"]):
        equal(type(root.json(*arguments)) in (dict, list), True, arguments[0])


if __name__ == "__main__":
    main()
