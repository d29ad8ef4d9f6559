/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Packed bytes, made by the tools that everybody has, and sources that hand them out. */

#include "unpack/unpack-private.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

/* What `argv` makes of `bytes`, or of nothing; NULL, and the test is skipped, without the tool. By
 * files, and not GSubprocess, whose thread ThreadSanitizer cannot follow into GLib. */
static inline GBytes *
pack (const char *const *argv, GBytes *bytes)
{
  static const char *const redirect[] = { "sh", "-c", "exec \"$@\" <in >out", "sh", NULL };
  g_autofree char *program = g_find_program_in_path (argv[0]);
  g_autofree char *why = g_strdup_printf ("there is no %s", argv[0]);
  g_autofree char *dir = NULL, *in = NULL, *out = NULL, *packed = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) command = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  int status = -1;

  if (program == NULL)
    {
      g_test_skip (why);
      return NULL;
    }
  dir = g_dir_make_tmp ("imgimport-XXXXXX", &error);
  g_assert_no_error (error);
  in = g_build_filename (dir, "in", NULL);
  out = g_build_filename (dir, "out", NULL);
  g_file_set_contents (in, bytes != NULL ? g_bytes_get_data (bytes, NULL) : "",
                       bytes != NULL ? (gssize)g_bytes_get_size (bytes) : 0, &error);
  g_assert_no_error (error);
  g_strv_builder_addv (builder, (const char **)redirect);
  g_strv_builder_addv (builder, (const char **)argv);
  command = g_strv_builder_end (builder);
  g_spawn_sync (dir, command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_file_get_contents (out, &packed, &length, &error);
  g_assert_no_error (error);
  g_assert_true (g_unlink (in) == 0 && g_unlink (out) == 0 && g_rmdir (dir) == 0);
  return g_bytes_new_take (g_steal_pointer (&packed), length);
}

/* Repeats itself enough to be packed, and not so much that a flipped bit is not missed. */
static inline GBytes *
make_payload (gsize length)
{
  guint8 *data = g_malloc (length);
  guint32 state = 1;
  gsize i;

  for (i = 0; i < length; i++)
    {
      state = state * 1664525 + 1013904223;
      data[i] = (guint8)("0123456789abcdef"[state >> 28]);
    }
  return g_bytes_new_take (data, length);
}

static inline GBytes *
make_zeros (gsize length)
{
  return g_bytes_new_take (g_malloc0 (length), length);
}

static inline GBytes *
join (GBytes *first, GBytes *second)
{
  GByteArray *array = g_byte_array_new ();

  g_byte_array_append (array, g_bytes_get_data (first, NULL), (guint)g_bytes_get_size (first));
  g_byte_array_append (array, g_bytes_get_data (second, NULL), (guint)g_bytes_get_size (second));
  return g_byte_array_free_to_bytes (array);
}

static inline GBytes *
flip (GBytes *bytes, gsize at)
{
  gsize length = g_bytes_get_size (bytes);
  guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), length);

  data[at] ^= 0x10;
  return g_bytes_new_take (data, length);
}

/* ---- a source -------------------------------------------------------------------------------- */

typedef struct
{
  GBytes *bytes;
  gsize at;
  gsize chunk;
  guint n_reads;
  guint fail_read; /* this one; 0: none */
} Source;

static inline gboolean
source_read (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
             GError **error)
{
  Source *self = source;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (++self->n_reads == self->fail_read)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "connection-lost", "it hung up");
      return FALSE;
    }
  *n_read = MIN (MIN (length, self->chunk), g_bytes_get_size (self->bytes) - self->at);
  if (*n_read > 0)
    memcpy (buffer, (const guint8 *)g_bytes_get_data (self->bytes, NULL) + self->at, *n_read);
  self->at += *n_read;
  return TRUE;
}

/* All that comes out; NULL on failure. */
static inline GBytes *
unpack_from (Source *source, const ImgImportUnpackLimits *limits, GError **error)
{
  ImgImportPacking packing =
      _imgimport_packing_recognise (g_bytes_get_data (source->bytes, NULL),
                                    MIN (g_bytes_get_size (source->bytes), IMGIMPORT_PACKING_HEAD));
  g_autoptr (GByteArray) output = g_byte_array_new ();
  g_autoptr (ImgImportUnpacker) unpacker = NULL;
  guint8 buffer[65536];
  gsize n_read = 1;

  g_assert_cmpint ((int)packing, !=, (int)IMGIMPORT_PACKING_NONE);
  unpacker = _imgimport_unpacker_new (packing, limits, source_read, source);
  while (n_read > 0)
    {
      if (!_imgimport_unpacker_read (unpacker, buffer, sizeof buffer, &n_read, NULL, error))
        return NULL;
      g_byte_array_append (output, buffer, (guint)n_read);
    }
  g_assert_cmpuint (source->at, ==, g_bytes_get_size (source->bytes));
  return g_byte_array_free_to_bytes (g_steal_pointer (&output));
}

/* Fed byte by byte and all at once: `bytes` unless `reason` is given. */
static inline void
assert_unpacks (GBytes *packed, const ImgImportUnpackLimits *limits, GBytes *bytes,
                const char *reason)
{
  static const gsize chunks[] = { 1, 1024 * 1024 };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      Source source = { packed, 0, chunks[i], 0, 0 };
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) output = unpack_from (&source, limits, &error);

      if (g_strcmp0 (error != NULL ? imgimport_error_get_reason (error) : NULL, reason) != 0)
        g_error ("fed by %" G_GSIZE_FORMAT ": “%s” (%s) and not %s", chunks[i],
                 error != NULL ? error->message : "no error",
                 error != NULL ? imgimport_error_get_reason (error) : "success",
                 reason != NULL ? reason : "success");
      if (reason == NULL)
        g_assert_true (g_bytes_equal (output, bytes));
    }
}
