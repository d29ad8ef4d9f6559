/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* Footer and dynamic header as in Microsoft's Virtual Hard Disk Image Format Specification 1.0, all
 * big-endian. Every disk ends with its footer; one that is not of fixed size begins with a copy. */

#define FOOTER_LENGTH 512u
#define OLD_FOOTER_LENGTH 511u /* as written before 2004 */
#define VERSION 0x00010000u    /* of footer and dynamic header */
#define DATA_OFFSET_AT 16u
#define SIZE_AT 48u
#define TYPE_AT 60u
#define CHECKSUM_AT 64u
#define UUID_AT 68u
#define UUID_LENGTH 16u
#define TYPE_FIXED 2u
#define TYPE_DYNAMIC 3u
#define TYPE_DIFFERENCING 4u
#define DYNAMIC_LENGTH 1024u
#define DYNAMIC_CHECKSUM_AT 36u
#define PARENT_AT 40u   /* UUID, time, name and locators, */
#define PARENT_END 768u /* up to here */
#define BAT_ENTRY 4u
#define SECTOR 512u

static const char *const checks[] = { "truncated", "virtual_size", "footer",
                                      "parent",    "header",       NULL };

static gboolean
has_cookie (const ImgImportRange *range, gsize at, const char *cookie)
{
  return _imgimport_range_holds (range, at, 8) && memcmp (range->data + at, cookie, 8) == 0;
}

/* The one's complement of the sum of all bytes but its own. */
static gboolean
has_checksum (const ImgImportRange *range, gsize at, gsize length, gsize checksum_at)
{
  guint32 sum = 0;

  for (gsize i = 0; i < length; i++)
    {
      if (i < checksum_at || i >= checksum_at + sizeof sum)
        sum += range->data[at + i];
    }
  return _imgimport_range_be32 (range, at + checksum_at) == ~sum;
}

static char *
footer_fault (const ImgImportRange *range, gsize at, const char *which)
{
  if (_imgimport_range_be32 (range, at + 12) != VERSION)
    return g_strdup_printf ("the version 0x%08x of %s is not 1.0",
                            _imgimport_range_be32 (range, at + 12), which);
  if (!has_checksum (range, at, FOOTER_LENGTH, CHECKSUM_AT))
    return g_strdup_printf ("the checksum of %s is wrong", which);
  return NULL;
}

/* What lies at the end, and whether the copy at the front says the same of the disk. */
static char *
end_fault (const ImgImportView *view)
{
  gsize at = view->tail.length - FOOTER_LENGTH;
  char *fault;

  if (!has_cookie (&view->tail, at, "conectix"))
    return g_strdup ("there is none in the last 512 bytes");
  fault = footer_fault (&view->tail, at, "the one at the end");
  if (fault != NULL || !has_cookie (&view->head, 0, "conectix"))
    return fault;
  fault = footer_fault (&view->head, 0, "its copy at the front");
  if (fault != NULL)
    return fault;
  if (memcmp (view->head.data + DATA_OFFSET_AT, view->tail.data + at + DATA_OFFSET_AT, 8) != 0 ||
      memcmp (view->head.data + SIZE_AT, view->tail.data + at + SIZE_AT, CHECKSUM_AT - SIZE_AT) !=
          0 ||
      memcmp (view->head.data + UUID_AT, view->tail.data + at + UUID_AT, UUID_LENGTH) != 0)
    return g_strdup ("its copy at the front says something else");
  return NULL;
}

static gboolean
has_parent (const ImgImportRange *head, gsize at)
{
  for (gsize i = at + PARENT_AT; i < at + PARENT_END; i++)
    {
      if (head->data[i] != 0)
        return TRUE;
    }
  return FALSE;
}

