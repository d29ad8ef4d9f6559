/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * .xz and .lzma by liblzma itself: libarchive, which is built on it too, lifts its limit on memory,
 * and any block of a file can ask for 4 GiB. One thread.
 */

#include "unpack/decoder.h"

#include <lzma.h>

typedef struct
{
  ImgImportSupply *supply;
  ImgImportPacking packing;
  guint64 max_memory;
  lzma_stream stream;
  gboolean in_stream;
  guint n_streams;
} Lzma;

static gpointer
lzma_open (ImgImportSupply *supply, ImgImportPacking packing, const ImgImportUnpackLimits *limits)
{
  Lzma *self = g_new0 (Lzma, 1);

  self->supply = supply;
  self->packing = packing;
  self->max_memory = limits->max_memory;
  self->stream = (lzma_stream)LZMA_STREAM_INIT;
  return self;
}

static void
lzma_close (gpointer state)
{
  Lzma *self = state;

  lzma_end (&self->stream);
  g_free (self);
}

static guint64
lzma_get_consumed (gpointer state)
{
  return ((Lzma *)state)->supply->taken;
}

/* The format's own: zeros in fours between and behind streams. */
static gboolean
skip_padding (Lzma *self, GError **error)
{
  static const guint8 zeros[4] = { 0 };

  for (;;)
    {
      const guint8 *data;
      gsize left = 0;

      if (!_imgimport_supply_fill (self->supply, IMGIMPORT_PACKING_HEAD, error))
        return FALSE;
      data = _imgimport_supply_peek (self->supply, &left);
      if (left < sizeof zeros || memcmp (data, zeros, sizeof zeros) != 0)
        return TRUE;
      _imgimport_supply_take (self->supply, sizeof zeros);
    }
}

static gboolean
fail (Lzma *self, lzma_ret code, GError **error)
{
  switch ((int)code)
    {
    case LZMA_BUF_ERROR:
      return _imgimport_unpack_fail_truncated (error, self->packing);
    case LZMA_MEMLIMIT_ERROR:
      return _imgimport_unpack_fail (error, self->packing, "unpack-memory",
                                     "the decoder would need %" G_GUINT64_FORMAT
                                     " bytes of memory, and %" G_GUINT64_FORMAT " are allowed",
                                     lzma_memusage (&self->stream), self->max_memory);
    case LZMA_OPTIONS_ERROR:
    case LZMA_UNSUPPORTED_CHECK:
      return _imgimport_unpack_fail (error, self->packing, "unpack-unsupported",
                                     "made with options that this build of liblzma has not");
    case LZMA_MEM_ERROR:
      _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "resources-exhausted",
                            "no memory to unpack with");
      return FALSE;
    default:
      return _imgimport_unpack_fail (error, self->packing, "unpack-corrupt",
                                     "the data are damaged");
    }
}

/* As next_member() of gzip.c; only .xz files can be concatenated. */
static gboolean
next_stream (Lzma *self, GError **error)
{
  const guint8 *data;
  gsize left = 0;
  lzma_ret code;

  if (self->n_streams > 0 && self->packing == IMGIMPORT_PACKING_LZMA)
    return TRUE;
  if (self->n_streams > 0 && !skip_padding (self, error))
    return FALSE;
  data = _imgimport_supply_peek (self->supply, &left);
  if (self->n_streams > 0 && _imgimport_packing_recognise (data, left) != IMGIMPORT_PACKING_XZ)
    return TRUE;
  if (self->packing == IMGIMPORT_PACKING_XZ)
    code = lzma_stream_decoder (&self->stream, self->max_memory, LZMA_TELL_UNSUPPORTED_CHECK);
  else
    code = lzma_alone_decoder (&self->stream, self->max_memory);
  if (code != LZMA_OK)
    return fail (self, code, error);
  self->in_stream = TRUE;
  self->n_streams++;
  return TRUE;
}

/* Once; `*n_read` may be 0. */
static gboolean
decode_some (Lzma *self, void *buffer, gsize length, gsize *n_read, GError **error)
{
  lzma_stream *stream = &self->stream;
  gsize left = 0;
  lzma_ret code;

  if (!_imgimport_supply_fill (self->supply, 1, error))
    return FALSE;
  stream->next_in = _imgimport_supply_peek (self->supply, &left);
  stream->avail_in = left;
  stream->next_out = buffer;
  stream->avail_out = length;
  code = lzma_code (stream, left == 0 ? LZMA_FINISH : LZMA_RUN);
  _imgimport_supply_take (self->supply, left - stream->avail_in);
  *n_read = length - stream->avail_out;
  if (code != LZMA_OK && code != LZMA_STREAM_END)
    return fail (self, code, error);
  self->in_stream = code == LZMA_OK;
  return TRUE;
}

static gboolean
lzma_read (gpointer state, void *buffer, gsize length, gsize *n_read, GError **error)
{
  Lzma *self = state;

  *n_read = 0;
  while (*n_read == 0)
    {
      if (!self->in_stream && !next_stream (self, error))
        return FALSE;
      if (!self->in_stream)
        return TRUE;
      if (!decode_some (self, buffer, length, n_read, error))
        return FALSE;
    }
  return TRUE;
}

const ImgImportDecoder _imgimport_decoder_lzma = { lzma_open, lzma_read, lzma_get_consumed,
                                                   lzma_close };
