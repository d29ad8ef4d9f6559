/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/mbr.h"

/* A disk that is partitioned by a GPT (UEFI 2.10, section 5.3), which a master boot record
 * protects: without that, firmware and kernels look at no GPT. */

#define MIN_SECTOR 512u
#define MAX_SECTOR 4096u
#define MIN_HEADER 92u
#define MIN_ENTRY 128u
#define MAX_ENTRIES_LENGTH (1024u * 1024)

static const char *const checks[] = { "mbr", "header", "entries", NULL };

/* Where the header lies, which is sector 1; 0: nowhere. */
static gsize
find_header (const ImgImportRange *head)
{
  for (gsize sector = MIN_SECTOR; sector <= MAX_SECTOR; sector *= 2)
    {
      if (_imgimport_range_holds (head, sector, sector) &&
          memcmp (head->data + sector, "EFI PART", 8) == 0)
        return sector;
    }
  return 0;
}

static char *
header_fault (const ImgImportRange *head, gsize sector)
{
  static const guint8 no_crc[4] = { 0 };
  guint32 crc = G_MAXUINT32;
  guint32 length;

  if (sector == 0)
    return g_strdup ("there is no header in sector 1");
  length = _imgimport_range_le32 (head, sector + 12);
  if (length < MIN_HEADER || length > sector)
    return g_strdup_printf ("the header has %u bytes", length);
  crc = _imgimport_crc32_update (crc, head->data + sector, 16);
  crc = _imgimport_crc32_update (crc, no_crc, sizeof no_crc);
  crc = _imgimport_crc32_update (crc, head->data + sector + 20, length - 20);
  if (~crc != _imgimport_range_le32 (head, sector + 16))
    return g_strdup ("the header contradicts its checksum");
  if (_imgimport_range_le64 (head, sector + 24) != 1)
    return g_strdup ("the header says that it lies elsewhere");
  if (_imgimport_range_le64 (head, sector + 40) > _imgimport_range_le64 (head, sector + 48))
    return g_strdup ("no sector is left for partitions");
  return NULL;
}

static char *
entries_fault (const ImgImportRange *head, gsize sector, guint64 size)
{
  guint64 first = _imgimport_range_le64 (head, sector + 72);
  guint32 n = _imgimport_range_le32 (head, sector + 80);
  guint32 entry = _imgimport_range_le32 (head, sector + 84);
  guint64 length = (guint64)n * entry;

  if (entry < MIN_ENTRY || (entry & (entry - 1)) != 0)
    return g_strdup_printf ("an entry has %u bytes", entry);
  if (length == 0 || length > MAX_ENTRIES_LENGTH)
    return g_strdup_printf ("%u entries of %u bytes are none or too many", n, entry);
  if (first < 2 || first > size / sector || length > size - first * sector)
    return g_strdup_printf ("the entries of %" G_GUINT64_FORMAT
                            " bytes at sector %" G_GUINT64_FORMAT
                            " leave the disk, or lie over its first two sectors",
                            length, first);
  if (_imgimport_range_holds (head, (gsize)MIN (first * sector, G_MAXSIZE), (gsize)length) &&
      ~_imgimport_crc32_update (G_MAXUINT32, head->data + first * sector, (gsize)length) !=
          _imgimport_range_le32 (head, sector + 88))
    return g_strdup ("the entries contradict their checksum");
  return NULL;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  const ImgImportRange *head = &view->head;
  gboolean protective = FALSE;
  gsize sector;
  char *fault;

  if (!_imgimport_mbr_read (head, &protective) || !protective)
    return FALSE;
  match->virtual_size = view->size;
  _imgimport_match_add_check (match, "mbr", _imgimport_mbr_fault (head));
  sector = find_header (head);
  fault = header_fault (head, sector);
  if (fault == NULL)
    _imgimport_match_add_check (match, "entries", entries_fault (head, sector, view->size));
  _imgimport_match_add_check (match, "header", fault);
  return TRUE;
}

const ImgImportFormat _imgimport_format_gpt = {
  .name = "gpt",
  .kind = IMGIMPORT_FORMAT_PARTITIONS,
  .checks = checks,
  .match = match,
};
