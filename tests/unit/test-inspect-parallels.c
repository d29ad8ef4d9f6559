/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu-image.h"

#include "shell.h"

#define CLUSTER 2048u /* bytes; 4 sectors */
#define SIZE (3 * CLUSTER)

/* A disk of 15 sectors in four clusters; the second lies at 1, the fourth at 2. */
static GByteArray *
image_new_parallels (gboolean extended)
{
  GByteArray *image = image_new (SIZE);
  guint unit = extended ? 1 : CLUSTER / 512;

  memcpy (image->data, extended ? "WithouFreSpacExt" : "WithoutFreeSpace", 16);
  put_le32 (image, 16, 2);
  put_le32 (image, 20, 16);
  put_le32 (image, 24, 1);
  put_le32 (image, 28, CLUSTER / 512);
  put_le32 (image, 32, 4);
  put_le32 (image, 36, 15);
  put_le32 (image, 44, 0x312e3276);
  put_le32 (image, 48, CLUSTER / 512);
  put_le32 (image, 64 + 4, unit);
  put_le32 (image, 64 + 12, 2 * unit);
  return image;
}

static void
either_magic_passes (void)
{
  for (guint extended = 0; extended < 2; extended++)
    {
      g_autoptr (GByteArray) image = image_new_parallels (extended != 0);

      assert_failures (image, "");
      g_assert_cmpstr (format_of (image), ==, "parallels");
      g_assert_cmpuint (virtual_size_of (image), ==, 15 * 512);
      assert_same_however_fed (image);
    }
}

/* To the plain magic, the upper half of the size is no part of it. */
static void
size_has_64_bits_by_magic (void)
{
  g_autoptr (GByteArray) plain = image_new_parallels (FALSE);
  g_autoptr (GByteArray) extended = image_new_parallels (TRUE);

  put_le32 (plain, 40, 1);
  assert_failures (plain, "");
  put_le32 (extended, 40, 1);
  assert_failures (extended, "header");
  assert_reason (extended, "header", "too few");
}

/* Each row lies in one 32-bit field, of the extended format. */
static void
lies_fail (void)
{
  static const struct
  {
    guint at;
    guint32 value;
    const char *failures;
    const char *reason;
  } rows[] = {
    { 16, 1, "header", "version 1" },
    { 16, 3, "header", "version 3" },
    { 16, G_MAXUINT32, "header", "version" },
    { 28, 0, "header", "cluster has 0" },
    { 28, 0x400000, "header", "cluster has" },
    { 28, G_MAXUINT32, "header", "cluster has" },
    { 32, 0, "header", "0 entries are too few" },
    { 32, 3, "header", "3 entries are too few" },
    { 32, SIZE, "header", "leaves the file" },
    { 32, G_MAXUINT32, "header", "leaves the file" },
    { 36, 17, "header", "too few" },
    { 36, 0, "virtual_size", "is empty" },
    { 48, 1, "", NULL },
    { 48, 0, "", NULL },
    { 48, SIZE / 512, "data", "cluster 1" },
    { 48, SIZE / 512 + 1, "header", "outside" },
    { 48, G_MAXUINT32, "header", "outside" },
    { 56, SIZE / 512 + 1, "header", "extension" },
    { 60, 1, "header", "extension at sector 4294967296" },
    { 60, G_MAXUINT32, "header", "extension" },
    { 64, 3, "data", "cluster 0 at " },
    { 64 + 12, G_MAXUINT32, "data", "cluster 3" },
    { 64 + 16, G_MAXUINT32, "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_parallels (TRUE);

      put_le32 (image, rows[i].at, rows[i].value);
      assert_failures (image, rows[i].failures);
      if (rows[i].reason != NULL)
        assert_reason (image, rows[i].failures, rows[i].reason);
    }
}

static void
cluster_over_the_table_fails (void)
{
  g_autoptr (GByteArray) image = image_new_parallels (FALSE);

  put_le32 (image, 32, 512);
  put_le32 (image, 48, 0);
  assert_failures (image, "data");
  put_le32 (image, 64 + 4, 5);
  assert_failures (image, "");
}

static void
data_within_the_table_fails (void)
{
  g_autoptr (GByteArray) image = image_new_parallels (FALSE);

  put_le32 (image, 32, 1000);
  assert_failures (image, "header");
  assert_reason (image, "header", ", within the table");
}

static void
largest_sizes_have_no_overflow (void)
{
  g_autoptr (GByteArray) image = image_new_parallels (TRUE);

  put_le32 (image, 36, G_MAXUINT32);
  put_le32 (image, 40, G_MAXUINT32);
  assert_failures (image, "header,virtual_size");
  g_assert_cmpuint (virtual_size_of (image), ==, IMGIMPORT_SIZE_UNKNOWN);
}

static void
entries_behind_the_head_are_not_followed (void)
{
  g_autoptr (GByteArray) image = image_new_parallels (TRUE);

  g_byte_array_set_size (image, 100 * CLUSTER);
  memset (image->data + 80, 0, image->len - 80);
  put_le32 (image, 32, 20000);
  put_le32 (image, 48, 50 * CLUSTER / 512);
  put_le32 (image, 68, 60);
  put_le32 (image, 76, 61);
  put_le32 (image, 65532, 99);
  put_le32 (image, 65536, 100);
  assert_failures (image, "");
  put_le32 (image, 65532, 100);
  assert_failures (image, "data");
  assert_same_however_fed (image);
}

static void
cut_off_image_fails (void)
{
  g_autoptr (GByteArray) image = image_new_parallels (TRUE);
  GByteArray magic = { image->data, 16 };
  GByteArray less = { image->data, 15 };

  assert_failures (&magic, "truncated");
  assert_failures (&less, "raw");
  assert_cut_anywhere (image, 16, 1, 2 * CLUSTER);
}

/* The bytes of a ploop disk are these, and its records say so. */
static void
may_be_declared_ploop (void)
{
  static const struct
  {
    const char *declared;
    gboolean agrees;
  } rows[] = { { "parallels", TRUE }, { "ploop", TRUE }, { "raw", FALSE }, { "qcow2", FALSE } };
  g_autoptr (ImgImportFormatPolicy) policy = imgimport_format_policy_new_from_json (NULL, NULL);
  g_autoptr (GByteArray) image = image_new_parallels (TRUE);
  g_autoptr (ImgImportFacts) facts = inspect (image);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      ImgImportVerdict verdict;

      g_assert_true (_imgimport_facts_judge (facts, policy, rows[i].declared, "bare", &verdict,
                                             &error) == rows[i].agrees);
      if (!rows[i].agrees)
        g_assert_cmpstr (imgimport_error_get_reason (error), ==, "format-mismatch");
    }
}

