/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/vmdk.h"

/* The header of a sparse extent as in VMware's Virtual Disk Format 5.0, little-endian, lengths in
 * sectors. One that is written as a stream has it again, with where its tables are, near the end:
 * a marker, the footer, and the mark of the end, each of a sector. */

#define MAGIC 0x564d444bu      /* KDMV */
#define MAGIC_VMFS 0x44574f43u /* COWD */
#define SECTOR 512u
#define MAX_VERSION 3u
#define CAPACITY_AT 12u
#define GRAIN_AT 20u
#define DESCRIPTOR_AT 28u
#define DESCRIPTOR_SIZE_AT 36u
#define DESCRIPTOR_SECTOR 1u /* where every program that writes one puts it */
#define MAX_DESCRIPTOR 40u   /* sectors */
#define ENTRIES_AT 44u
#define MAX_ENTRIES 512u
#define TABLE_COPY_AT 48u
#define TABLE_AT 56u
#define TABLE_AT_END G_MAXUINT64
#define OVERHEAD_AT 64u
#define NEWLINES_AT 73u /* four bytes that a transfer as text would change */
#define COMPRESSION_AT 77u
#define MAX_GRAIN 0x200000u
#define MAX_CAPACITY (IMGIMPORT_INSPECT_DISK / SECTOR)
#define FOOTER_LENGTH (3 * SECTOR)
#define MARKER_FOOTER 3u

static const char *const checks[] = { "truncated",  "virtual_size", "header",
                                      "descriptor", "create_type",  "extents",
                                      "parent",     "footer",       "banned",
                                      NULL };

static char *
layout_fault (const ImgImportRange *head)
{
  static const guint8 newlines[4] = { '\n', ' ', '\r', '\n' };
  guint32 version = _imgimport_range_le32 (head, 4);
  guint64 grain = _imgimport_range_le64 (head, GRAIN_AT);
  guint32 entries = _imgimport_range_le32 (head, ENTRIES_AT);
  guint16 compression = _imgimport_range_le16 (head, COMPRESSION_AT);

  if (version < 1 || version > MAX_VERSION)
    return g_strdup_printf ("version %u is none of 1 to %u", version, MAX_VERSION);
  if (memcmp (head->data + NEWLINES_AT, newlines, sizeof newlines) != 0)
    return g_strdup ("its line ends were changed: it was transferred as text");
  if (!_imgimport_is_power_of_2 (grain) || grain > MAX_GRAIN)
    return g_strdup_printf ("grains of %" G_GUINT64_FORMAT " sectors, no power of 2 up to %u",
                            grain, MAX_GRAIN);
  if (entries == 0 || entries > MAX_ENTRIES)
    return g_strdup_printf ("tables of %u entries, not 1 to %u", entries, MAX_ENTRIES);
  if (compression > 1)
    return g_strdup_printf ("compression %u is none of 0 and 1", compression);
  return NULL;
}

/* Where the tables of `header`, of head or footer, cannot begin. */
static char *
table_fault (const ImgImportView *view, const ImgImportRange *header, gsize at)
{
  guint64 n_sectors = view->size / SECTOR;
  guint64 table = _imgimport_range_le64 (header, at + TABLE_AT);
  guint64 copy = _imgimport_range_le64 (header, at + TABLE_COPY_AT);

  if (table >= n_sectors || copy >= n_sectors)
    return g_strdup_printf ("the grain directories at %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT
                            " lie beyond the %" G_GUINT64_FORMAT " sectors of the file",
                            table, copy, n_sectors);
  return NULL;
}

static gboolean
has_footer (const ImgImportRange *head)
{
  return _imgimport_range_le64 (head, TABLE_AT) == TABLE_AT_END;
}

static char *
header_fault (const ImgImportView *view)
{
  guint64 offset = _imgimport_range_le64 (&view->head, DESCRIPTOR_AT);
  guint64 n = _imgimport_range_le64 (&view->head, DESCRIPTOR_SIZE_AT);
  char *fault = layout_fault (&view->head);

  if (fault != NULL)
    return fault;
  if (offset != DESCRIPTOR_SECTOR || n == 0 || n > MAX_DESCRIPTOR)
    return g_strdup_printf ("the descriptor of %" G_GUINT64_FORMAT " sectors at %" G_GUINT64_FORMAT
                            ", not of 1 to %u at %u: an extent of a larger disk",
                            n, offset, MAX_DESCRIPTOR, DESCRIPTOR_SECTOR);
  if (_imgimport_range_le64 (&view->head, OVERHEAD_AT) < offset + n)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " sectors of metadata do not hold the descriptor",
                            _imgimport_range_le64 (&view->head, OVERHEAD_AT));
  if (has_footer (&view->head))
    return NULL;
  return table_fault (view, &view->head, 0);
}

