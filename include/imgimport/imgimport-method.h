/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-call.h>

G_BEGIN_DECLS

/**
 * ImgImportMethodVTable: (skip)
 *
 * What an import method implements: where the bytes come from. The rules of #ImgImportStoreVTable
 * for `self`, threads, errors and `struct_size` hold.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* The status an image must have for this method (Glance rows F046 to F048):
   * IMGIMPORT_STATUS_QUEUED or IMGIMPORT_STATUS_UPLOADING. */
  guint32 required_status;

  /* Optional. Looks at the request when it is made, before a job exists; no I/O. `request` is the
   * whole request as JSON, read and found well-formed. */
  gboolean (*check) (gpointer self, const char *request, GError **error);

  /* Worker thread. Either sets `*stream` and, where known, `*size`, or calls
   * imgimport_call_use_staged() and leaves both alone. May be called again for the same job after
   * a failure or crash. */
  gboolean (*open) (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
                    GCancellable *cancellable, GError **error);

  /* Worker thread; mandatory where open sets a stream. Fills `buffer` with up to `length` bytes;
   * `*n_read` is 0 only at the end. Fewer or more bytes in all than the size that open told is a
   * failure of the import. */
  gboolean (*read) (gpointer self, gpointer stream, void *buffer, gsize length, gsize *n_read,
                    GCancellable *cancellable, GError **error);

  /* Frees the stream; mandatory where open sets one. Exactly once for each successful open. */
  void (*close) (gpointer self, gpointer stream);
} ImgImportMethodVTable;

#define IMGIMPORT_METHOD_VTABLE_INIT .struct_size = sizeof (ImgImportMethodVTable)

G_END_DECLS
