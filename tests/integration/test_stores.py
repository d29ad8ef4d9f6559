# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several stores, stores that fail, and what the configuration and discovery say of them."""

import os
import shutil
import stat
import subprocess
import tempfile

from harness import (CONFLICT, DONE, FORBIDDEN, NO_ROOM, NOT_FOUND, REFUSED, Skip, TEMPORARY, USAGE, contains,
                     equal, main, sha512, test)

MIB = 1 << 20
TWO = [{"id": "one", "type": "file", "directory": "one", "description": "the first"},
       {"id": "two", "type": "file", "directory": "two"}]


def raw_image(root, size=2 * MIB):
    return root.write("disk.raw", os.urandom(size))


def stores_of(record):
    return sorted(record["stores"].split(",")) if record.get("stores") else []


def ways(job):
    return {one["store"]: one["way"] for one in job["deliveries"]}


@test
def every_store_gets_a_copy(root):
    root.configure(stores=TWO)
    path = raw_image(root)
    image = root.active(path, "raw", "--all-stores", "true")
    equal(stores_of(root.show(image)), ["one", "two"])
    equal(ways(root.jobs(image)[0])["one"], "link")
    for store in ("one", "two"):
        equal([sha512(os.path.join(root.path, store, name)) for name in root.files(store)],
              [sha512(path)])
        name = os.path.join(root.path, store, root.files(store)[0])
        equal(stat.S_IMODE(os.stat(name).st_mode), 0o400, "mode of a stored file")
    copies = {os.stat(os.path.join(root.path, store, root.files(store)[0])).st_ino
              for store in ("one", "two")}
    equal(len(copies), 2, "inodes")
    root.run("image-delete", image)
    equal(root.files("one") + root.files("two") + root.files("staging"), [])


@test
def chosen_store_gets_the_only_copy(root):
    root.configure(stores=TWO, default_store="two")
    path = raw_image(root)
    equal(stores_of(root.show(root.active(path))), ["two"])
    equal(stores_of(root.show(root.active(path, "raw", "--store", "one"))), ["one"])
    equal(stores_of(root.show(root.active(path, "raw", "--stores", "two,one"))), ["one", "two"])


@test
def store_on_another_file_system_gets_a_copy(root):
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(root.work).st_dev:
        raise Skip("there is no other file system")
    other = tempfile.mkdtemp(dir="/dev/shm")
    try:
        root.configure(stores=[TWO[0], {"id": "far", "type": "file", "directory": other}])
        path = raw_image(root)
        image = root.active(path, "raw", "--all-stores", "true")
        equal(stores_of(root.show(image)), ["far", "one"])
        found = ways(root.jobs(image)[0])
        equal(found["one"], "link")
        equal(found["far"] in ("copy", "stream"), True, "way to another file system")
        equal([sha512(os.path.join(other, name)) for name in os.listdir(other)], [sha512(path)])
        root.run("image-delete", image)
        equal(os.listdir(other), [])
    finally:
        shutil.rmtree(other)


# ---- stores that fail ----------------------------------------------------------------------------

def full_store(root):
    """A directory on a file system that has no room."""
    path = root.file("full")
    os.mkdir(path, 0o700)
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", path],
            capture_output=True, check=False).returncode != 0:
        raise Skip("no tiny file system can be mounted")
    return path


def with_full_store(function):
    def run(root):
        path = full_store(root)
        root.configure(stores=[TWO[0], {"id": "full", "type": "file", "directory": path}])
        try:
            function(root, path)
        finally:
            subprocess.run(["umount", path], check=True)
    run.__name__ = function.__name__
    return test(run)


@with_full_store
def full_store_ends_the_import_and_the_staged_bytes_stay(root, path):
    """Glance: “importing” for ever, and a retry is refused."""
    image = root.staged(raw_image(root))
    root.run("image-import", image, "--all-stores", "true", "--allow-failure", "false",
             status=NO_ROOM)
    record = root.show(image)
    equal((record["status"], record["stage"]["state"]), ("uploading", "sealed"))
    equal(record["os_glance_failed_import"], "full")
    equal(record.get("os_glance_importing_to_stores", ""), "")
    equal(root.files("one") + os.listdir(path), [])
    equal(len(root.files("staging")), 1)
    root.run("image-import", image, "--store", "one")
    record = root.show(image)
    equal((record["status"], stores_of(record)), ("active", ["one"]))
    equal(root.files("staging"), [])


@with_full_store
def full_store_is_told_where_failure_is_allowed(root, path):
    image = root.staged(raw_image(root))
    _, error = root.run("image-import", image, "--all-stores", "true", "--allow-failure", "true",
                        status=DONE)
    contains(error, "full")
    record = root.show(image)
    equal((record["status"], stores_of(record)), ("active", ["one"]))
    equal(record["os_glance_failed_import"], "full")
    equal(os.listdir(path), [])
    job = root.jobs(image)[0]
    equal((job["status"], len(job["warnings"])), ("success", 1))


