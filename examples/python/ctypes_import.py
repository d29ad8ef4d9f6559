#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libimgimport from Python with nothing but ctypes: `ctypes_import.py DIRECTORY FILE`.

Imports FILE twice: into the embedded default store, which keeps it below DIRECTORY, and into a
store that is written in Python, further down. No other library is loaded, not even GLib.
$IMGIMPORT_LIBRARY is the library to load, libimgimport.so.0 if it is not set.

What any foreign language has to see to:
- Every function is declared (argtypes, restype). Otherwise ctypes cuts pointers off to an int.
- A string handed over (`char *`) is freed by imgimport_free(), an object by imgimport_unref().
- A function given to the library must live as long as the library may call it. It is Python's
  garbage collector that would free it, so a reference is kept until `destroy` was called.
- An exception cannot cross C: it becomes an error of the library, by imgimport_error_set().
"""

import ctypes
import hashlib
import json
import os
import sys
import tempfile
import threading
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_size_t, c_uint64, c_void_p

SIZE_UNKNOWN = 2**64 - 1
ERROR_FAILED, ERROR_NOT_FOUND, ERROR_EXISTS = 0, 3, 4

Error = POINTER(c_void_p)  # GError **
PROTOTYPES = {
    "imgimport_free": (None, c_void_p),
    "imgimport_unref": (None, c_void_p),
    "imgimport_strdup": (c_void_p, c_char_p),
    "imgimport_error_get_message": (c_char_p, c_void_p),
    "imgimport_error_get_reason": (c_char_p, c_void_p),
    "imgimport_error_free": (None, c_void_p),
    "imgimport_error_set": (None, Error, c_int, c_char_p, c_char_p),
    "imgimport_service_new": (c_void_p, c_char_p, c_char_p, Error),
    "imgimport_service_add_store":
        (c_int, c_void_p, c_char_p, c_void_p, c_void_p, c_void_p, Error),
    "imgimport_service_start": (c_int, c_void_p, c_void_p, Error),
    "imgimport_service_close": (c_int, c_void_p, c_void_p, Error),
    "imgimport_service_create_image": (c_void_p, c_void_p, c_void_p, c_char_p, c_void_p, Error),
    "imgimport_service_stage_fd":
        (c_void_p, c_void_p, c_void_p, c_char_p, c_int, c_uint64, c_void_p, Error),
    "imgimport_service_import_image": (c_void_p, c_void_p, c_void_p, c_char_p, c_char_p, Error),
    "imgimport_service_wait_job": (c_void_p, c_void_p, c_char_p, c_int64, c_void_p, Error),
    "imgimport_service_get_image": (c_void_p, c_void_p, c_void_p, c_char_p, Error),
    "imgimport_service_save_image":
        (c_int, c_void_p, c_void_p, c_char_p, c_int, c_void_p, Error),
    "imgimport_service_delete_image": (c_int, c_void_p, c_void_p, c_char_p, Error),
    "imgimport_job_get_error": (c_int, c_void_p, Error),
    "imgimport_image_to_json": (c_void_p, c_void_p),
}


def load():
    library = ctypes.CDLL(os.environ.get("IMGIMPORT_LIBRARY", "libimgimport.so.0"))
    for name, (result, *arguments) in PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


lib = load()


class ImportFailure(Exception):
    pass


def call(name, *arguments):
    """Calls a function whose last parameter is a GError **, and raises what it sets there."""
    error = c_void_p()
    result = getattr(lib, name)(*arguments, ctypes.byref(error))
    if error.value:
        message = lib.imgimport_error_get_message(error).decode()
        reason = lib.imgimport_error_get_reason(error).decode()
        lib.imgimport_error_free(error)
        raise ImportFailure(f"{message} ({reason})")
    return result


def take_string(pointer):
    text = ctypes.string_at(pointer).decode()
    lib.imgimport_free(pointer)
    return text


def take_record(image):
    """The record of an image as a dictionary; drops the image."""
    record = json.loads(take_string(lib.imgimport_image_to_json(image)))
    lib.imgimport_unref(image)
    return record


# ---- a store in Python ---------------------------------------------------------------------------

# The slots' types, as imgimport-store.h has them. ctypes takes the interpreter's lock before it
# calls a slot: the library calls from threads of its own.
BEGIN = CFUNCTYPE(c_int, c_void_p, c_char_p, c_uint64, POINTER(c_void_p), c_void_p, Error)
WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint64, c_void_p, c_size_t, c_void_p, Error)
COMMIT = CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint64, POINTER(c_void_p), c_void_p, Error)
END = CFUNCTYPE(None, c_void_p, c_void_p)
OPEN = CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(c_void_p), c_void_p, Error)
READ = CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint64, c_void_p, c_size_t, POINTER(c_size_t),
                 c_void_p, Error)
STAT = CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(c_uint64), POINTER(c_void_p), c_void_p, Error)
REMOVE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p, Error)
DESTROY = CFUNCTYPE(None, c_void_p)


class VTable(ctypes.Structure):
    """Ends before the optional slots: struct_size says so, and the library goes by that."""
    _fields_ = [("struct_size", c_size_t), ("begin", BEGIN), ("write", WRITE), ("commit", COMMIT),
                ("abort", END), ("open", OPEN), ("read", READ), ("close", END), ("stat", STAT),
                ("remove", REMOVE)]


class StoreError(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code = code
        self.reason = reason


def slot(method):
    """Makes a method a slot: without `self` and cancellable, and an exception is a GError."""
    def call_method(_, *arguments):
        *arguments, _, error = arguments
        try:
            method(*arguments)
            return 1
        except Exception as exception:  # nothing may pass: there is C above us
            code = getattr(exception, "code", ERROR_FAILED)
            reason = getattr(exception, "reason", "failed")
            lib.imgimport_error_set(error, code, reason.encode(), str(exception).encode())
            return 0
    return call_method


class DictStore:
    """Keeps objects in a dictionary. Writers and readers are numbers, not addresses."""

    def __init__(self):
        self.lock = threading.Lock()
        self.objects = {}  # key: bytes
        self.open_keys = set()
        self.handles = {}  # number: (key, bytearray) of a writer, bytes of a reader
        self.last_handle = 0
        self.vtable = VTable(
            ctypes.sizeof(VTable), BEGIN(slot(self.begin)), WRITE(slot(self.write)),
            COMMIT(slot(self.commit)), END(lambda _, writer: self.end(writer)),
            OPEN(slot(self.open)), READ(slot(self.read)), END(lambda _, reader: self.close(reader)),
            STAT(slot(self.stat)), REMOVE(slot(self.remove)))

    def new_handle(self, thing):
        self.last_handle += 1
        self.handles[self.last_handle] = thing
        return self.last_handle

    def begin(self, key, expected, writer):
        with self.lock:
            if key in self.objects or key in self.open_keys:
                raise StoreError(ERROR_EXISTS, "object-exists", "the key is taken")
            self.open_keys.add(key)
            writer[0] = self.new_handle((key, bytearray()))

    def write(self, writer, offset, data, length):
        content = self.handles[writer][1]
        content.extend(bytes(offset - len(content)))  # a gap reads as zeros
        content.extend(ctypes.string_at(data, length))

    def commit(self, writer, size, version):
        key, content = self.handles[writer]
        content.extend(bytes(size - len(content)))
        with self.lock:
            self.objects[key] = bytes(content)
        self.end(writer)
        # The library frees this: it has to be memory of the library's.
        version[0] = lib.imgimport_strdup(b"1")

    def end(self, writer):
        with self.lock:
            key, _ = self.handles.pop(writer)
            self.open_keys.discard(key)

    def find(self, key):
        try:
            return self.objects[key]
        except KeyError:
            raise StoreError(ERROR_NOT_FOUND, "object-not-found", "no such object") from None

    def open(self, key, reader):
        with self.lock:
            reader[0] = self.new_handle(self.find(key))

    def read(self, reader, offset, buffer, length, n_read):
        part = self.handles[reader][offset:offset + length]
        ctypes.memmove(buffer, part, len(part))
        n_read[0] = len(part)

    def close(self, reader):
        with self.lock:
            del self.handles[reader]

    def stat(self, key, size, version):
        with self.lock:
            content = self.find(key)
        if size:  # either pointer may be NULL
            size[0] = len(content)
        if version:
            version[0] = lib.imgimport_strdup(b"1")

    def remove(self, key):
        with self.lock:
            self.find(key)
            del self.objects[key]


# The stores that the library may still call, by the number that is their `user_data`. Without this
# the garbage collector would free the functions of a store nobody in Python refers to any more.
stores_in_use = {}


@DESTROY
def forget_store(number):
    del stores_in_use[number]


# ---- a host --------------------------------------------------------------------------------------

class Service:
    """Closed at the end of a `with` block: the library has threads that call into Python."""

    def __init__(self, directory, stores=None):
        self.pointer = call("imgimport_service_new", directory.encode(), None)
        try:
            for name, store in (stores or {}).items():
                self.add_store(name, store)
            call("imgimport_service_start", self.pointer, None)
        except ImportFailure:
            lib.imgimport_unref(self.pointer)
            raise

    def add_store(self, name, store):
        number = max(stores_in_use, default=0) + 1
        stores_in_use[number] = store
        call("imgimport_service_add_store", self.pointer, name.encode(),
             ctypes.byref(store.vtable), number, forget_store)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        lib.imgimport_service_close(self.pointer, None, None)
        lib.imgimport_unref(self.pointer)

    def import_file(self, path, request):
        """Create a record, send the bytes, import, wait. Answers the record."""
        attributes = {"name": os.path.basename(path), "disk_format": "qcow2",
                      "container_format": "bare"}
        record = take_record(call("imgimport_service_create_image", self.pointer, None,
                                  json.dumps(attributes).encode(), None))
        image_id = record["id"].encode()
        with open(path, "rb") as file:
            take_record(call("imgimport_service_stage_fd", self.pointer, None, image_id,
                             file.fileno(), SIZE_UNKNOWN, None))
        job_id = take_string(call("imgimport_service_import_image", self.pointer, None, image_id,
                                  json.dumps(request).encode()))
        job = call("imgimport_service_wait_job", self.pointer, job_id.encode(), -1, None)
        try:
            call("imgimport_job_get_error", job)
        finally:
            lib.imgimport_unref(job)
        return take_record(call("imgimport_service_get_image", self.pointer, None, image_id))

    def read_back(self, record):
        with tempfile.TemporaryFile() as file:
            call("imgimport_service_save_image", self.pointer, None, record["id"].encode(),
                 file.fileno(), None)
            file.seek(0)
            return file.read()

    def delete(self, record):
        call("imgimport_service_delete_image", self.pointer, None, record["id"].encode())


def import_and_compare(service, path, store):
    request = {"method": {"name": "glance-direct"}, "stores": [store]}
    record = service.import_file(path, request)
    with open(path, "rb") as file:
        same = service.read_back(record) == file.read()
    print(f"{store}: {record['status']}, {record['size']} bytes, "
          f"{'read back the same' if same else 'READ BACK OTHER BYTES'}")
    return record if same else None


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: ctypes_import.py DIRECTORY FILE")
    directory, path = sys.argv[1:]
    store = DictStore()
    try:
        with Service(directory, {"python": store}) as service:
            kept = import_and_compare(service, path, "local")
            mine = import_and_compare(service, path, "python")
            if kept is None or mine is None:
                return 1
            for content in store.objects.values():
                print("python holds an object with SHA-512", hashlib.sha512(content).hexdigest())
            # This store ends with the process: the record must not outlive it.
            service.delete(mine)
            print(f"python holds {len(store.objects)} objects after the deletion")
    except ImportFailure as failure:
        sys.exit(str(failure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
