#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libimgimport from Python through GObject introspection: `gi_import.py DIRECTORY FILE`.

Imports a qcow2 FILE into DIRECTORY, waits for it in a GLib main loop, and reads it back. Memory
and errors are PyGObject's affair: objects are dropped with their last reference, and a failure is
an exception. Needs the typelib ImgImport-1, which the library installs, and python3-gi.
"""

import json
import os
import sys

import gi

gi.require_version("ImgImport", "1")
from gi.repository import Gio, GLib, ImgImport  # noqa: E402 (after the version was chosen)

SIZE_UNKNOWN = GLib.MAXUINT64


def wait_for_job(service, job_id):
    """Waits without blocking the main loop; a program with a window would just return to it."""
    loop = GLib.MainLoop()
    answers = []

    def on_finished(source, result):
        answers.append(result)
        loop.quit()

    service.wait_job_async(job_id, None, on_finished)
    loop.run()
    job = service.wait_job_finish(answers[0])
    job.get_error()  # raises what made the import fail
    return job


def import_file(service, path):
    attributes = {"name": os.path.basename(path), "disk_format": "qcow2", "container_format": "bare"}
    image, _ = service.create_image(None, json.dumps(attributes))
    with open(path, "rb") as file:
        upload = service.stage_begin(None, image.get_id(), os.path.getsize(path))
        while block := file.read(1024 * 1024):
            upload.write(GLib.Bytes.new(block), None)
        upload.commit(None)
    wait_for_job(service, service.import_image(None, image.get_id(), None))
    return service.get_image(None, image.get_id())


def read_back(service, image):
    stream = service.read_image(None, image.get_id(), 0, SIZE_UNKNOWN)
    output = Gio.MemoryOutputStream.new_resizable()
    output.splice(stream, Gio.OutputStreamSpliceFlags.CLOSE_TARGET, None)
    return output.steal_as_bytes().get_data()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: gi_import.py DIRECTORY FILE")
    directory, path = sys.argv[1:]
    try:
        service = ImgImport.Service.open(directory, None)
        events = service.subscribe(None)
        image = import_file(service, path)
        with open(path, "rb") as file:
            same = read_back(service, image) == file.read()
        while event := events.next():
            if event.get_kind() == ImgImport.EventKind.IMAGE:
                print("event: the image became", event.get_status())
        status = ImgImport.status_to_string(image.get_status())
        print(f"{image.get_id()} is {status}, {image.get_size()} bytes, "
              f"{'read back the same' if same else 'READ BACK OTHER BYTES'}")
        service.close(None)
    except GLib.Error as error:
        sys.exit(error.message)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