/* Whether the footer says the same as the header, of which it is a copy but for its tables. */
static gboolean
is_copy (const ImgImportRange *head, const ImgImportRange *tail, gsize at)
{
  return memcmp (head->data, tail->data + at, 8) == 0 &&
         memcmp (head->data + CAPACITY_AT, tail->data + at + CAPACITY_AT,
                 TABLE_COPY_AT - CAPACITY_AT) == 0 &&
         memcmp (head->data + NEWLINES_AT, tail->data + at + NEWLINES_AT,
                 COMPRESSION_AT + 2 - NEWLINES_AT) == 0;
}

static char *
footer_fault (const ImgImportView *view)
{
  const ImgImportRange *tail = &view->tail;
  gsize marker;
  gsize footer;
  gsize end;

  if (!has_footer (&view->head))
    return NULL;
  if (view->size % SECTOR != 0 || view->size < SECTOR + FOOTER_LENGTH)
    return g_strdup ("there is no room for it, or it ends at no sector");
  marker = tail->length - FOOTER_LENGTH;
  footer = marker + SECTOR;
  end = footer + SECTOR;
  /* Sectors that follow, a size of 0 that tells a marker from data, the type; zeros. */
  if (_imgimport_range_le64 (tail, marker) != 1 || _imgimport_range_le32 (tail, marker + 8) != 0 ||
      _imgimport_range_le32 (tail, marker + 12) != MARKER_FOOTER ||
      !_imgimport_is_zero (tail->data + marker + 16, footer - marker - 16))
    return g_strdup ("there is no marker of one 1536 bytes before the end");
  if (!is_copy (&view->head, tail, footer))
    return g_strdup ("it differs from the header");
  if (has_footer (&(ImgImportRange){ 0, SECTOR, tail->data + footer }))
    return g_strdup ("it tells of another footer");
  if (!_imgimport_is_zero (tail->data + end, SECTOR))
    return g_strdup ("no mark of the end follows");
  return table_fault (view, tail, footer);
}

static void
match_sparse (const ImgImportView *view, ImgImportMatch *match)
{
  const ImgImportRange *head = &view->head;
  guint64 capacity = _imgimport_range_le64 (head, CAPACITY_AT);
  char *fault = header_fault (view);
  gsize length;

  _imgimport_match_check_size (match, capacity > MAX_CAPACITY ? G_MAXUINT64 : capacity * SECTOR);
  _imgimport_match_add_check (match, "header", fault);
  _imgimport_match_add_check (match, "footer", footer_fault (view));
  if (fault != NULL)
    return;
  length = (gsize)_imgimport_range_le64 (head, DESCRIPTOR_SIZE_AT) * SECTOR;
  if (_imgimport_range_holds (head, SECTOR, length))
    _imgimport_vmdk_check_descriptor (match, head->data + SECTOR, length, MAX (capacity, 1));
  else
    _imgimport_match_forbid (match, "descriptor", TRUE, "the file ends inside of it");
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  const ImgImportRange *head = &view->head;
  guint32 magic = head->length >= sizeof magic ? _imgimport_range_le32 (head, 0) : 0;

  if (magic != MAGIC && magic != MAGIC_VMFS)
    {
      if (!_imgimport_vmdk_is_descriptor (head))
        return FALSE;
      _imgimport_vmdk_check_descriptor (match, head->data, head->length, 0);
      return TRUE;
    }
  if (!_imgimport_match_check_length (match, head, SECTOR))
    return TRUE;
  if (magic == MAGIC)
    match_sparse (view, match);
  else
    _imgimport_match_forbid (match, "banned", TRUE, "it is an extent of a VMFS disk");
  return TRUE;
}

const ImgImportFormat _imgimport_format_vmdk = {
  .name = "vmdk",
  .kind = IMGIMPORT_FORMAT_DISK,
  .checks = checks,
  .match = match,
};
