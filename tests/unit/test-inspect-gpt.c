/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "images.h"

static void
put_entry (GByteArray *image, guint index, guint8 flag, guint8 type)
{
  image->data[446 + index * 16] = flag;
  image->data[446 + index * 16 + 4] = type;
}

static void
protective_record_passes (void)
{
  g_autoptr (GByteArray) image = image_new_gpt (70001);
  g_autoptr (ImgImportFacts) facts = inspect (image);
  const ImgImportMatch *match = g_ptr_array_index (facts->matches, 0);

  assert_failures (image, "");
  g_assert_cmpstr (match->format, ==, "gpt");
  g_assert_cmpuint (match->virtual_size, ==, 70001);
}

static void
faulty_tables_fail (void)
{
  static const struct
  {
    guint at;
    guint8 value;
    const char *reason;
  } rows[] = {
    { 446, 0x01, "boot flag" },    { 494, 0x7f, "boot flag" }, { 447, 1, "sector 1" },
    { 448, 1, "sector 1" },        { 449, 1, "sector 1" },     { 454, 2, "sector 1" },
    { 457, 1, "sector 1" },        { 466, 0x83, "beside" },    { 466, 0xee, "not the first" },
    { 450, 0x00, "no partition" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_gpt (1024);
      g_autoptr (ImgImportFacts) facts = NULL;
      const ImgImportMatch *match;

      image->data[rows[i].at] = rows[i].value;
      assert_failures (image, "mbr");
      facts = inspect (image);
      match = g_ptr_array_index (facts->matches, 0);
      g_assert_nonnull (
          strstr (g_array_index (match->checks, ImgImportCheck, 0).reason, rows[i].reason));
    }
}

static void
plain_partitions_may_begin_anywhere (void)
{
  g_autoptr (GByteArray) image = image_new_gpt (1024);

  memset (image->data + 446, 0x5a, 16);
  put_entry (image, 0, 0x80, 0x83);
  put_entry (image, 3, 0x00, 0x07);
  assert_failures (image, "");
}

static void
what_is_no_record_is_raw (void)
{
  g_autoptr (GByteArray) fat = image_new_gpt (1024);
  g_autoptr (GByteArray) unsigned_record = image_new_gpt (1024);
  g_autoptr (GByteArray) short_file = image_new_gpt (511);
  g_autoptr (GByteArray) exact = image_new_gpt (512);
  g_autoptr (GByteArray) empty = image_new (0);

  fat->data[0x10] = 2;
  fat->data[0x15] = 0xf8;
  assert_failures (fat, "raw");
  fat->data[0x10] = 1;
  assert_failures (fat, "");
  unsigned_record->data[510] = 0xaa;
  unsigned_record->data[511] = 0x55;
  assert_failures (unsigned_record, "raw");
  assert_failures (short_file, "raw");
  assert_failures (exact, "");
  assert_failures (empty, "raw");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/gpt/J16/protective-record-passes", protective_record_passes);
  g_test_add_func ("/inspect/gpt/J16/faulty-tables-fail", faulty_tables_fail);
  g_test_add_func ("/inspect/gpt/J16/plain-partitions-may-begin-anywhere",
                   plain_partitions_may_begin_anywhere);
  g_test_add_func ("/inspect/gpt/J34/what-is-no-record-is-raw", what_is_no_record_is_raw);
  return g_test_run ();
}
