/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* Streams of single compressors, known by their first bytes alone. What those leave to chance is
 * less than 2^-32: beside a short magic, the fields that follow are looked at. */

static const char *const checks[] = { "header", NULL };

static gboolean
begins_with (const ImgImportRange *head, const char *magic, gsize length)
{
  return head->length >= length && memcmp (head->data, magic, length) == 0;
}

/* RFC 1952: deflate, no reserved flag, and what compressors tell of themselves. */
static gboolean
is_gzip (const ImgImportRange *head)
{
  const guint8 *data = head->data;

  return head->length >= 10 && begins_with (head, "\x1f\x8b\x08", 3) && (data[3] & 0xe0) == 0 &&
         (data[8] == 0 || data[8] == 2 || data[8] == 4) && (data[9] <= 13 || data[9] == 255);
}

static gboolean
is_xz (const ImgImportRange *head)
{
  return begins_with (head, "\xfd\x37zXZ\0", 6);
}

/* A level, and the magic of a first block or, of no bytes at all, of the end. */
static gboolean
is_bzip2 (const ImgImportRange *head)
{
  return head->length >= 10 && begins_with (head, "BZh", 3) && head->data[3] >= '1' &&
         head->data[3] <= '9' &&
         (memcmp (head->data + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
          memcmp (head->data + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* A frame of version 1 without reserved bits; or the legacy format, whose blocks of 8 MiB have a
 * largest compressed size. */
static gboolean
is_lz4 (const ImgImportRange *head)
{
  const guint32 legacy_block = 8u * 1024 * 1024;

  if (head->length < 8)
    return FALSE;
  if (begins_with (head, "\x04\x22\x4d\x18", 4))
    return (head->data[4] & 0xc2) == 0x40 && (head->data[5] & 0x8f) == 0 && head->data[5] >= 0x40;
  return begins_with (head, "\x02\x21\x4c\x18", 4) && _imgimport_range_le32 (head, 4) > 0 &&
         _imgimport_range_le32 (head, 4) <= legacy_block + legacy_block / 255 + 16;
}

static const struct
{
  const char *name;
  gboolean (*is) (const ImgImportRange *head);
} compressors[] = {
  { "gzip", is_gzip },
  { "xz", is_xz },
  { "bzip2", is_bzip2 },
  { "lz4", is_lz4 },
};

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  guint i = 0;

  while (strcmp (compressors[i].name, match->format) != 0)
    i++;
  if (!compressors[i].is (&view->head))
    return FALSE;
  _imgimport_match_add_check (match, "header", NULL);
  return TRUE;
}

#define COMPRESSED(symbol, format_name)                                                            \
  const ImgImportFormat _imgimport_format_##symbol = {                                             \
    .name = format_name,                                                                           \
    .kind = IMGIMPORT_FORMAT_ENVELOPE,                                                             \
    .checks = checks,                                                                              \
    .match = match,                                                                                \
  }

COMPRESSED (gzip, "gzip");
COMPRESSED (xz, "xz");
COMPRESSED (bzip2, "bzip2");
COMPRESSED (lz4, "lz4");
