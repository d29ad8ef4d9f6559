/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libarchive over a supply. The chain of filters is fixed, so that nothing is guessed, nothing is
 * decoded twice, and no outside program is ever run.
 */

#include "unpack/decoder.h"

void
_imgimport_archive_init (ImgImportArchive *self, ImgImportSupply *supply, ImgImportPacking packing)
{
  *self = (ImgImportArchive){ .supply = supply, .packing = packing };
}

void
_imgimport_archive_clear (ImgImportArchive *self)
{
  if (self->archive != NULL)
    archive_read_free (self->archive);
  g_clear_error (&self->error);
}

static la_ssize_t
on_read (struct archive *archive, void *user_data, const void **buffer)
{
  ImgImportArchive *self = user_data;
  gsize length = 0;

  if (!_imgimport_supply_fill (self->supply, 1, &self->error))
    {
      archive_set_error (archive, EIO, "the source failed");
      return -1;
    }
  *buffer = _imgimport_supply_peek (self->supply, &length);
  _imgimport_supply_take (self->supply, length);
  self->told_end = length == 0;
  return (la_ssize_t)length;
}

/* What libarchive said, or the source where it is to blame. What it says of data that have ended is
 * not always that. */
static gboolean
fail (ImgImportArchive *self, GError **error)
{
  const char *text = archive_error_string (self->archive);

  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }
  if (self->told_end || text == NULL)
    return _imgimport_unpack_fail_truncated (error, self->packing);
  if (strcasestr (text, "unknown frame descriptor") != NULL)
    return _imgimport_unpack_fail (error, self->packing, "unpack-trailing-data",
                                   "there are data where the packed ones end");
  if (strcasestr (text, "too much memory") != NULL)
    return _imgimport_unpack_fail (error, self->packing, "unpack-memory", "%s", text);
  return _imgimport_unpack_fail (error, self->packing, "unpack-corrupt", "%s", text);
}

static int
filter_of (ImgImportPacking packing)
{
  switch ((int)packing)
    {
    case IMGIMPORT_PACKING_BZIP2:
      return ARCHIVE_FILTER_BZIP2;
    case IMGIMPORT_PACKING_ZSTD:
      return ARCHIVE_FILTER_ZSTD;
    case IMGIMPORT_PACKING_LZ4:
      return ARCHIVE_FILTER_LZ4;
    default:
      return ARCHIVE_FILTER_NONE;
    }
}

/* The "raw" format is any bytes, as one member. */
static int
enable_format (struct archive *archive, ImgImportPacking packing)
{
  if (packing == IMGIMPORT_PACKING_ZIP)
    return archive_read_support_format_zip_streamable (archive);
  if (packing == IMGIMPORT_PACKING_TAR)
    return archive_read_support_format_tar (archive);
  return archive_read_support_format_raw (archive);
}

static gboolean
begin (ImgImportArchive *self, GError **error)
{
  self->archive = archive_read_new ();
  /* WARN is a libarchive that would run a program. */
  if (self->archive == NULL ||
      archive_read_append_filter (self->archive, filter_of (self->packing)) != ARCHIVE_OK ||
      enable_format (self->archive, self->packing) != ARCHIVE_OK)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "unpack-unsupported",
                            "the libarchive of this system cannot read %s",
                            _imgimport_packing_to_string (self->packing));
      return FALSE;
    }
  archive_read_set_read_callback (self->archive, on_read);
  archive_read_set_callback_data (self->archive, self);
  return archive_read_open1 (self->archive) == ARCHIVE_OK || fail (self, error);
}

gboolean
_imgimport_archive_next (ImgImportArchive *self, struct archive_entry **entry, GError **error)
{
  int code;

  *entry = NULL;
  if (self->archive == NULL && !begin (self, error))
    return FALSE;
  self->offset = 0;
  self->block_size = 0;
  code = archive_read_next_header (self->archive, entry);
  /* What looks for a further member of the file takes a source that fails for one that ends. */
  if (code == ARCHIVE_OK && self->error == NULL)
    return TRUE;
  *entry = NULL;
  return (code == ARCHIVE_EOF && self->error == NULL) || fail (self, error);
}