/* ---- as qemu sees it ------------------------------------------------------------------------- */

static void
qemu_img_agrees (void)
{
  for (guint extended = 0; extended < 2 && shell_has ("qemu-img"); extended++)
    {
      g_autoptr (GByteArray) image = image_new_parallels (extended != 0);
      g_autofree char *dir = shell_make_dir ();
      g_autofree char *path = g_build_filename (dir, "image", NULL);
      g_autoptr (GError) error = NULL;

      g_file_set_contents (path, (const char *)image->data, image->len, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (qemu_virtual_size (dir, "parallels"), ==, virtual_size_of (image));
      shell_remove_dir (dir);
    }
}

static const QemuRow qemu_rows[] = {
  { "created", "parallels", "image 64M", "", FALSE },
  { "created-small-clusters", "parallels", "-o cluster_size=64k image 5M", "", FALSE },
  { "converted", "parallels", "base image", "", TRUE },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/parallels/either-magic-passes", either_magic_passes);
  g_test_add_func ("/inspect/parallels/size-has-64-bits-by-magic", size_has_64_bits_by_magic);
  g_test_add_func ("/inspect/parallels/C38/lies-fail", lies_fail);
  g_test_add_func ("/inspect/parallels/cluster-over-the-table-fails", cluster_over_the_table_fails);
  g_test_add_func ("/inspect/parallels/data-within-the-table-fails", data_within_the_table_fails);
  g_test_add_func ("/inspect/parallels/C38/largest-sizes-have-no-overflow",
                   largest_sizes_have_no_overflow);
  g_test_add_func ("/inspect/parallels/entries-behind-the-head-are-not-followed",
                   entries_behind_the_head_are_not_followed);
  g_test_add_func ("/inspect/parallels/cut-off-image-fails", cut_off_image_fails);
  g_test_add_func ("/inspect/parallels/C41/may-be-declared-ploop", may_be_declared_ploop);
  g_test_add_func ("/inspect/parallels/qemu-img-agrees", qemu_img_agrees);
  qemu_add_tests ("/inspect/parallels/qemu", qemu_rows, G_N_ELEMENTS (qemu_rows));
  return g_test_run ();
}
