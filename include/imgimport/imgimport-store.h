/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-error.h>

G_BEGIN_DECLS

/**
 * ImgImportAdoption:
 * @IMGIMPORT_ADOPTED_BY_LINK: the object is a further name of the same inode
 * @IMGIMPORT_ADOPTED_BY_REFLINK: the object shares extents, copied on write
 * @IMGIMPORT_ADOPTED_BY_COPY: the kernel copied the bytes
 *
 * How a store took an object over without the bytes passing through the library.
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_ADOPTED_BY_LINK = 0,
  IMGIMPORT_ADOPTED_BY_REFLINK = 1,
  IMGIMPORT_ADOPTED_BY_COPY = 2
} ImgImportAdoption;

/**
 * ImgImportStoreVTable: (skip)
 *
 * What a store implements. A store keeps *objects*: keyed blobs, invisible until committed and
 * immutable afterwards. The same table serves target stores and staging.
 *
 * `struct_size` comes first and is `sizeof (ImgImportStoreVTable)` as the plug-in was compiled;
 * slots are only ever appended, and registration copies the table. Slots not marked optional are
 * mandatory.
 *
 * Rules for every slot:
 * - `self` is the `user_data` of the registration. Slots are called from any thread, several at a
 *   time, but never two at a time with the same writer or the same reader.
 * - A slot that fails returns %FALSE and sets `error`, see imgimport_error_set().
 * - `key` is an object's name: 1 to 128 characters out of `A-Z a-z 0-9 . _ -`, not beginning with
 *   a dot. The library never uses a key twice, but a store must not rely on it.
 * - Sizes and offsets are bytes. A %NULL `cancellable` is possible; a slot that may take longer
 *   than 250 ms checks it.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* Begins a new object. `expected` is its size, or IMGIMPORT_SIZE_UNKNOWN: a hint, not a promise.
   * Fails with IMGIMPORT_ERROR_EXISTS where the key is taken, by a committed object or by one that
   * is being written. `*writer` is non-NULL and lives until commit or abort, of which exactly one
   * is called. */
  gboolean (*begin) (gpointer self, const char *key, guint64 expected, gpointer *writer,
                     GCancellable *cancellable, GError **error);

  /* Writes all of `data` at `offset`. Offsets ascend and never overlap; a gap reads as zeros. After
   * a failure only abort follows. */
  gboolean (*write) (gpointer self, gpointer writer, guint64 offset, const void *data,
                     gsize length, GCancellable *cancellable, GError **error);

  /* Makes the object visible with exactly `size` bytes (a gap at the end reads as zeros), as
   * durably as the store promises, and frees the writer, also on failure, in which case nothing is
   * left of the object. `*version` is an opaque token that changes whenever the object does,
   * allocated by imgimport_strdup(). */
  gboolean (*commit) (gpointer self, gpointer writer, guint64 size, char **version,
                      GCancellable *cancellable, GError **error);

  /* Forgets the object and frees the writer. Cannot fail. */
  void (*abort) (gpointer self, gpointer writer);

  /* Opens a committed object; IMGIMPORT_ERROR_NOT_FOUND where there is none. `*reader` is non-NULL
   * and stays readable until close, even if the object is removed meanwhile. */
  gboolean (*open) (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
                    GError **error);

  /* Reads up to `length` bytes at `offset`. `*n_read` is 0 only at or after the end. */
  gboolean (*read) (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
                    gsize *n_read, GCancellable *cancellable, GError **error);

  /* Frees the reader. Cannot fail. */
  void (*close) (gpointer self, gpointer reader);

  /* Answers size and version of a committed object; either pointer may be NULL.
   * IMGIMPORT_ERROR_NOT_FOUND where there is none. */
  gboolean (*stat) (gpointer self, const char *key, guint64 *size, char **version,
                    GCancellable *cancellable, GError **error);

  /* Removes an object, committed or left half-written by a dead process, after which its key is
   * free. A writer that is alive all the same can then only fail to commit.
   * IMGIMPORT_ERROR_NOT_FOUND where there is none. */
  gboolean (*remove) (gpointer self, const char *key, GCancellable *cancellable, GError **error);

  /* Optional. A descriptor of the object's bytes for an open reader, borrowed and only read from;
   * -1 where there is none. */
  int (*local_fd) (gpointer self, gpointer reader);

  /* Optional. Makes an object out of `fd`, a sealed regular file of `size` bytes that nobody writes
   * to any more: by link (only while the inode has no other name but its first), else by reflink,
   * else by a copy within the kernel. `*adoption` is on entry the costliest way that may be taken,
   * on success the one that was. The position of `fd` may move; a file of another size than `size`
   * is refused with IMGIMPORT_ERROR_CORRUPT. IMGIMPORT_ERROR_NOT_SUPPORTED, saying why, where the
   * store can do none of these with this descriptor: the library then copies. */
  gboolean (*adopt) (gpointer self, const char *key, int fd, guint64 size, char **version,
                     ImgImportAdoption *adoption, GCancellable *cancellable, GError **error);

  /* Optional. The data at or after `offset`: from `*start`, before which all reads as zeros and
   * need not be read, to `*end`, where something else begins. Both are the object's size where no
   * data follows. `*end` is IMGIMPORT_SIZE_UNKNOWN where the store does not know. */
  gboolean (*next_extent) (gpointer self, gpointer reader, guint64 offset, guint64 *start,
                           guint64 *end, GCancellable *cancellable, GError **error);
} ImgImportStoreVTable;

#define IMGIMPORT_STORE_VTABLE_INIT .struct_size = sizeof (ImgImportStoreVTable)

G_END_DECLS