@with_full_store
def import_of_which_every_store_fails_can_be_repeated(root, path):
    image = root.staged(raw_image(root))
    root.run("image-import", image, "--stores", "full", "--allow-failure", "true", status=NO_ROOM)
    equal(root.show(image)["status"], "uploading")
    equal(os.listdir(path), [])
    root.run("image-import", image, "--store", "one")
    equal(root.show(image)["status"], "active")


@with_full_store
def staging_that_is_full_leaves_a_queued_image(root, path):
    root.configure(staging={"type": "file", "directory": path})
    image = root.create()
    _, error = root.run("image-stage", image, "--file", raw_image(root), status=NO_ROOM)
    contains(error, "space")
    equal(root.show(image)["status"], "queued")
    equal(os.listdir(path), [])


@test
def store_that_is_no_directory_is_refused_at_start(root):
    os.makedirs(root.path, 0o700)
    with open(os.path.join(root.path, "one"), "wb"):
        pass
    root.configure(stores=TWO)
    error = root.refused(FORBIDDEN, "directory-not-private", "stores-info")
    contains(error, os.path.join(root.path, "one"))


@test
def copy_that_is_gone_is_read_from_another_store(root):
    root.configure(stores=TWO)
    path = raw_image(root)
    image = root.active(path, "raw", "--all-stores", "true")
    os.unlink(os.path.join(root.path, "one", root.files("one")[0]))
    root.run("image-download", image, "--file", root.file("back"))
    equal(sha512(root.file("back")), sha512(path))
    os.unlink(os.path.join(root.path, "two", root.files("two")[0]))
    root.run("image-download", image, "--file", root.file("gone"), status=TEMPORARY)
    equal(os.path.exists(root.file("gone")), False)
    root.run("image-delete", image)


@test
def staged_bytes_that_are_gone_end_the_import_in_queued(root):
    """Glance: “importing” for ever."""
    path = raw_image(root)
    image = root.staged(path)
    os.unlink(os.path.join(root.path, "staging", root.files("staging")[0]))
    _, error = root.run("image-import", image, status=NOT_FOUND)
    contains(error, image)
    root.assert_clean(image, "queued")
    root.stage(image, path)
    root.run("image-import", image)
    root.assert_clean(image, "active", stored=1)


@test
def staged_bytes_that_were_replaced_are_refused(root):
    """Security 50."""
    image = root.staged(raw_image(root))
    name = os.path.join(root.path, "staging", root.files("staging")[0])
    os.unlink(name)
    with open(name, "wb") as file:
        file.write(os.urandom(2 * MIB))
    root.refused(REFUSED, "staging-changed", "image-import", image)
    root.assert_clean(image, "queued")


# ---- refusals and discovery ----------------------------------------------------------------------

@test
def unknown_names_are_refused_and_nothing_changes(root):
    image = root.staged(raw_image(root))
    root.run("image-import", image, "--store", "nowhere", status=USAGE)
    root.run("image-import", image, "--stores", "local,nowhere", status=USAGE)
    root.run("image-import", image, "--import-method", "web-download", status=USAGE)
    root.run("image-import", image, "--import-method", "no-such", status=USAGE)
    root.assert_clean(image, "uploading")
    equal(root.jobs(image), [])


@test
def no_methods_means_none(root):
    root.configure(methods=[])
    equal(root.json("import-info")["import-methods"]["value"], [])
    image = root.create()
    _, error = root.run("image-stage", image, "--file", raw_image(root), status=USAGE)
    contains(error, "glance-direct")
    root.assert_clean(image, "queued")


@test
def discovery_tells_of_stores_and_methods(root):
    root.configure(stores=TWO)
    equal(root.json("import-info")["import-methods"]["value"], ["glance-direct"])
    found = {one["id"]: one for one in root.json("stores-info")["stores"]}
    equal(sorted(found), ["one", "two"])
    equal(found["one"]["default"], "true")
    equal(found["one"]["description"], "the first")
    equal("default" in found["two"], False)


@test
def hook_of_the_configuration_marks_members_images(root):
    """A71: the hook leaves an administrator's images alone."""
    root.configure(hooks=[{"name": "inject-metadata",
                           "options": {"inject": {"origin": "import"},
                                       "ignore_user_roles": ["admin"]}}])
    path = raw_image(root)
    member = ("--project", "p", "--user", "u", "--role", "member")
    image = root.json(*member, "image-create", "--disk-format", "raw", "--container-format",
                      "bare")["id"]
    root.run(*member, "image-stage", image, "--file", path)
    root.run(*member, "image-import", image)
    equal(root.show(image)["origin"], "import")
    equal("origin" in root.show(root.active(path)), False)


@test
def deleting_several_goes_on_after_a_bad_one(root):
    first, second = root.create(), root.create()
    unknown = "00000000-0000-4000-8000-000000000000"
    _, error = root.run("image-delete", first, unknown, second, status=1)
    contains(error, unknown)
    for image in (first, second):
        root.run("image-show", image, status=NOT_FOUND)
    root.refused(CONFLICT, "image-exists", "image-create", "--id", first)


if __name__ == "__main__":
    main()
