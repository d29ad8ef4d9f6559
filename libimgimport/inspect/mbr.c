/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/mbr.h"

/* A disk that is partitioned by its master boot record. */

#define SECTOR 512u
#define FIRST_ENTRY 446u
#define ENTRY_SIZE 16u
#define N_ENTRIES 4u
#define TYPE_PROTECTIVE 0xeeu

static const char *const checks[] = { "mbr", NULL };

static const guint8 *
entry_of (const ImgImportRange *head, guint index)
{
  return head->data + FIRST_ENTRY + (gsize)index * ENTRY_SIZE;
}

static gboolean
has_boot_flag (const guint8 *entry)
{
  return entry[0] == 0x00 || entry[0] == 0x80;
}

static gboolean
is_fat (const guint8 *sector)
{
  /* Its boot sector bears the same signature: two tables, on a fixed disk. */
  return sector[0x10] == 2 && sector[0x15] == 0xf8;
}

/* The signature alone would be found in one of 65536 images of anything. With three of the four
 * flags it is rarer than 2^-32, and a table with one wrong flag is still one to be refused. */
static gboolean
is_plausible (const ImgImportRange *head)
{
  guint n_flags = 0;

  for (guint i = 0; i < N_ENTRIES; i++)
    n_flags += has_boot_flag (entry_of (head, i)) ? 1 : 0;
  return n_flags + 1 >= N_ENTRIES;
}

gboolean
_imgimport_mbr_read (const ImgImportRange *head, gboolean *protective)
{
  *protective = FALSE;
  if (head->length < SECTOR || head->data[510] != 0x55 || head->data[511] != 0xaa ||
      is_fat (head->data) || !is_plausible (head))
    return FALSE;
  for (guint i = 0; i < N_ENTRIES; i++)
    *protective |= entry_of (head, i)[4] == TYPE_PROTECTIVE;
  return TRUE;
}

static char *
entry_fault (const ImgImportRange *head, guint index)
{
  const guint8 *entry = entry_of (head, index);
  static const guint8 protective_chs[3] = { 0, 2, 0 };

  if (!has_boot_flag (entry))
    return g_strdup_printf ("partition %u has boot flag 0x%02x", index, entry[0]);
  if (entry[4] != TYPE_PROTECTIVE)
    return NULL;
  if (index != 0)
    return g_strdup_printf ("partition %u, not the first, protects a GPT", index);
  if (_imgimport_range_le32 (head, FIRST_ENTRY + 8) != 1)
    return g_strdup ("the partition that protects the GPT does not begin at sector 1");
  if (memcmp (entry + 1, protective_chs, sizeof protective_chs) != 0)
    return g_strdup_printf ("the partition that protects the GPT begins at CHS bytes %02x %02x "
                            "%02x, not 00 02 00",
                            entry[1], entry[2], entry[3]);
  return NULL;
}

char *
_imgimport_mbr_fault (const ImgImportRange *head)
{
  guint n_partitions = 0;
  gboolean protective = FALSE;

  for (guint i = 0; i < N_ENTRIES; i++)
    {
      guint8 type = entry_of (head, i)[4];
      char *fault = entry_fault (head, i);

      if (fault != NULL)
        return fault;
      n_partitions += type != 0;
      protective |= type == TYPE_PROTECTIVE;
    }
  if (n_partitions == 0)
    return g_strdup ("there is no partition");
  if (protective && n_partitions > 1)
    return g_strdup ("there is a partition beside the one that protects the GPT");
  return NULL;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  gboolean protective = FALSE;

  if (!_imgimport_mbr_read (&view->head, &protective) || protective)
    return FALSE;
  match->virtual_size = view->size;
  _imgimport_match_add_check (match, "mbr", _imgimport_mbr_fault (&view->head));
  return TRUE;
}

const ImgImportFormat _imgimport_format_mbr = {
  .name = "mbr",
  .kind = IMGIMPORT_FORMAT_PARTITIONS,
  .checks = checks,
  .match = match,
};
