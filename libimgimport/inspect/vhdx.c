/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/vhdx.h"

/* Layout as in Microsoft's MS-VHDX, little-endian: a signature, two headers of which the valid one
 * with the higher number counts, the table of regions, then regions, of which one holds metadata.
 */

#define KIB ((guint64)1024)
#define MIB (1024 * KIB)
#define HEADER_LENGTH ((gsize)4096)
#define N_HEADERS 2u
#define REGIONS_AT (192 * KIB)
#define CHECKSUM_AT 4u /* of headers and of the table of regions */
#define LOG_ID_AT 48u
#define LOG_ID_LENGTH 16u
#define VERSION_AT 66u
#define RANGE_REGIONS 2u /* of those captured, after the headers */
#define RANGE_METADATA 3u
#define RANGE_ITEMS 4u
#define ITEMS_LENGTH 20u

static const char *const checks[] = { "truncated", "virtual_size", "header",
                                      "log",       "regions",      "unknown_features",
                                      "metadata",  "parent",       NULL };

/* CRC-32C, the four bytes of the checksum itself being zeros. */
static gboolean
has_checksum (const ImgImportRange *self, gsize length)
{
  static const guint8 no_crc[4] = { 0 };
  guint32 crc = _imgimport_crc32c_update (G_MAXUINT32, self->data, CHECKSUM_AT);

  crc = _imgimport_crc32c_update (crc, no_crc, sizeof no_crc);
  crc = _imgimport_crc32c_update (crc, self->data + CHECKSUM_AT + 4, length - CHECKSUM_AT - 4);
  return _imgimport_range_le32 (self, CHECKSUM_AT) == ~crc;
}

static gboolean
is_vhdx (const ImgImportView *view)
{
  return view->head.length >= 8 && memcmp (view->head.data, "vhdxfile", 8) == 0;
}

static void
read_tables (const ImgImportView *view, ImgImportVhdxTables *tables)
{
  *tables = (ImgImportVhdxTables){ 0 };
  if (view->n_ranges > RANGE_REGIONS)
    _imgimport_vhdx_read_regions (tables, &view->ranges[RANGE_REGIONS]);
  if (view->n_ranges > RANGE_METADATA)
    _imgimport_vhdx_read_metadata (tables, &view->ranges[RANGE_METADATA]);
}

static gboolean
locate (const ImgImportView *view, guint64 *offset, gsize *length)
{
  ImgImportVhdxTables tables;

  if (!is_vhdx (view))
    return FALSE;
  read_tables (view, &tables);
  *offset = (view->n_ranges + 1) * 64 * KIB;
  *length = view->n_ranges < N_HEADERS ? HEADER_LENGTH : IMGIMPORT_VHDX_TABLE;
  if (view->n_ranges <= RANGE_REGIONS)
    return TRUE;
  *offset = tables.metadata.offset;
  if (view->n_ranges == RANGE_METADATA)
    return tables.metadata.n > 0;
  return _imgimport_vhdx_locate_item (&tables, view->n_ranges - RANGE_ITEMS, offset, length);
}

/* The header that counts; NULL where none is valid. */
static const ImgImportRange *
current_header (const ImgImportView *view)
{
  const ImgImportRange *current = NULL;

  for (guint i = 0; i < N_HEADERS; i++)
    {
      const ImgImportRange *header = &view->ranges[i];

      if (memcmp (header->data, "head", 4) != 0 || !has_checksum (header, HEADER_LENGTH))
        continue;
      if (current == NULL || _imgimport_range_le64 (header, 8) > _imgimport_range_le64 (current, 8))
        current = header;
    }
  return current;
}

static void
check_header (const ImgImportView *view, ImgImportMatch *match)
{
  static const guint8 none[LOG_ID_LENGTH] = { 0 };
  const ImgImportRange *header = current_header (view);

  if (header == NULL)
    {
      _imgimport_match_forbid (match, "header", TRUE, "neither header has its checksum");
      return;
    }
  _imgimport_match_forbid (match, "header", _imgimport_range_le16 (header, VERSION_AT) != 1,
                           "it is not of version 1");
  _imgimport_match_forbid (match, "log",
                           memcmp (header->data + LOG_ID_AT, none, LOG_ID_LENGTH) != 0,
                           "it was not closed: its log must be replayed");
}

/* Regions lie behind the first MiB, in whole ones. */
static char *
region_fault (const char *what, const ImgImportVhdxArea *region, guint64 file_size)
{
  if (region->n != 1 || region->offset < MIB || region->offset % MIB != 0 || region->length == 0 ||
      region->length % MIB != 0)
    return g_strdup_printf ("%s is not there once, in whole MiB after the first", what);
  return _imgimport_area_fault (what, region->offset, region->length, file_size);
}

static char *
regions_fault (const ImgImportView *view, const ImgImportVhdxTables *tables)
{
  char *fault;

  if (!has_checksum (&view->ranges[RANGE_REGIONS], IMGIMPORT_VHDX_TABLE))
    return g_strdup ("the table of regions has not its checksum");
  fault = region_fault ("the block table", &tables->blocks, view->size);
  return fault != NULL ? fault
                       : region_fault ("the region of metadata", &tables->metadata, view->size);
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  ImgImportVhdxTables tables;
  char *truncated;

  if (!is_vhdx (view))
    return FALSE;
  truncated =
      _imgimport_area_fault ("the table of regions", REGIONS_AT, IMGIMPORT_VHDX_TABLE, view->size);
  _imgimport_match_add_check (match, "truncated", truncated);
  if (truncated != NULL)
    return TRUE;
  read_tables (view, &tables);
  check_header (view, match);
  _imgimport_match_add_check (match, "regions", regions_fault (view, &tables));
  _imgimport_match_forbid (match, "unknown_features", tables.n_unknown > 0,
                           "a region or an item of metadata that must be understood is unknown");
  _imgimport_vhdx_check_items (&tables, view->ranges + MIN (view->n_ranges, RANGE_ITEMS),
                               view->n_ranges - MIN (view->n_ranges, RANGE_ITEMS), match);
  return TRUE;
}

const ImgImportFormat _imgimport_format_vhdx = {
  .name = "vhdx",
  .kind = IMGIMPORT_FORMAT_DISK,
  .checks = checks,
  .capture = N_HEADERS * HEADER_LENGTH + 2 * IMGIMPORT_VHDX_TABLE + ITEMS_LENGTH,
  .locate = locate,
  .match = match,
};
