/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect-feed.h"

#include "shell.h"

static void
table_passes (void)
{
  g_autoptr (GByteArray) image = image_new_mbr (70001);

  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "mbr");
  g_assert_cmpuint (virtual_size_of (image), ==, 70001);
  assert_same_however_fed (image);
}

static void
partitions_may_begin_anywhere (void)
{
  g_autoptr (GByteArray) image = image_new_mbr (1024);

  memset (image->data + 446, 0x5a, 16);
  image->data[446] = 0x80;
  image->data[450] = 0x83;
  image->data[498] = 0x07;
  assert_failures (image, "");
}

static void
faulty_tables_fail (void)
{
  g_autoptr (GByteArray) flagged = image_new_mbr (1024);
  g_autoptr (GByteArray) empty = image_new_mbr (1024);

  flagged->data[494] = 0x7f;
  assert_failures (flagged, "mbr");
  assert_reason (flagged, "mbr", "partition 3 has boot flag 0x7f");
  empty->data[450] = 0;
  assert_failures (empty, "mbr");
  assert_reason (empty, "mbr", "no partition");
}

/* A GPT that no record protects is none to firmware. */
static void
unprotected_gpt_is_its_record (void)
{
  g_autoptr (GByteArray) image = image_new_gpt (IMAGE_GPT_SIZE);

  image->data[450] = 0x83;
  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "mbr");
}

static void
what_is_no_record_is_raw (void)
{
  g_autoptr (GByteArray) fat = image_new_mbr (1024);
  g_autoptr (GByteArray) unsigned_record = image_new_mbr (1024);
  g_autoptr (GByteArray) noise = image_new_mbr (1024);
  g_autoptr (GByteArray) short_file = image_new_mbr (511);
  g_autoptr (GByteArray) exact = image_new_mbr (512);
  g_autoptr (GByteArray) empty = image_new (0);

  fat->data[0x10] = 2;
  fat->data[0x15] = 0xf8;
  assert_failures (fat, "raw");
  fat->data[0x10] = 1;
  assert_failures (fat, "");
  unsigned_record->data[510] = 0xaa;
  unsigned_record->data[511] = 0x55;
  assert_failures (unsigned_record, "raw");
  noise->data[446] = 1;
  assert_failures (noise, "mbr");
  noise->data[462] = 0xff;
  assert_failures (noise, "raw");
  assert_failures (short_file, "raw");
  assert_failures (exact, "");
  assert_failures (empty, "raw");
}

static void
sfdisk_dos_passes (void)
{
  g_autoptr (GByteArray) image = shell_image (
      "sfdisk", "truncate -s 4M image; echo 'label: dos\n1M,2M\n,,L' | sfdisk -q image");

  if (image == NULL)
    return;
  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "mbr");
}

static void
file_systems_without_a_table_are_raw (void)
{
  g_autoptr (GByteArray) image =
      shell_image ("mke2fs", "truncate -s 4M image; mke2fs -q -t ext4 image");

  if (image != NULL)
    assert_failures (image, "raw");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/mbr/J16/table-passes", table_passes);
  g_test_add_func ("/inspect/mbr/J16/partitions-may-begin-anywhere", partitions_may_begin_anywhere);
  g_test_add_func ("/inspect/mbr/J16/J27/faulty-tables-fail", faulty_tables_fail);
  g_test_add_func ("/inspect/mbr/unprotected-gpt-is-its-record", unprotected_gpt_is_its_record);
  g_test_add_func ("/inspect/mbr/J34/what-is-no-record-is-raw", what_is_no_record_is_raw);
  g_test_add_func ("/inspect/mbr/sfdisk-dos-passes", sfdisk_dos_passes);
  g_test_add_func ("/inspect/mbr/file-systems-without-a-table-are-raw",
                   file_systems_without_a_table_are_raw);
  return g_test_run ();
}
