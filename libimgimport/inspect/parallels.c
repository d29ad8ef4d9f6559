/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* An expandable image of Parallels (qemu: docs/interop/parallels.txt), which is also what ploop
 * keeps its bytes in: the two cannot be told apart. */

#define SECTOR 512u
#define HEADER ((gsize)64)
#define VERSION 2u
#define MAX_CLUSTER (0x7fffffffu / SECTOR)
#define ENTRY ((gsize)4)

static const char *const checks[] = { "truncated", "header", "data", "virtual_size", NULL };

typedef struct
{
  const ImgImportRange *head;
  gboolean extended; /* its entries count clusters, its size has 64 bits */
  guint64 cluster;   /* bytes */
  guint64 size;      /* of the disk, in sectors */
  guint64 table_end; /* offset behind the allocation table */
  guint64 data;      /* offset of the data; 0: right behind the table */
  guint64 extension; /* offset in sectors; 0: none */
  guint32 n_entries;
  guint32 version;
} Header;

static gboolean
header_read (Header *self, const ImgImportRange *head)
{
  static const char plain[] = "WithoutFreeSpace";
  static const char extended[] = "WithouFreSpacExt";

  if (head->length < 16)
    return FALSE;
  *self = (Header){ .head = head, .extended = memcmp (head->data, extended, 16) == 0 };
  if (!self->extended && memcmp (head->data, plain, 16) != 0)
    return FALSE;
  if (head->length < HEADER)
    return TRUE;
  self->version = _imgimport_range_le32 (head, 16);
  self->cluster = (guint64)_imgimport_range_le32 (head, 28) * SECTOR;
  self->n_entries = _imgimport_range_le32 (head, 32);
  self->size = self->extended ? _imgimport_range_le64 (head, 36) : _imgimport_range_le32 (head, 36);
  self->table_end = HEADER + (guint64)self->n_entries * ENTRY;
  self->data = (guint64)_imgimport_range_le32 (head, 48) * SECTOR;
  self->extension = _imgimport_range_le64 (head, 56);
  return TRUE;
}

static char *
header_fault (const Header *self, guint64 size)
{
  if (self->version != VERSION)
    return g_strdup_printf ("version %u is not %u", self->version, VERSION);
  if (self->cluster == 0 || self->cluster > (guint64)MAX_CLUSTER * SECTOR)
    return g_strdup_printf ("a cluster has %" G_GUINT64_FORMAT " bytes", self->cluster);
  if (self->table_end > size)
    return g_strdup_printf ("the allocation table of %u entries leaves the file", self->n_entries);
  if (self->size > self->n_entries * (self->cluster / SECTOR))
    return g_strdup_printf ("%u entries are too few for the disk", self->n_entries);
  if (self->data != 0 && (self->data < self->table_end || self->data > size))
    return g_strdup_printf ("the data begins at %" G_GUINT64_FORMAT
                            ", within the table or outside of the file",
                            self->data);
  if (self->extension > size / SECTOR)
    return g_strdup_printf (
        "the extension at sector %" G_GUINT64_FORMAT " lies outside of the file", self->extension);
  return NULL;
}

/* Where the entries that were captured point to. 0 is a cluster of zeros. */
static char *
data_fault (const Header *self, guint64 size)
{
  guint64 unit = self->extended ? self->cluster : SECTOR;
  guint64 begin = MAX (self->table_end, self->data);

  for (guint32 i = 0; i < self->n_entries; i++)
    {
      gsize at = HEADER + i * ENTRY;
      guint64 offset;

      if (!_imgimport_range_holds (self->head, at, ENTRY))
        return NULL;
      offset = _imgimport_range_le32 (self->head, at) * unit;
      if (offset != 0 && (offset < begin || offset >= size))
        return g_strdup_printf ("cluster %u at %" G_GUINT64_FORMAT " lies outside of the data", i,
                                offset);
    }
  return NULL;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  Header header;
  char *fault;

  if (!header_read (&header, &view->head))
    return FALSE;
  if (!_imgimport_match_check_length (match, &view->head, HEADER))
    return TRUE;
  fault = header_fault (&header, view->size);
  if (fault == NULL)
    _imgimport_match_add_check (match, "data", data_fault (&header, view->size));
  _imgimport_match_add_check (match, "header", fault);
  _imgimport_match_check_size (match, MIN (header.size, G_MAXUINT64 / SECTOR) * SECTOR);
  return TRUE;
}

const ImgImportFormat _imgimport_format_parallels = {
  .name = "parallels",
  .checks = checks,
  .match = match,
};
