/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmdk-image.h"

static void
good_ones_pass (void)
{
  g_autoptr (GByteArray) image = image_new_vmdk (VMDK_GOOD);
  g_autoptr (GByteArray) stream = image_new_vmdk_stream ();

  assert_failures (image, "");
  assert_failures (stream, "");
  g_assert_cmpstr (format_of (stream), ==, "vmdk");
  g_assert_cmpuint (virtual_size_of (image), ==, VMDK_CAPACITY * 512);
  g_assert_cmpuint (virtual_size_of (stream), ==, VMDK_CAPACITY * 512);
  assert_same_however_fed (image);
  assert_same_however_fed (stream);
}

typedef struct
{
  guint at;
  guint64 value;
  const char *failures;
} Lie;

static void
lies_of_the_header_fail (void)
{
  static const Lie lies[] = {
    { 4, 0x0003000300000000, "header" },
    { 4, 0x0003000300000001, "" },
    { 4, 0x0003000300000004, "header" },
    { 12, 0, "virtual_size,extents" },
    { 12, 2047, "extents" },
    { 12, 4096, "" },
    { 12, G_GUINT64_CONSTANT (1) << 53, "" },
    { 12, (G_GUINT64_CONSTANT (1) << 53) + 1, "virtual_size" },
    { 12, (G_GUINT64_CONSTANT (1) << 55) + 1, "virtual_size" }, /* 512 in 64 bits of bytes */
    { 12, G_MAXUINT64, "virtual_size" },
    { 20, 0, "header" },
    { 20, 127, "header" },
    { 20, 0x200000, "" },
    { 20, 0x400000, "header" },
    { 28, 0, "header" },
    { 28, 2, "header" },
    { 28, G_MAXUINT64, "header" },
    { 36, 0, "header" },
    { 36, 1, "" },
    { 36, 26, "header" },
    { 36, 41, "header" },
    { 36, G_MAXUINT64, "header" },
    { 44, 0x1500000000, "header" },
    { 44, 0x1500000201, "header" },
    { 48, 26, "header" },
    { 48, 25, "" },
    { 48, G_MAXUINT64, "header" },
    { 56, 26, "header" },
    { 56, G_MAXUINT64 - 1, "header" },
    { 56, G_MAXUINT64, "footer" },
    { 64, 20, "header" },
    { 64, 0, "header" },
    { 72, 0x010a0d20, "header" },
    { 72, 0x0000010a0d0a2000, "header" },
    { 72, 0x0000020a0d200a00, "header" },
    { 72, 0x0000000a0d200a01, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GByteArray) image = image_new_vmdk (VMDK_GOOD);

      put_le64 (image, lies[i].at, lies[i].value);
      assert_failures (image, lies[i].failures);
    }
}

static void
descriptor_that_ends_with_the_file_fails (void)
{
  g_autoptr (GByteArray) image = image_new_vmdk (VMDK_GOOD);

  put_le64 (image, 36, 25);
  put_le64 (image, 48, 1);
  put_le64 (image, 56, 1);
  assert_failures (image, "");
  put_le64 (image, 36, 26);
  put_le64 (image, 64, 27);
  assert_failures (image, "descriptor");
}

/* Each row lies in the footer, or in a mark before or after it. */
static void
lies_of_the_footer_fail (void)
{
  static const Lie lies[] = {
    { 0, 0, "footer" },
    { 0, 2, "footer" },
    { 8, 0x300000001, "footer" },
    { 8, 0x200000000, "footer" },
    { 16, 1, "footer" },
    { 504, 1, "footer" },
    { 512, 0x100000000, "footer" },
    { 512, 0x10564d444b, "footer" },
    { 512 + 12, VMDK_CAPACITY + 1, "footer" },
    { 512 + 20, 64, "footer" },
    { 512 + 28, 2, "footer" },
    { 512 + 36, 19, "footer" },
    { 512 + 44, 256, "footer" },
    { 512 + 48, 0, "" },
    { 512 + 48, 1000, "footer" },
    { 512 + 56, 1000, "footer" },
    { 512 + 56, G_MAXUINT64 - 1, "footer" },
    { 512 + 56, G_MAXUINT64, "footer" },
    { 512 + 72, 0x0000000a0d200a00, "footer" },
    { 1024, 1, "footer" },
    { 1024 + 8, 0x100000000, "footer" },
    { 1536 - 8, 1, "footer" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GByteArray) image = image_new_vmdk_stream ();

      put_le64 (image, VMDK_SIZE + lies[i].at, lies[i].value);
      assert_failures (image, lies[i].failures);
    }
}