static char *
dynamic_fault (const ImgImportView *view, gsize at, guint32 type, guint64 size)
{
  guint64 table = _imgimport_range_be64 (&view->head, at + 16);
  guint32 n_blocks = _imgimport_range_be32 (&view->head, at + 28);
  guint32 block = _imgimport_range_be32 (&view->head, at + 32);

  if (type != TYPE_DYNAMIC && type != TYPE_DIFFERENCING)
    return g_strdup_printf ("type %u is no disk with a dynamic header", type);
  if (_imgimport_range_be32 (&view->head, at + 24) != VERSION ||
      !has_checksum (&view->head, at, DYNAMIC_LENGTH, DYNAMIC_CHECKSUM_AT))
    return g_strdup ("the dynamic header is not of version 1.0, or its checksum is wrong");
  if (!_imgimport_is_power_of_2 (block) || block < SECTOR)
    return g_strdup_printf ("blocks of %u bytes, no power of 2 from %u", block, SECTOR);
  if (size > (guint64)n_blocks * block)
    return g_strdup_printf ("%u blocks of %u bytes are less than the disk", n_blocks, block);
  if (table % SECTOR != 0 || table < at + DYNAMIC_LENGTH)
    return g_strdup_printf ("the block table at %" G_GUINT64_FORMAT
                            " begins at no sector after the dynamic header",
                            table);
  return _imgimport_area_fault ("the block table", table, (guint64)n_blocks * BAT_ENTRY,
                                view->size - FOOTER_LENGTH);
}

/* A disk whose blocks are found by a header of its own. */
static void
match_dynamic (const ImgImportView *view, ImgImportMatch *match, guint32 type, guint64 size)
{
  guint64 at = _imgimport_range_be64 (&view->head, DATA_OFFSET_AT);

  /* Only there does every program look that reads a stream. */
  if (at < FOOTER_LENGTH || at % SECTOR != 0 || at > view->head.length ||
      !_imgimport_range_holds (&view->head, (gsize)at, DYNAMIC_LENGTH) ||
      !has_cookie (&view->head, (gsize)at, "cxsparse"))
    {
      _imgimport_match_add_check (match, "header",
                                  g_strdup_printf ("no dynamic header at %" G_GUINT64_FORMAT
                                                   " in the first %" //
                                                   G_GSIZE_FORMAT " bytes",
                                                   at, view->head.length));
      return;
    }
  _imgimport_match_forbid (match, "parent",
                           type == TYPE_DIFFERENCING || has_parent (&view->head, (gsize)at),
                           "it has a parent");
  _imgimport_match_add_check (match, "header", dynamic_fault (view, (gsize)at, type, size));
}

static char *
fixed_fault (const ImgImportView *view, guint64 size)
{
  if (view->size - FOOTER_LENGTH == size)
    return NULL;
  return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes lie before the footer, not %" //
                          G_GUINT64_FORMAT,
                          view->size - FOOTER_LENGTH, size);
}

/* A footer that is one byte short, or after which the file was cut, is no less a footer. */
static gboolean
is_vhd (const ImgImportView *view)
{
  const ImgImportRange *tail = &view->tail;

  return has_cookie (&view->head, 0, "conectix") ||
         (tail->length >= FOOTER_LENGTH &&
          has_cookie (tail, tail->length - FOOTER_LENGTH, "conectix")) ||
         (tail->length >= OLD_FOOTER_LENGTH &&
          has_cookie (tail, tail->length - OLD_FOOTER_LENGTH, "conectix"));
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  gboolean copied = has_cookie (&view->head, 0, "conectix");
  const ImgImportRange *footer = copied ? &view->head : &view->tail;
  gsize at;
  guint32 type;
  guint64 size;

  if (!is_vhd (view))
    return FALSE;
  if (!_imgimport_match_check_length (match, &view->head, FOOTER_LENGTH))
    return TRUE;
  at = copied ? 0 : footer->length - FOOTER_LENGTH;
  _imgimport_match_add_check (match, "footer", end_fault (view));
  if (!has_cookie (footer, at, "conectix"))
    return TRUE;
  size = _imgimport_range_be64 (footer, at + SIZE_AT);
  type = _imgimport_range_be32 (footer, at + TYPE_AT);
  _imgimport_match_check_size (match, size);
  if (copied && type != TYPE_FIXED)
    match_dynamic (view, match, type, size);
  else if (type == TYPE_FIXED)
    _imgimport_match_add_check (match, "header", fixed_fault (view, size));
  else
    _imgimport_match_add_check (
        match, "header", g_strdup_printf ("type %u takes a copy of the footer at the front", type));
  return TRUE;
}

const ImgImportFormat _imgimport_format_vhd = {
  .name = "vhd",
  .kind = IMGIMPORT_FORMAT_DISK,
  .checks = checks,
  .match = match,
};
