/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * .gz by zlib, as GIO has it: it checks each member's CRC and size, which libarchive does not, and
 * decodes into the caller's buffer.
 */

#include "unpack/decoder.h"

typedef struct
{
  ImgImportSupply *supply;
  GConverter *zlib;
  gboolean in_member;
  guint n_members;
} Gzip;

static gpointer
gzip_open (ImgImportSupply *supply, ImgImportPacking packing, const ImgImportUnpackLimits *limits)
{
  Gzip *self = g_new0 (Gzip, 1);

  self->supply = supply;
  self->zlib = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  return self;
}

static void
gzip_close (gpointer state)
{
  Gzip *self = state;

  g_object_unref (self->zlib);
  g_free (self);
}

static guint64
gzip_get_consumed (gpointer state)
{
  return ((Gzip *)state)->supply->taken;
}

/* Whether a member begins here: the first always, another where it looks like one. */
static gboolean
next_member (Gzip *self, GError **error)
{
  const guint8 *data;
  gsize left = 0;

  if (!_imgimport_supply_fill (self->supply, IMGIMPORT_PACKING_HEAD, error))
    return FALSE;
  data = _imgimport_supply_peek (self->supply, &left);
  self->in_member =
      self->n_members == 0 || _imgimport_packing_recognise (data, left) == IMGIMPORT_PACKING_GZIP;
  if (self->in_member)
    {
      g_converter_reset (self->zlib);
      self->n_members++;
    }
  return TRUE;
}

/* Once; `*n_read` may be 0. */
static gboolean
inflate_some (Gzip *self, void *buffer, gsize length, gsize *n_read, GError **error)
{
  g_autoptr (GError) cause = NULL;
  const guint8 *data;
  gsize left = 0, used = 0;
  GConverterResult result;

  if (!_imgimport_supply_fill (self->supply, 1, error))
    return FALSE;
  data = _imgimport_supply_peek (self->supply, &left);
  result = g_converter_convert (self->zlib, data, left, buffer, length, G_CONVERTER_NO_FLAGS, &used,
                                n_read, &cause);
  if (result == G_CONVERTER_ERROR && left == 0)
    return _imgimport_unpack_fail_truncated (error, IMGIMPORT_PACKING_GZIP);
  if (result == G_CONVERTER_ERROR)
    return _imgimport_unpack_fail (error, IMGIMPORT_PACKING_GZIP, "unpack-corrupt", "%s",
                                   cause->message);
  _imgimport_supply_take (self->supply, used);
  self->in_member = result != G_CONVERTER_FINISHED;
  return TRUE;
}

static gboolean
gzip_read (gpointer state, void *buffer, gsize length, gsize *n_read, GError **error)
{
  Gzip *self = state;

  *n_read = 0;
  while (*n_read == 0)
    {
      if (!self->in_member && !next_member (self, error))
        return FALSE;
      if (!self->in_member)
        return TRUE;
      if (!inflate_some (self, buffer, length, n_read, error))
        return FALSE;
    }
  return TRUE;
}

const ImgImportDecoder _imgimport_decoder_gzip = { gzip_open, gzip_read, gzip_get_consumed,
                                                   gzip_close };