static void
footer_ends_the_file (void)
{
  g_autoptr (GByteArray) image = image_new_vmdk_stream ();

  g_byte_array_set_size (image, VMDK_STREAM_SIZE + 512);
  memset (image->data + VMDK_STREAM_SIZE, 0, 512);
  assert_failures (image, "footer");
  g_byte_array_set_size (image, VMDK_STREAM_SIZE + 1);
  assert_failures (image, "footer");
}

static void
torn_one_is_no_raw_one (void)
{
  g_autoptr (GByteArray) stream = image_new_vmdk_stream ();
  g_autoptr (GByteArray) image = image_new_vmdk (VMDK_GOOD);

  assert_cut_anywhere (stream, 0, 13, VMDK_STREAM_SIZE);
  /* Its tables say where they begin, not that they are whole. */
  assert_cut_anywhere (image, 0, 13, 24 * 512);
  g_byte_array_set_size (image, 511);
  assert_failures (image, "truncated");
  g_byte_array_set_size (image, 4);
  assert_failures (image, "truncated");
  g_byte_array_set_size (image, 3);
  assert_failures (image, "raw");
}

static void
vmfs_extent_is_refused (void)
{
  g_autoptr (GByteArray) image = image_new (2048);

  memcpy (image->data, "COWD", 4);
  assert_failures (image, "banned");
  g_byte_array_set_size (image, 4);
  assert_failures (image, "truncated");
}

static const QemuRow real_rows[] = {
  { "monolithicSparse", "vmdk", "image 8M", "", FALSE },
  { "monolithicSparse/large", "vmdk", "image 1T", "", FALSE },
  { "monolithicSparse/odd", "vmdk", "image 1000001", "", FALSE },
  { "monolithicSparse/data", "vmdk", "base image", "", TRUE },
  { "monolithicSparse/v6", "vmdk", "-o compat6=on image 8M", "", FALSE },
  { "streamOptimized", "vmdk", "-o subformat=streamOptimized image 8M", "", FALSE },
  { "streamOptimized/data", "vmdk", "-o subformat=streamOptimized base image", "", TRUE },
  { "monolithicFlat", "vmdk", "-o subformat=monolithicFlat image 8M", "create_type,extents",
    FALSE },
  { "twoGbMaxExtentSparse", "vmdk", "-o subformat=twoGbMaxExtentSparse image 8M",
    "create_type,extents", FALSE },
  { "twoGbMaxExtentFlat", "vmdk", "-o subformat=twoGbMaxExtentFlat image 8M", "create_type,extents",
    FALSE },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/vmdk/C34/good-ones-pass", good_ones_pass);
  g_test_add_func ("/inspect/vmdk/C34/C38/lies-of-the-header-fail", lies_of_the_header_fail);
  g_test_add_func ("/inspect/vmdk/C34/descriptor-that-ends-with-the-file-fails",
                   descriptor_that_ends_with_the_file_fails);
  g_test_add_func ("/inspect/vmdk/C34/lies-of-the-footer-fail", lies_of_the_footer_fail);
  g_test_add_func ("/inspect/vmdk/C34/footer-ends-the-file", footer_ends_the_file);
  g_test_add_func ("/inspect/vmdk/C36/torn-one-is-no-raw-one", torn_one_is_no_raw_one);
  g_test_add_func ("/inspect/vmdk/C34/vmfs-extent-is-refused", vmfs_extent_is_refused);
  qemu_add_tests ("/inspect/vmdk/real", real_rows, G_N_ELEMENTS (real_rows));
  return g_test_run ();
}