/* A next block; its size is 0 at the end. */
static gboolean
next_block (ImgImportArchive *self, GError **error)
{
  const void *data = NULL;
  la_int64_t offset = 0;
  int code = ARCHIVE_OK;

  while (code == ARCHIVE_OK && self->block_size == 0)
    code = archive_read_data_block (self->archive, &data, &self->block_size, &offset);
  self->block = data;
  if (code == ARCHIVE_EOF && self->error == NULL)
    {
      self->block_size = 0;
      return TRUE;
    }
  if (code != ARCHIVE_OK)
    return fail (self, error);
  if ((guint64)offset != self->offset)
    return _imgimport_unpack_fail (error, self->packing, "unpack-member", "a member has holes");
  self->offset += self->block_size;
  return TRUE;
}

gboolean
_imgimport_archive_read (ImgImportArchive *self, void *buffer, gsize length, gsize *n_read,
                         GError **error)
{
  *n_read = 0;
  if (self->block_size == 0 && !next_block (self, error))
    return FALSE;
  *n_read = MIN (length, self->block_size);
  if (*n_read == 0)
    return TRUE;
  memcpy (buffer, self->block, *n_read);
  self->block += *n_read;
  self->block_size -= *n_read;
  return TRUE;
}

guint64
_imgimport_archive_get_position (ImgImportArchive *self)
{
  return (guint64)archive_filter_bytes (self->archive, -1);
}

gboolean
_imgimport_archive_finish (ImgImportArchive *self, GError **error)
{
  guint64 position = _imgimport_archive_get_position (self);

  return _imgimport_supply_give_back (self->supply, self->supply->taken - position) ||
         _imgimport_unpack_fail (error, self->packing, "unpack-corrupt",
                                 "the end of the packed data cannot be told");
}

/* ---- files that are one filter --------------------------------------------------------------- */

/* libzstd's own limit, which it keeps for every frame. */
#define ZSTD_WINDOW_MAX ((guint64)128 * 1024 * 1024)

/* RFC 8878, 3.1.1.1; 0 where the header is not whole. */
static guint64
zstd_window (const guint8 *frame, gsize length)
{
  static const gsize id_sizes[] = { 0, 1, 2, 4 };
  static const gsize content_sizes[] = { 1, 2, 4, 8 };
  guint64 window = 0;
  gsize at, n, i;

  if (length < 6)
    return 0;
  if ((frame[4] & 0x20) == 0)
    return (G_GUINT64_CONSTANT (1024) << (frame[5] >> 3)) / 8 * (8u + (frame[5] & 7u));
  /* One segment: all of the content. */
  at = 5 + id_sizes[frame[4] & 3];
  n = content_sizes[frame[4] >> 6];
  for (i = 0; i < n && at + n <= length; i++)
    window |= (guint64)frame[at + i] << (8 * i);
  return window;
}

/* The first frame with data is looked at before libarchive does, which loses the reason. */
static gboolean
check_window (ImgImportArchive *self, GError **error)
{
  const guint8 *head;
  gsize length = 0;
  gsize at;
  guint64 window;

  if (!_imgimport_supply_fill (self->supply, IMGIMPORT_PACKING_HEAD, error))
    return FALSE;
  head = _imgimport_supply_peek (self->supply, &length);
  at = _imgimport_packing_skippable (head, length);
  window = self->packing == IMGIMPORT_PACKING_ZSTD ? zstd_window (head + at, length - at) : 0;
  return window <= ZSTD_WINDOW_MAX ||
         _imgimport_unpack_fail (error, self->packing, "unpack-memory",
                                 "the decoder would need a window of %" G_GUINT64_FORMAT
                                 " bytes, and %" G_GUINT64_FORMAT " are allowed",
                                 window, ZSTD_WINDOW_MAX);
}

static gpointer
filter_open (ImgImportSupply *supply, ImgImportPacking packing, const ImgImportUnpackLimits *limits)
{
  ImgImportArchive *self = g_new0 (ImgImportArchive, 1);

  _imgimport_archive_init (self, supply, packing);
  return self;
}

static void
filter_close (gpointer state)
{
  _imgimport_archive_clear (state);
  g_free (state);
}

static gboolean
filter_read (gpointer state, void *buffer, gsize length, gsize *n_read, GError **error)
{
  ImgImportArchive *self = state;
  struct archive_entry *entry = NULL;

  if (self->archive == NULL &&
      (!check_window (self, error) || !_imgimport_archive_next (self, &entry, error)))
    return FALSE;
  if (!_imgimport_archive_read (self, buffer, length, n_read, error))
    return FALSE;
  return *n_read > 0 || _imgimport_archive_finish (self, error);
}

static guint64
filter_get_consumed (gpointer state)
{
  return _imgimport_archive_get_position (state);
}

const ImgImportDecoder _imgimport_decoder_archive = { filter_open, filter_read, filter_get_consumed,
                                                      filter_close };
