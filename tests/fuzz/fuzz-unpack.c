/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The unpacker over any bytes: whatever comes, it ends, within its limits, with an error or with
 * all of the bytes read. */

#include "unpack/unpack-private.h"

#define OUTPUT_MAX ((guint64)1024 * 1024)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct
{
  const guint8 *data;
  gsize left;
  gsize chunk;
} Input;

static gboolean
read_input (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
            GError **error)
{
  Input *self = source;

  *n_read = MIN (MIN (length, self->left), self->chunk);
  if (*n_read > 0)
    memcpy (buffer, self->data, *n_read);
  self->data += *n_read;
  self->left -= *n_read;
  return TRUE;
}

/* The last byte says how the others are fed. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const ImgImportUnpackLimits limits = {
    .floor = 1024, .max_ratio = 100, .max_memory = 2 * 1024 * 1024, .max_members = 4
  };
  g_autoptr (ImgImportUnpacker) unpacker = NULL;
  g_autoptr (GError) error = NULL;
  ImgImportPacking packing;
  Input input;
  guint8 output[16384];
  guint64 produced = 0;
  gsize n_read = 1;
  gboolean ok = TRUE;

  if (size < 2)
    return 0;
  input = (Input){ data, size - 1, (gsize)data[size - 1] + 1 };
  packing = _imgimport_packing_recognise (data, input.left);
  if (packing == IMGIMPORT_PACKING_NONE)
    return 0;
  unpacker = _imgimport_unpacker_new (packing, &limits, read_input, &input);
  while (ok && n_read > 0 && produced < OUTPUT_MAX)
    {
      ok = _imgimport_unpacker_read (unpacker, output, sizeof output, &n_read, NULL, &error);
      produced += n_read;
    }
  g_assert_true (ok == (error == NULL));
  g_assert_true (!ok || n_read > 0 || input.left == 0);
  g_assert_cmpuint (produced, <=, limits.floor + limits.max_ratio * size + sizeof output);
  return 0;
}
