/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* The header of version 1.1 as VirtualBox's VDICore declares it, little-endian: a pre-header of 72
 * bytes, whose last two words are the signature and the version, then the header. */

#define MIN_SIZE 512u
#define SIGNATURE 0xbeda107fu
#define SIGNATURE_AT 0x40u
#define VERSION 0x00010001u
#define HEADER_AT 0x48u      /* begins with its own length */
#define HEADER_LENGTH 0x180u /* of the least header, which ends with the UUIDs */
#define SECTOR 512u
#define MAP_ENTRY 4u
#define TYPE_DYNAMIC 1u
#define TYPE_FIXED 2u
#define UUID_LENGTH 16u
#define LINK_UUID_AT 0x1a8u
#define PARENT_UUID_AT 0x1b8u

static const char *const checks[] = { "truncated", "virtual_size", "parent", "version",
                                      "header",    "blocks",       NULL };

static gboolean
has_uuid (const ImgImportRange *head, gsize at)
{
  static const guint8 none[UUID_LENGTH] = { 0 };

  return memcmp (head->data + at, none, UUID_LENGTH) != 0;
}

static char *
parent_fault (const ImgImportRange *head)
{
  guint32 type = _imgimport_range_le32 (head, 0x4c);

  if (type != TYPE_DYNAMIC && type != TYPE_FIXED)
    return g_strdup_printf ("image type %u is no disk of its own", type);
  if (has_uuid (head, LINK_UUID_AT) || has_uuid (head, PARENT_UUID_AT))
    return g_strdup ("it names a parent");
  return NULL;
}

static char *
version_fault (const ImgImportRange *head)
{
  guint32 version = _imgimport_range_le32 (head, 0x44);

  if (version == VERSION)
    return NULL;
  return g_strdup_printf ("version %u.%u is not 1.1", version >> 16, version & 0xffff);
}

/* The map of blocks lies behind the header, and the blocks behind their map. */
static char *
header_fault (const ImgImportView *view)
{
  guint32 length = _imgimport_range_le32 (&view->head, HEADER_AT);
  guint32 map = _imgimport_range_le32 (&view->head, 0x154);
  guint32 data = _imgimport_range_le32 (&view->head, 0x158);
  guint64 map_length = (guint64)_imgimport_range_le32 (&view->head, 0x180) * MAP_ENTRY;

  if (length < HEADER_LENGTH || (guint64)HEADER_AT + length > map)
    return g_strdup_printf ("a header of %u bytes, less than %u or beyond the block map at %u",
                            length, HEADER_LENGTH, map);
  if (map % SECTOR != 0 || data % SECTOR != 0)
    return g_strdup_printf ("the block map at %u or the data at %u begins at no sector", map, data);
  return _imgimport_area_fault ("the block map", map, map_length, MIN (data, view->size));
}

static char *
blocks_fault (const ImgImportView *view, guint64 size)
{
  guint32 block = _imgimport_range_le32 (&view->head, 0x178);
  guint64 stride = (guint64)block + _imgimport_range_le32 (&view->head, 0x17c);
  guint32 n = _imgimport_range_le32 (&view->head, 0x180);
  guint32 n_allocated = _imgimport_range_le32 (&view->head, 0x184);

  if (!_imgimport_is_power_of_2 (block) || block < SECTOR)
    return g_strdup_printf ("blocks of %u bytes, no power of 2 from %u", block, SECTOR);
  if (size > (guint64)block * n)
    return g_strdup_printf ("%u blocks of %u bytes are less than the disk", n, block);
  if (n_allocated > n)
    return g_strdup_printf ("%u of %u blocks are allocated", n_allocated, n);
  /* Both factors have 32 bits, or one more. */
  if (stride > G_MAXUINT32)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes from block to block", stride);
  return _imgimport_area_fault ("the data", _imgimport_range_le32 (&view->head, 0x158),
                                stride * n_allocated, view->size);
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  const ImgImportRange *head = &view->head;
  guint64 size;
  char *version;

  if (!_imgimport_range_holds (head, SIGNATURE_AT, sizeof (guint32)) ||
      _imgimport_range_le32 (head, SIGNATURE_AT) != SIGNATURE)
    return FALSE;
  if (!_imgimport_match_check_length (match, head, MIN_SIZE))
    return TRUE;
  version = version_fault (head);
  _imgimport_match_add_check (match, "version", version);
  /* The rest of another version's header lies elsewhere. */
  if (version != NULL)
    return TRUE;
  size = _imgimport_range_le64 (head, 0x170);
  _imgimport_match_check_size (match, size);
  _imgimport_match_add_check (match, "parent", parent_fault (head));
  _imgimport_match_add_check (match, "header", header_fault (view));
  _imgimport_match_add_check (match, "blocks", blocks_fault (view, size));
  return TRUE;
}

const ImgImportFormat _imgimport_format_vdi = {
  .name = "vdi",
  .checks = checks,
  .match = match,
};
