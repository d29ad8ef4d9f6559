/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu-image.h"

#define DATA 1024u
#define SIZE (DATA + 8 * 512)

/* A disk of 16 blocks of 512 bytes, 8 of them allocated, in a file that ends with them. */
static GByteArray *
image_new_vdi (void)
{
  GByteArray *image = image_new (SIZE);

  put_le32 (image, 0x40, 0xbeda107f);
  put_le32 (image, 0x44, 0x00010001);
  put_le32 (image, 0x48, 0x190);
  put_le32 (image, 0x4c, 1);
  put_le32 (image, 0x154, 512);
  put_le32 (image, 0x158, DATA);
  put_le32 (image, 0x168, 512);
  put_le64 (image, 0x170, 16 * 512);
  put_le32 (image, 0x178, 512);
  put_le32 (image, 0x180, 16);
  put_le32 (image, 0x184, 8);
  return image;
}

static void
good_one_passes (void)
{
  g_autoptr (GByteArray) image = image_new_vdi ();

  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "vdi");
  g_assert_cmpuint (virtual_size_of (image), ==, 16 * 512);
  put_le32 (image, 0x4c, 2);
  assert_failures (image, "");
  assert_same_however_fed (image);
}

static const struct
{
  guint at;
  guint32 value;
  const char *failures;
} lies[] = {
  { 0x44, 0x00010000, "version" },
  { 0x44, 0x00000001, "version" },
  { 0x48, 0x17f, "header" },
  { 0x48, 0x180, "" },
  { 0x48, 0x1b8, "" },
  { 0x48, 0x1b9, "header" },
  { 0x48, G_MAXUINT32, "header" },
  { 0x4c, 0, "parent" },
  { 0x4c, 3, "parent" },
  { 0x4c, 4, "parent" },
  { 0x4c, G_MAXUINT32, "parent" },
  { 0x1a8, 1, "parent" },
  { 0x1b4, 1, "parent" },
  { 0x1b8, 1, "parent" },
  { 0x1c4, 1, "parent" },
  { 0x154, 0, "header" },
  { 0x154, 513, "header" },
  { 0x154, 1024, "header" },
  { 0x154, G_MAXUINT32 - 511, "header" },
  { 0x158, 512, "header" },
  { 0x158, 1025, "header,blocks" },
  { 0x158, 1536, "blocks" },
  { 0x158, G_MAXUINT32 - 511, "blocks" },
  { 0x170, 0, "virtual_size" },
  { 0x170, 511, "virtual_size" },
  { 0x170, 17 * 512, "blocks" },
  { 0x174, 0x40000000, "virtual_size,blocks" },
  { 0x174, 0x80000000, "virtual_size,blocks" },
  { 0x178, 0, "blocks" },
  { 0x178, 256, "blocks" },
  { 0x178, 768, "blocks" },
  { 0x178, 1024, "blocks" },
  { 0x178, 0x80000000, "blocks" },
  { 0x17c, 1, "blocks" },
  { 0x17c, G_MAXUINT32, "blocks" },
  { 0x180, 15, "blocks" },
  { 0x180, 128, "" },
  { 0x180, 129, "header" },
  { 0x180, G_MAXUINT32, "header" },
  { 0x184, 0, "" },
  { 0x184, 9, "blocks" },
  { 0x184, 17, "blocks" },
  { 0x184, G_MAXUINT32, "blocks" },
};

static void
lies_fail (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GByteArray) image = image_new_vdi ();

      put_le32 (image, lies[i].at, lies[i].value);
      assert_failures (image, lies[i].failures);
    }
}

static void
torn_one_is_no_raw_one (void)
{
  g_autoptr (GByteArray) image = image_new_vdi ();

  assert_cut_anywhere (image, 0, 3, SIZE);
  g_byte_array_set_size (image, 511);
  assert_failures (image, "truncated");
  g_byte_array_set_size (image, 0x44);
  assert_failures (image, "truncated");
  g_byte_array_set_size (image, 0x43);
  assert_failures (image, "raw");
}

static const QemuRow real_rows[] = {
  { "dynamic", "vdi", "image 8M", "", FALSE },
  { "static", "vdi", "-o static=on image 8M", "", FALSE },
  { "large", "vdi", "image 512G", "", FALSE },
  { "data", "vdi", "base image", "", TRUE },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/vdi/good-one-passes", good_one_passes);
  g_test_add_func ("/inspect/vdi/C36/C38/lies-fail", lies_fail);
  g_test_add_func ("/inspect/vdi/C36/torn-one-is-no-raw-one", torn_one_is_no_raw_one);
  qemu_add_tests ("/inspect/vdi/real", real_rows, G_N_ELEMENTS (real_rows));
  return g_test_run ();
}
