/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect-feed.h"

#include "shell.h"

typedef struct
{
  guint at;
  guint8 value;
  const char *reason;
} Row;

/* ---- the record that protects ---------------------------------------------------------------- */

static void
protected_table_passes (void)
{
  g_autoptr (GByteArray) image = image_new_gpt (70001);

  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "gpt");
  g_assert_cmpuint (virtual_size_of (image), ==, 70001);
  assert_same_however_fed (image);
}

static void
faulty_records_fail (void)
{
  static const Row rows[] = {
    { 446, 0x01, "boot flag" },       { 494, 0x7f, "boot flag" },
    { 447, 1, "CHS bytes 01 02 00" }, { 448, 1, "CHS bytes 00 01 00" },
    { 449, 1, "CHS bytes 00 02 01" }, { 454, 2, "sector 1" },
    { 457, 1, "sector 1" },           { 466, 0x83, "beside" },
    { 466, 0xee, "not the first" },   { 498, 0xee, "not the first" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_gpt (IMAGE_GPT_SIZE);

      image->data[rows[i].at] = rows[i].value;
      assert_failures (image, "mbr");
      assert_reason (image, "mbr", rows[i].reason);
      g_assert_cmpstr (format_of (image), ==, "gpt");
    }
}

/* ---- the table that is protected ------------------------------------------------------------- */

static void
header_lies_fail (void)
{
  static const Row rows[] = {
    { 512, 'e', "no header" },      { 519, 0, "no header" },     { 524, 91, "91 bytes" },
    { 525, 2, "604 bytes" },        { 527, 0xff, "bytes" },      { 512 + 56, 1, "checksum" },
    { 512 + 88, 0xff, "checksum" }, { 512 + 16, 0, "checksum" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_gpt (IMAGE_GPT_SIZE);

      image->data[rows[i].at] = rows[i].value;
      assert_failures (image, "header");
      assert_reason (image, "header", rows[i].reason);
    }
}

/* With a checksum that is right. */
static void
sealed_lies_fail (void)
{
  static const struct
  {
    guint at;
    guint64 value;
    const char *check;
    const char *reason;
  } rows[] = {
    { 24, 2, "header", "elsewhere" },
    { 24, G_MAXUINT64, "header", "elsewhere" },
    { 40, 10, "header", "no sector" },
    { 72, 0, "entries", "leave the disk" },
    { 72, 1, "entries", "at sector 1 leave the disk" },
    { 72, 3, "entries", "leave the disk" },
    { 72, 4, "entries", "leave the disk" },
    { 72, G_MAXUINT64, "entries", "leave the disk" },
    { 72, G_GUINT64_CONSTANT (1) << 55, "entries", "leave the disk" },
    { 80, G_GUINT64_CONSTANT (127) << 32 | 4, "entries", "127 bytes" },
    { 80, G_GUINT64_CONSTANT (64) << 32 | 8, "entries", "64 bytes" },
    { 80, G_GUINT64_CONSTANT (192) << 32 | 2, "entries", "192 bytes" },
    { 80, 4, "entries", "0 bytes" },
    { 80, G_GUINT64_CONSTANT (128) << 32, "entries", "none or too many" },
    { 80, G_GUINT64_CONSTANT (128) << 32 | 8193, "entries", "none or too many" },
    { 80, G_GUINT64_CONSTANT (0x80000000) << 32 | G_MAXUINT32, "entries", "none or too many" },
    { 80, G_GUINT64_CONSTANT (128) << 32 | 5, "entries", "leave the disk" },
    { 80, G_GUINT64_CONSTANT (128) << 32 | 3, "entries", "checksum" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_gpt (IMAGE_GPT_SIZE);

      put_le64 (image, 512 + rows[i].at, rows[i].value);
      if (rows[i].at == 80 && rows[i].value == (G_GUINT64_CONSTANT (128) << 32 | 3))
        image->data[1024 + 384] = 1;
      image_seal_gpt (image);
      assert_failures (image, rows[i].check);
      assert_reason (image, rows[i].check, rows[i].reason);
    }
}

static void
entries_behind_the_head_are_not_summed (void)
{
  g_autoptr (GByteArray) image = image_new_gpt (70000);

  put_le64 (image, 512 + 72, 130);
  image_seal_gpt (image);
  assert_failures (image, "");
  put_le64 (image, 512 + 72, 136);
  image_seal_gpt (image);
  assert_failures (image, "entries");
}

static void
larger_sectors_are_found (void)
{
  g_autoptr (GByteArray) small = image_new_gpt (IMAGE_GPT_SIZE);
  g_autoptr (GByteArray) large = image_new_gpt (65536);

  memset (large->data + 512, 0, 1024);
  memcpy (large->data + 4096, small->data + 512, 512);
  assert_failures (large, "");
  large->data[8192] = 1;
  assert_failures (large, "entries");
}

static void
cut_off_table_fails (void)
{
  g_autoptr (GByteArray) image = image_new_gpt (IMAGE_GPT_SIZE + 1);

  assert_cut_anywhere (image, 512, 1, IMAGE_GPT_SIZE);
}

/* ---- as others make it ----------------------------------------------------------------------- */

static void
sfdisk_gpt_passes (void)
{
  g_autoptr (GByteArray) image = shell_image (
      "sfdisk", "truncate -s 4M image; echo 'label: gpt\n1M,2M\n,,L' | sfdisk -q image");

  if (image == NULL)
    return;
  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "gpt");
  g_assert_cmpuint (virtual_size_of (image), ==, 4 * 1024 * 1024);
  image->data[1024]++;
  assert_failures (image, "entries");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/gpt/J16/protected-table-passes", protected_table_passes);
  g_test_add_func ("/inspect/gpt/J16/C45/faulty-records-fail", faulty_records_fail);
  g_test_add_func ("/inspect/gpt/header-lies-fail", header_lies_fail);
  g_test_add_func ("/inspect/gpt/sealed-lies-fail", sealed_lies_fail);
  g_test_add_func ("/inspect/gpt/entries-behind-the-head-are-not-summed",
                   entries_behind_the_head_are_not_summed);
  g_test_add_func ("/inspect/gpt/larger-sectors-are-found", larger_sectors_are_found);
  g_test_add_func ("/inspect/gpt/cut-off-table-fails", cut_off_table_fails);
  g_test_add_func ("/inspect/gpt/J01/sfdisk-gpt-passes", sfdisk_gpt_passes);
  return g_test_run ();
}
