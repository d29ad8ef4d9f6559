/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-call.h>

G_BEGIN_DECLS

/**
 * IMGIMPORT_UPSTREAM_PEEK_MAX:
 *
 * How many bytes imgimport_upstream_peek() can be asked for.
 *
 * Since: 0.1
 */
#define IMGIMPORT_UPSTREAM_PEEK_MAX 65536

/**
 * ImgImportUpstream: (skip)
 *
 * The bytes that a hook's filter reads: those of the method, or what filters before it made of
 * them. Borrowed: valid until the filter is closed. To be used on the thread that calls the slots,
 * while a slot runs.
 *
 * Since: 0.1
 */
typedef struct _ImgImportUpstream ImgImportUpstream;

/**
 * imgimport_upstream_peek: (skip)
 * @self: the upstream
 * @length: how many bytes, at most %IMGIMPORT_UPSTREAM_PEEK_MAX
 * @data: (out) (transfer none): the next bytes, valid until the next call with @self
 * @n_peeked: (out): how many of them are there: fewer than @length only before the end
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * Looks at the next bytes without taking them.
 *
 * Returns: %FALSE where the bytes cannot be had; the error is to be handed on
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_upstream_peek (ImgImportUpstream *self, gsize length, const guint8 **data,
                                  gsize *n_peeked, GCancellable *cancellable, GError **error);

/**
 * imgimport_upstream_read: (skip)
 * @self: the upstream
 * @buffer: where the bytes go
 * @length: its size, at least 1
 * @n_read: (out): how many bytes were read: 0 only at the end
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * Takes the next bytes; there may be fewer than @length at any time.
 *
 * Returns: %FALSE where the bytes cannot be had; the error is to be handed on
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_upstream_read (ImgImportUpstream *self, void *buffer, gsize length,
                                  gsize *n_read, GCancellable *cancellable, GError **error);

/**
 * ImgImportHookVTable: (skip)
 *
 * What an operator's hook implements: work that is done on every import, in the order of the
 * configuration, before the verdict on the image's format and before any byte is delivered. A hook
 * that fails fails the import. It has a `metadata` slot, the slots of a filter (`open`, `read` and
 * `close`), or both. The rules of #ImgImportStoreVTable for `self`, threads, errors and
 * `struct_size` hold.
 *
 * Filters are one pass over the bytes, each reading what the one before it answers, and come before
 * any `metadata`. What the last one answers is the image: limits, inspection, digests and the
 * verdict are of these bytes. An import that has to be repeated begins again with the bytes that
 * were staged, so a filter has no side effects. An error with the code %IMGIMPORT_ERROR_CORRUPT
 * says that the bytes are to blame: they are not kept for another try.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* Optional. Called once, before the service starts, with the `options` of the hook's entry in
   * the configuration as JSON ("{}" where it has none). A message about a wrong option names its
   * path beginning at the options, such as "inject/os_distro", and has the code
   * IMGIMPORT_ERROR_INVALID_ARGUMENT. Without this slot any option is refused. */
  gboolean (*configure) (gpointer self, const char *options, GError **error);

  /* Worker thread. Sees the record and may set properties through `call`. May be called again for
   * the same job after a crash. */
  gboolean (*metadata) (gpointer self, ImgImportCall *call, GCancellable *cancellable,
                        GError **error);

  /* Worker thread. Looks at the image and at the head of its bytes. Either sets `*filter`, or
   * leaves it %NULL, where it has nothing to do with these bytes, and has read none; it may have
   * peeked. `call` is valid until this returns; properties cannot be set through it. */
  gboolean (*open) (gpointer self, ImgImportCall *call, ImgImportUpstream *upstream,
                    gpointer *filter, GCancellable *cancellable, GError **error);

  /* Worker thread; mandatory where there is open. Fills `buffer` with up to `length` bytes;
   * `*n_read` is 0 only at the end, which comes after the end of the upstream: what the filter does
   * not read is missing in no digest or count of what was supplied, and an import whose filter
   * leaves bytes unread fails. After a failure only close follows. */
  gboolean (*read) (gpointer self, gpointer filter, void *buffer, gsize length, gsize *n_read,
                    GCancellable *cancellable, GError **error);

  /* Frees the filter; mandatory where there is open. Exactly once for each filter. */
  void (*close) (gpointer self, gpointer filter);
} ImgImportHookVTable;

#define IMGIMPORT_HOOK_VTABLE_INIT .struct_size = sizeof (ImgImportHookVTable)

G_END_DECLS
