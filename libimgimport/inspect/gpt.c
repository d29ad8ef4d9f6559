/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* A disk with a master boot record: partitioned by it, or by a GPT that it protects. */

#define SECTOR 512u
#define FIRST_ENTRY 446u
#define ENTRY_SIZE 16u
#define N_ENTRIES 4u
#define TYPE_PROTECTIVE 0xeeu

static const char *const checks[] = { "mbr", NULL };

static gboolean
is_fat (const guint8 *sector)
{
  /* Its boot sector bears the same signature: two tables, on a fixed disk. */
  return sector[0x10] == 2 && sector[0x15] == 0xf8;
}

static char *
entry_fault (const ImgImportRange *head, guint index)
{
  gsize at = FIRST_ENTRY + (gsize)index * ENTRY_SIZE;
  const guint8 *entry = head->data + at;
  static const guint8 protective_chs[3] = { 0, 2, 0 };

  if (entry[0] != 0x00 && entry[0] != 0x80)
    return g_strdup_printf ("partition %u has boot flag 0x%02x", index, entry[0]);
  if (entry[4] != TYPE_PROTECTIVE)
    return NULL;
  if (index != 0)
    return g_strdup_printf ("partition %u, not the first, protects a GPT", index);
  if (memcmp (entry + 1, protective_chs, sizeof protective_chs) != 0 ||
      _imgimport_range_le32 (head, at + 8) != 1)
    return g_strdup ("the partition that protects the GPT does not begin at sector 1");
  return NULL;
}

static char *
mbr_fault (const ImgImportRange *head)
{
  guint n_partitions = 0;
  gboolean protective = FALSE;

  for (guint i = 0; i < N_ENTRIES; i++)
    {
      guint8 type = head->data[FIRST_ENTRY + i * ENTRY_SIZE + 4];
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
  const ImgImportRange *head = &view->head;

  if (head->length < SECTOR || head->data[510] != 0x55 || head->data[511] != 0xaa ||
      is_fat (head->data))
    return FALSE;
  match->virtual_size = view->size;
  _imgimport_match_add_check (match, "mbr", mbr_fault (head));
  return TRUE;
}

const ImgImportFormat _imgimport_format_gpt = {
  .name = "gpt",
  .kind = IMGIMPORT_FORMAT_PARTITIONS,
  .checks = checks,
  .match = match,
};
