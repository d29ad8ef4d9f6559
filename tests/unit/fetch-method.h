/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A method that streams what the test says, two bytes at a time. */

#include <imgimport/imgimport-method.h>

typedef struct
{
  const char *bytes;
  guint64 told; /* the size that open tells */
} FetchMethod;

static inline gboolean
fetch_open (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
            GCancellable *cancellable, GError **error)
{
  const FetchMethod *method = self;

  *stream = g_memory_input_stream_new_from_data (method->bytes, -1, NULL);
  *size = method->told;
  return TRUE;
}

static inline gboolean
fetch_read (gpointer self, gpointer stream, void *buffer, gsize length, gsize *n_read,
            GCancellable *cancellable, GError **error)
{
  return g_input_stream_read_all (stream, buffer, MIN (length, 2), n_read, cancellable, error);
}

static inline void
fetch_close (gpointer self, gpointer stream)
{
  g_object_unref (stream);
}

static const ImgImportMethodVTable fetch_method = { IMGIMPORT_METHOD_VTABLE_INIT,
                                                    .required_status = IMGIMPORT_STATUS_QUEUED,
                                                    .open = fetch_open, .read = fetch_read,
                                                    .close = fetch_close };
