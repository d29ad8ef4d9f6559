/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/vhdx.h"

/* Tables as in Microsoft's MS-VHDX, little-endian. */

#define ID_LENGTH 16u
#define ENTRY_LENGTH 32u /* of both tables */
#define MAX_ENTRIES 2047u
#define REQUIRED_REGION 1u
#define USER_ITEM 1u
#define REQUIRED_ITEM 4u
#define MAX_ITEM (G_GUINT64_CONSTANT (1) << 20) /* where an item may end, in a region of 1 MiB */
#define MIB (1024u * 1024)
#define MIN_BLOCK MIB
#define MAX_BLOCK (256u * MIB)
#define HAS_PARENT 2u
#define SECTORS_PER_CHUNK (G_GUINT64_CONSTANT (1) << 23)

/* One of the tables: what is at the same place in both. */
typedef struct
{
  const guint8 *id;
  ImgImportVhdxArea *area;
} Known;

static const guint8 id_blocks[ID_LENGTH] = { 0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
                                             0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08 };
static const guint8 id_metadata[ID_LENGTH] = { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                               0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e };
static const guint8 id_parameters[ID_LENGTH] = { 0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                                 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b };
static const guint8 id_size[ID_LENGTH] = { 0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48,
                                           0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8 };
static const guint8 id_disk[ID_LENGTH] = { 0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45,
                                           0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46 };
static const guint8 id_sector[ID_LENGTH] = { 0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47,
                                             0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f };
static const guint8 id_physical[ID_LENGTH] = { 0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44,
                                               0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56 };
static const guint8 id_parent[ID_LENGTH] = { 0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45,
                                             0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c };

static const Known *
find_known (const Known *known, const guint8 *id)
{
  for (; known->id != NULL; known++)
    {
      if (memcmp (known->id, id, ID_LENGTH) == 0)
        return known;
    }
  return NULL;
}

void
_imgimport_vhdx_read_regions (ImgImportVhdxTables *self, const ImgImportRange *table)
{
  const Known known[] = { { id_blocks, &self->blocks }, { id_metadata, &self->metadata }, { 0 } };
  guint32 n;

  if (table->length < IMGIMPORT_VHDX_TABLE || memcmp (table->data, "regi", 4) != 0)
    return;
  n = MIN (_imgimport_range_le32 (table, 8), MAX_ENTRIES);
  for (gsize at = 16; n > 0; n--, at += ENTRY_LENGTH)
    {
      const Known *found = find_known (known, table->data + at);

      if (found != NULL)
        *found->area =
            (ImgImportVhdxArea){ found->area->n + 1, _imgimport_range_le64 (table, at + 16),
                                 _imgimport_range_le32 (table, at + 24) };
      else if ((_imgimport_range_le32 (table, at + 28) & REQUIRED_REGION) != 0)
        self->n_unknown++;
    }
}

void
_imgimport_vhdx_read_metadata (ImgImportVhdxTables *self, const ImgImportRange *table)
{
  ImgImportVhdxArea unused = { 0 };
  const Known known[] = { { id_parameters, &self->items[IMGIMPORT_VHDX_PARAMETERS] },
                          { id_size, &self->items[IMGIMPORT_VHDX_SIZE] },
                          { id_disk, &unused },
                          { id_sector, &self->items[IMGIMPORT_VHDX_SECTOR] },
                          { id_physical, &unused },
                          { id_parent, &self->parent },
                          { 0 } };
  guint32 n;

  if (table->length < IMGIMPORT_VHDX_TABLE || memcmp (table->data, "metadata", 8) != 0)
    return;
  n = MIN (_imgimport_range_le16 (table, 10), MAX_ENTRIES);
  for (gsize at = ENTRY_LENGTH; n > 0; n--, at += ENTRY_LENGTH)
    {
      guint32 flags = _imgimport_range_le32 (table, at + 24);
      const Known *found = (flags & USER_ITEM) == 0 ? find_known (known, table->data + at) : NULL;

      if (found != NULL)
        *found->area =
            (ImgImportVhdxArea){ found->area->n + 1, _imgimport_range_le32 (table, at + 16),
                                 _imgimport_range_le32 (table, at + 20) };
      else if ((flags & REQUIRED_ITEM) != 0)
        self->n_unknown++;
    }
}

static const gsize item_lengths[IMGIMPORT_VHDX_N_ITEMS] = {
  [IMGIMPORT_VHDX_PARAMETERS] = 8,
  [IMGIMPORT_VHDX_SIZE] = 8,
  [IMGIMPORT_VHDX_SECTOR] = 4,
};

