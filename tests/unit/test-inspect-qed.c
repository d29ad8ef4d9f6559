/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu-image.h"

#define CLUSTER 4096u
#define SIZE (3 * CLUSTER)

/* Clusters of 4 KiB: the header, a table of one, and one more. */
static GByteArray *
image_new_qed (void)
{
  GByteArray *image = image_new (SIZE);

  put_le32 (image, 0, 0x444551);
  put_le32 (image, 4, CLUSTER);
  put_le32 (image, 8, 1);
  put_le32 (image, 12, 1);
  put_le64 (image, 40, CLUSTER);
  put_le64 (image, 48, 1024 * 1024);
  return image;
}

static void
only_the_ban_fails_a_good_one (void)
{
  g_autoptr (GByteArray) image = image_new_qed ();

  assert_failures (image, "banned");
  g_assert_cmpstr (format_of (image), ==, "qed");
  g_assert_cmpuint (virtual_size_of (image), ==, 1024 * 1024);
  assert_same_however_fed (image);
}

static void
lies_fail (void)
{
  static const struct
  {
    guint at;
    guint64 value;
    const char *failures;
  } rows[] = {
    { 16, 0x1, "banned,backing_file" },
    { 16, 0x6, "banned" },
    { 16, 0x8, "banned,unknown_features" },
    { 16, G_MAXUINT64, "banned,backing_file,unknown_features" },
    { 4, 0x100000000, "banned,header" },
    { 4, 0x100000800, "banned,header" },
    { 4, 0x100001001, "banned,header" },
    { 4, 0x108000000, "banned,header" },
    { 4, 0x000001000, "banned,header" },
    { 4, 0x200001000, "banned" },
    { 4, 0x300001000, "banned,header" },
    { 4, 0x400001000, "banned,header" }, /* a table of 16 KiB in 8 */
    { 4, 0x2000001000, "banned,header" },
    { 8, 1, "banned,header" },
    { 8, 0x100000001, "banned" },
    { 8, 0x200000001, "banned,header" },
    { 40, 0, "banned,header" },
    { 40, CLUSTER + 1, "banned,header" },
    { 40, 2 * CLUSTER, "banned" },
    { 40, 3 * CLUSTER, "banned,header" },
    { 40, G_MAXUINT64 - CLUSTER + 1, "banned,header" },
    { 48, 0, "banned,virtual_size" },
    { 48, 511, "banned,virtual_size" },
    { 48, G_GUINT64_CONSTANT (512) * 512 * CLUSTER, "banned" },
    { 48, G_GUINT64_CONSTANT (512) * 512 * CLUSTER + 512, "banned,header" },
    { 48, G_GUINT64_CONSTANT (1) << 63, "banned,virtual_size,header" },
    { 48, G_MAXUINT64, "banned,virtual_size,header" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_qed ();

      put_le64 (image, rows[i].at, rows[i].value);
      assert_failures (image, rows[i].failures);
    }
}

static void
torn_one_is_no_raw_one (void)
{
  g_autoptr (GByteArray) image = image_new_qed ();

  assert_cut_anywhere (image, 0, 7, SIZE);
  g_byte_array_set_size (image, 511);
  assert_failures (image, "banned,truncated");
  g_byte_array_set_size (image, 4);
  assert_failures (image, "banned,truncated");
  g_byte_array_set_size (image, 3);
  assert_failures (image, "raw");
}

static const QemuRow real_rows[] = {
  { "plain", "qed", "image 8M", "banned", FALSE },
  { "small-clusters", "qed", "-o cluster_size=4096,table_size=1 image 8M", "banned", FALSE },
  { "large-tables", "qed", "-o table_size=16 image 8M", "banned", FALSE },
  { "backing", "qed", "-b base -F raw image 4M", "banned,backing_file", FALSE },
  { "data", "qed", "base image", "banned", TRUE },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/qed/only-the-ban-fails-a-good-one", only_the_ban_fails_a_good_one);
  g_test_add_func ("/inspect/qed/C36/C38/lies-fail", lies_fail);
  g_test_add_func ("/inspect/qed/C36/torn-one-is-no-raw-one", torn_one_is_no_raw_one);
  qemu_add_tests ("/inspect/qed/real", real_rows, G_N_ELEMENTS (real_rows));
  return g_test_run ();
}
