/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The frame around the decoders: limits, what is in the packing, what is behind it. */

#include "unpack/decoder.h"

struct _ImgImportUnpacker
{
  ImgImportPacking packing;
  ImgImportUnpackLimits limits;
  ImgImportSupply supply;
  const ImgImportDecoder *decoder;
  gpointer state; /* the decoder's */
  guint64 produced;
  gboolean begun; /* the head is decoded */
  gboolean ended;
  guint8 head[IMGIMPORT_PACKING_HEAD]; /* of the output, to be looked at before it is answered */
  gsize head_begin;
  gsize head_end;
};

static const ImgImportDecoder *const decoders[] = {
  NULL,
  &_imgimport_decoder_gzip,
  &_imgimport_decoder_archive,
  &_imgimport_decoder_lzma,
  &_imgimport_decoder_lzma,
  &_imgimport_decoder_archive,
  &_imgimport_decoder_archive,
  &_imgimport_decoder_zip,
  &_imgimport_decoder_tar,
};

gboolean
_imgimport_unpack_fail (GError **error, ImgImportPacking packing, const char *reason,
                        const char *format, ...)
{
  static const char *const limits[] = { "unpack-ratio", "unpack-memory", "unpack-members", NULL };
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  _imgimport_set_error (
      error, g_strv_contains (limits, reason) ? IMGIMPORT_ERROR_LIMIT : IMGIMPORT_ERROR_CORRUPT,
      reason, "%s: %s", _imgimport_packing_to_string (packing), text);
  return FALSE;
}

gboolean
_imgimport_unpack_fail_truncated (GError **error, ImgImportPacking packing)
{
  return _imgimport_unpack_fail (error, packing, "unpack-truncated",
                                 "the data end before they are complete");
}

ImgImportUnpacker *
_imgimport_unpacker_new (ImgImportPacking packing, const ImgImportUnpackLimits *limits,
                         ImgImportSourceFunc read, gpointer source)
{
  ImgImportUnpacker *self = g_new0 (ImgImportUnpacker, 1);

  self->packing = packing;
  self->limits = *limits;
  self->decoder = decoders[packing];
  _imgimport_supply_init (&self->supply, read, source);
  self->state = self->decoder->open (&self->supply, packing, &self->limits);
  return self;
}

void
_imgimport_unpacker_free (ImgImportUnpacker *self)
{
  if (self == NULL)
    return;
  self->decoder->close (self->state);
  _imgimport_supply_clear (&self->supply);
  g_free (self);
}

/* A bomb is found while it goes off, by what the decoder used up and not by what it was given. */
static gboolean
check_ratio (ImgImportUnpacker *self, GError **error)
{
  guint64 consumed;

  if (self->produced <= self->limits.floor)
    return TRUE;
  consumed = self->decoder->get_consumed (self->state);
  if ((self->produced - self->limits.floor) / self->limits.max_ratio <= consumed)
    return TRUE;
  return _imgimport_unpack_fail (error, self->packing, "unpack-ratio",
                                 "%" G_GUINT64_FORMAT " bytes came out of %" G_GUINT64_FORMAT
                                 ": more than 1:%" G_GUINT64_FORMAT,
                                 self->produced, consumed, self->limits.max_ratio);
}

static gboolean
check_tail (ImgImportUnpacker *self, GError **error)
{
  gsize left = 0;

  if (!_imgimport_supply_fill (&self->supply, 1, error))
    return FALSE;
  _imgimport_supply_peek (&self->supply, &left);
  return left == 0 || _imgimport_unpack_fail (error, self->packing, "unpack-trailing-data",
                                              "there are data behind byte %" G_GUINT64_FORMAT
                                              ", where the packed ones end",
                                              self->supply.taken);
}

static gboolean
decode (ImgImportUnpacker *self, void *buffer, gsize length, gsize *n_read, GError **error)
{
  *n_read = 0;
  if (self->ended)
    return TRUE;
  if (!self->decoder->read (self->state, buffer, length, n_read, error))
    return FALSE;
  self->produced += *n_read;
  self->ended = *n_read == 0;
  return self->ended ? check_tail (self, error) : check_ratio (self, error);
}

/* .lzma is not looked for in the output: without a magic it could be an image by chance. */
static gboolean
check_output (ImgImportUnpacker *self, GError **error)
{
  ImgImportPacking inner = _imgimport_packing_recognise (self->head, self->head_end);

  if (inner == IMGIMPORT_PACKING_NONE || inner == IMGIMPORT_PACKING_LZMA ||
      (inner == IMGIMPORT_PACKING_TAR && self->limits.keep_tar))
    return TRUE;
  return _imgimport_unpack_fail (error, self->packing, "unpack-nested",
                                 "in it is %s again; one level is unpacked",
                                 _imgimport_packing_to_string (inner));
}

static gboolean
begin (ImgImportUnpacker *self, GError **error)
{
  gsize n_read = 1;

  while (self->head_end < sizeof self->head && n_read > 0)
    {
      if (!decode (self, self->head + self->head_end, sizeof self->head - self->head_end, &n_read,
                   error))
        return FALSE;
      self->head_end += n_read;
    }
  self->begun = TRUE;
  return check_output (self, error);
}

gboolean
_imgimport_unpacker_read (gpointer unpacker, void *buffer, gsize length, gsize *n_read,
                          GCancellable *cancellable, GError **error)
{
  ImgImportUnpacker *self = unpacker;

  self->supply.cancellable = cancellable;
  *n_read = 0;
  if (!self->begun && !begin (self, error))
    return FALSE;
  if (self->head_begin == self->head_end)
    return decode (self, buffer, length, n_read, error);
  *n_read = MIN (length, self->head_end - self->head_begin);
  memcpy (buffer, self->head + self->head_begin, *n_read);
  self->head_begin += *n_read;
  return TRUE;
}