/* Whether each is there once, of its length, behind the table. */
static gboolean
has_items (const ImgImportVhdxTables *self)
{
  for (guint i = 0; i < IMGIMPORT_VHDX_N_ITEMS; i++)
    {
      const ImgImportVhdxArea *item = &self->items[i];

      if (item->n != 1 || item->length != item_lengths[i] || item->offset < IMGIMPORT_VHDX_TABLE ||
          item->offset > MAX_ITEM - item_lengths[i])
        return FALSE;
    }
  return self->metadata.offset <= IMGIMPORT_INSPECT_DISK;
}

/* How many items lie before this one. */
static guint
rank_of (const ImgImportVhdxTables *self, guint item)
{
  guint rank = 0;

  for (guint i = 0; i < IMGIMPORT_VHDX_N_ITEMS; i++)
    {
      if (self->items[i].offset < self->items[item].offset ||
          (self->items[i].offset == self->items[item].offset && i < item))
        rank++;
    }
  return rank;
}

gboolean
_imgimport_vhdx_locate_item (const ImgImportVhdxTables *self, guint n, guint64 *offset,
                             gsize *length)
{
  guint item = 0;

  if (n >= IMGIMPORT_VHDX_N_ITEMS || !has_items (self))
    return FALSE;
  while (rank_of (self, item) != n)
    item++;
  *offset = self->metadata.offset + self->items[item].offset;
  *length = item_lengths[item];
  return TRUE;
}

/* Whether all items were captured, as those are not that lie over one another. */
static gboolean
find_items (const ImgImportVhdxTables *self, const ImgImportRange *ranges, guint n_ranges,
            const ImgImportRange **found)
{
  if (n_ranges < IMGIMPORT_VHDX_N_ITEMS || !has_items (self))
    return FALSE;
  for (guint i = 0; i < IMGIMPORT_VHDX_N_ITEMS; i++)
    {
      found[i] = &ranges[rank_of (self, i)];
      if (found[i]->length < item_lengths[i])
        return FALSE;
    }
  return TRUE;
}

/* Every block of the disk has an entry in the table of blocks, and every chunk of them one more. */
static char *
blocks_fault (const ImgImportVhdxTables *self, guint64 size, guint32 block, guint32 sector)
{
  guint64 n_blocks = size / block + (size % block != 0);
  guint64 chunk = SECTORS_PER_CHUNK * sector / block;
  guint64 n_entries = n_blocks > 0 ? n_blocks + (n_blocks - 1) / chunk : 0;

  if (n_entries <= self->blocks.length / sizeof (guint64))
    return NULL;
  return g_strdup_printf ("the block table of %" G_GUINT64_FORMAT " bytes holds less than %" //
                          G_GUINT64_FORMAT " blocks",
                          self->blocks.length, n_blocks);
}

static char *
values_fault (const ImgImportVhdxTables *self, guint64 size, guint32 block, guint32 sector)
{
  if (!_imgimport_is_power_of_2 (block) || block < MIN_BLOCK || block > MAX_BLOCK)
    return g_strdup_printf ("blocks of %u bytes, no power of 2 from %u to %u", block, MIN_BLOCK,
                            MAX_BLOCK);
  if ((sector != 512 && sector != 4096) || size % sector != 0)
    return g_strdup_printf ("sectors of %u bytes, none of 512 and 4096, or the disk is no multiple",
                            sector);
  return blocks_fault (self, size, block, sector);
}

void
_imgimport_vhdx_check_items (const ImgImportVhdxTables *self, const ImgImportRange *ranges,
                             guint n_ranges, ImgImportMatch *match)
{
  const ImgImportRange *items[IMGIMPORT_VHDX_N_ITEMS];
  guint64 size;

  if (!find_items (self, ranges, n_ranges, items))
    {
      _imgimport_match_forbid (match, "parent", self->parent.n > 0, "it names a parent");
      _imgimport_match_forbid (match, "metadata", TRUE,
                               "parameters, size or sector size are missing or out of place");
      return;
    }
  size = _imgimport_range_le64 (items[IMGIMPORT_VHDX_SIZE], 0);
  _imgimport_match_check_size (match, size);
  _imgimport_match_forbid (
      match, "parent",
      self->parent.n > 0 ||
          (_imgimport_range_le32 (items[IMGIMPORT_VHDX_PARAMETERS], 4) & HAS_PARENT) != 0,
      "it has a parent");
  _imgimport_match_add_check (
      match, "metadata",
      values_fault (self, size, _imgimport_range_le32 (items[IMGIMPORT_VHDX_PARAMETERS], 0),
                    _imgimport_range_le32 (items[IMGIMPORT_VHDX_SECTOR], 0)));
}
