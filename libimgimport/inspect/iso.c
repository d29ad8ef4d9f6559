/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* An optical disk: ISO 9660 (ECMA-119), UDF (ECMA-167), or both, which share the recognition area
 * behind the first 32 KiB. El Torito is a boot record among the descriptors: neither a format nor a
 * fault. */

#define AREA ((gsize)32 * 1024)
#define SECTOR ((gsize)2048)
#define TYPE_PRIMARY 1u
#define VERSION 1u /* of a primary descriptor; there are others of version 2 */

static const char *const checks[] = { "truncated", "descriptor", "volume", "udf", NULL };

/* What the recognition area holds. Where sectors are larger there is nothing between them. */
typedef struct
{
  gboolean iso;
  gboolean nsr;     /* the descriptor of UDF */
  gboolean nsr_out; /* one that does not lie between BEA01 and TEA01 */
  gboolean open;    /* a BEA01 without its TEA01 */
  gsize primary;    /* offset of the primary volume descriptor; 0: none */
  gsize last;       /* offset of the last descriptor */
} Area;

static gboolean
has_id (const ImgImportRange *head, gsize at, const char *id)
{
  return memcmp (head->data + at + 1, id, 5) == 0;
}

static void
area_add (Area *self, const ImgImportRange *head, gsize at)
{
  gboolean iso = has_id (head, at, "CD001");
  gboolean nsr = has_id (head, at, "NSR02") || has_id (head, at, "NSR03");

  if (iso && head->data[at] == TYPE_PRIMARY && self->primary == 0)
    self->primary = at;
  if (nsr && !self->open)
    self->nsr_out = TRUE;
  if (has_id (head, at, "BEA01"))
    self->open = TRUE;
  if (has_id (head, at, "TEA01"))
    self->open = FALSE;
  self->iso |= iso;
  self->nsr |= nsr;
  if (iso || nsr)
    self->last = at;
}

static Area
area_read (const ImgImportRange *head)
{
  Area self = { 0 };

  for (gsize at = AREA; _imgimport_range_holds (head, at, 7); at += SECTOR)
    area_add (&self, head, at);
  return self;
}

/* Numbers stand in the descriptor twice, in either byte order. */
static gboolean
both_16 (const ImgImportRange *head, gsize at, guint16 *value)
{
  *value = _imgimport_range_le16 (head, at);
  return *value == _imgimport_range_be16 (head, at + 2);
}

static gboolean
both_32 (const ImgImportRange *head, gsize at, guint32 *value)
{
  *value = _imgimport_range_le32 (head, at);
  return *value == _imgimport_range_be32 (head, at + 4);
}

/* Sets `size` to what the volume has by its descriptor. */
static char *
descriptor_fault (const Area *area, const ImgImportRange *head, guint64 *size)
{
  guint32 blocks = 0;
  guint16 block_size = 0;

  if (area->primary == 0)
    return g_strdup ("there is no primary volume descriptor");
  /* Which kernels do not look at. */
  if (head->data[area->primary + 6] != VERSION)
    return g_strdup_printf ("version %u is not %u", head->data[area->primary + 6], VERSION);
  if (!both_32 (head, area->primary + 80, &blocks) ||
      !both_16 (head, area->primary + 128, &block_size))
    return g_strdup ("the two byte orders of the volume's size differ");
  if (block_size != 512 && block_size != 1024 && block_size != SECTOR)
    return g_strdup_printf ("the block size %u is none of 512, 1024 and 2048", block_size);
  *size = (guint64)blocks * block_size;
  return NULL;
}

static char *
volume_fault (guint64 volume, guint64 size)
{
  if (volume == 0)
    return g_strdup ("the volume has no block");
  if (volume > size)
    return g_strdup_printf ("the volume has %" G_GUINT64_FORMAT
                            " bytes, the file only %" G_GUINT64_FORMAT,
                            volume, size);
  return NULL;
}

static char *
udf_fault (const Area *area)
{
  if (area->nsr_out || area->open)
    return g_strdup ("the volume recognition sequence lacks its begin or its end");
  return NULL;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  const ImgImportRange *head = &view->head;
  Area area = area_read (head);
  guint64 volume = 0;
  char *fault;

  if (!area.iso && !area.nsr)
    return FALSE;
  if (!_imgimport_range_holds (head, area.last, SECTOR))
    {
      _imgimport_match_add_check (match, "truncated",
                                  g_strdup ("the file ends within the volume descriptors"));
      return TRUE;
    }
  _imgimport_match_add_check (match, "truncated", NULL);
  if (area.nsr)
    _imgimport_match_add_check (match, "udf", udf_fault (&area));
  /* UDF alone tells its size elsewhere, and is presented to a machine as it is. */
  match->virtual_size = view->size;
  if (!area.iso)
    return TRUE;

  fault = descriptor_fault (&area, head, &volume);
  if (fault == NULL)
    {
      match->virtual_size = volume;
      _imgimport_match_add_check (match, "volume", volume_fault (volume, view->size));
    }
  _imgimport_match_add_check (match, "descriptor", fault);
  return TRUE;
}

const ImgImportFormat _imgimport_format_iso = {
  .name = "iso",
  .checks = checks,
  .match = match,
};
