/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu-image.h"

#define BLOCK 4096u
#define DISK (16u * BLOCK)
#define DYNAMIC_AT 512u
#define TABLE_AT 1536u
#define DYNAMIC_SIZE 2560u /* copy, dynamic header, table, footer */
#define FIXED_SIZE (DISK + 512)

static void
put_checksum (GByteArray *image, guint at, guint length, guint checksum_at)
{
  guint32 sum = 0;

  put_be32 (image, at + checksum_at, 0);
  for (guint i = 0; i < length; i++)
    sum += image->data[at + i];
  put_be32 (image, at + checksum_at, ~sum);
}

static void
put_footer (GByteArray *image, guint at, guint32 type)
{
  memcpy (image->data + at, "conectix", 8);
  put_be32 (image, at + 8, 2);
  put_be32 (image, at + 12, 0x10000);
  put_be64 (image, at + 16, type == 2 ? G_MAXUINT64 : DYNAMIC_AT);
  put_be64 (image, at + 40, 2 * DISK); /* before it was resized */
  put_be64 (image, at + 48, DISK);
  put_be32 (image, at + 60, type);
  image->data[at + 70] = 7;
  put_checksum (image, at, 512, 64);
}

static GByteArray *
image_new_fixed (void)
{
  GByteArray *image = image_new (FIXED_SIZE);

  put_footer (image, DISK, 2);
  return image;
}

static void
seal (GByteArray *image)
{
  put_checksum (image, 0, 512, 64);
  put_checksum (image, DYNAMIC_AT, 1024, 36);
  put_checksum (image, image->len - 512, 512, 64);
}

static GByteArray *
image_new_dynamic (void)
{
  GByteArray *image = image_new (DYNAMIC_SIZE);

  put_footer (image, 0, 3);
  put_footer (image, DYNAMIC_SIZE - 512, 3);
  memcpy (image->data + DYNAMIC_AT, "cxsparse", 8);
  put_be64 (image, DYNAMIC_AT + 8, G_MAXUINT64);
  put_be64 (image, DYNAMIC_AT + 16, TABLE_AT);
  put_be32 (image, DYNAMIC_AT + 24, 0x10000);
  put_be32 (image, DYNAMIC_AT + 28, 16);
  put_be32 (image, DYNAMIC_AT + 32, BLOCK);
  seal (image);
  return image;
}

static void
good_ones_pass_with_the_current_size (void)
{
  g_autoptr (GByteArray) fixed = image_new_fixed ();
  g_autoptr (GByteArray) dynamic = image_new_dynamic ();

  assert_failures (fixed, "");
  assert_failures (dynamic, "");
  g_assert_cmpstr (format_of (fixed), ==, "vhd");
  g_assert_cmpstr (format_of (dynamic), ==, "vhd");
  g_assert_cmpuint (virtual_size_of (fixed), ==, DISK);
  g_assert_cmpuint (virtual_size_of (dynamic), ==, DISK);
  assert_same_however_fed (fixed);
  assert_same_however_fed (dynamic);
}

typedef struct
{
  guint at; /* 64 bits, in the dynamic header or in both footers */
  guint64 value;
  const char *failures;
} Lie;

static void
lies_of_the_dynamic_header_fail (void)
{
  static const Lie lies[] = {
    { 0, 0, "header" },
    { 16, 0, "header" },
    { 16, 512, "header" },
    { 16, TABLE_AT + 1, "header" },
    { 16, TABLE_AT + 512, "header" },
    { 16, G_MAXUINT64 - 511, "header" },
    { 24, 0x0002000000000010, "header" },
    { 24, 0x0001000000000010, "" },
    { 24, 0x000100000000000f, "header" },
    { 24, 0x0001000000000080, "" },
    { 24, 0x0001000000000081, "header" },
    { 24, 0x00010000ffffffff, "header" },
    { 28, 0x0000001000000000, "header" },
    { 28, 0x0000001000000100, "header" },
    { 28, 0x0000001000000800, "header" },
    { 28, 0x0000001000001800, "header" },
    { 28, 0x0000001000002000, "" },
    { 40, 1, "parent" },
    { 64, 1, "parent" },
    { 576, 1, "parent" },
    { 760, 1, "parent" },
    { 768, 1, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GByteArray) image = image_new_dynamic ();

      put_be64 (image, DYNAMIC_AT + lies[i].at, lies[i].value);
      seal (image);
      assert_failures (image, lies[i].failures);
    }
}

static void
lies_of_the_footer_fail (void)
{
  static const Lie lies[] = {
    { 12, 0x0002000000000000, "footer" },
    { 16, 0, "header" },
    { 16, 513, "header" },
    { 16, 1024, "header" },
    { 16, 65536, "header" },
    { 16, G_MAXUINT64 - 511, "header" },
    { 16, G_MAXUINT64, "header" },
    { 48, 0, "virtual_size" },
    { 48, 511, "virtual_size" },
    { 48, DISK + 512, "header" },
    { 48, G_GUINT64_CONSTANT (1) << 63, "virtual_size,header" },
    { 48, G_MAXUINT64, "virtual_size,header" },
    { 56, 0, "header" },
    { 56, 2, "header" },
    { 56, 4, "parent" },
    { 56, 5, "header" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GByteArray) image = image_new_dynamic ();

      put_be64 (image, lies[i].at, lies[i].value);
      put_be64 (image, DYNAMIC_SIZE - 512 + lies[i].at, lies[i].value);
      seal (image);
      assert_failures (image, lies[i].failures);
    }
}

static void
copy_that_says_something_else_fails (void)
{
  static const guint fields[] = { 16, 48, 55, 60, 63, 68, 83 };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autoptr (GByteArray) image = image_new_dynamic ();

      image->data[DYNAMIC_SIZE - 512 + fields[i]] ^= 1;
      seal (image);
      assert_failures (image, "footer");
    }
}

static void
checksums_are_checked (void)
{
  static const struct
  {
    guint at;
    const char *failures;
    const char *reason;
  } rows[] = {
    { 13, "footer", "version 0x00000000 of its copy at the front" },
    { 24, "footer", "checksum of its copy at the front" },
    { 64, "footer", "checksum of its copy at the front" },
    { 511, "footer", "checksum of its copy at the front" },
    { DYNAMIC_SIZE - 512 + 13, "footer", "version 0x00000000 of the one at the end" },
    { DYNAMIC_SIZE - 1, "footer", "checksum of the one at the end" },
    { DYNAMIC_SIZE - 512, "footer", "none in the last" },
    { DYNAMIC_AT + 36, "header", "checksum" },
    { DYNAMIC_AT + 1023, "header", "checksum" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_dynamic ();

      image->data[rows[i].at] ^= 1;
      assert_failures (image, rows[i].failures);
      assert_reason (image, rows[i].failures, rows[i].reason);
    }
}

static void
fixed_disk_fills_its_file (void)
{
  static const Lie lies[] = {
    { 48, DISK - 512, "header" },
    { 48, DISK + 512, "header" },
    { 48, 0, "virtual_size,header" },
    { 48, G_MAXUINT64, "virtual_size,header" },
    { 56, 3, "header" },
    { 56, 4, "header" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GByteArray) image = image_new_fixed ();

      put_be64 (image, DISK + lies[i].at, lies[i].value);
      put_checksum (image, DISK, 512, 64);
      assert_failures (image, lies[i].failures);
    }
}

static void
footer_of_511_bytes_fails (void)
{
  g_autoptr (GByteArray) image = image_new_fixed ();

  g_byte_array_set_size (image, FIXED_SIZE - 1);
  assert_failures (image, "footer");
  g_byte_array_set_size (image, FIXED_SIZE - 2);
  assert_failures (image, "raw");
}

/* A fixed disk holds what its guest wrote at the front, which may be a footer too. */
static void
fixed_disk_that_holds_another_footer_fails (void)
{
  g_autoptr (GByteArray) dynamic = image_new_dynamic ();
  g_autoptr (GByteArray) image = image_new_fixed ();

  memcpy (image->data, dynamic->data, 2048);
  assert_failures (image, "footer");
}

static void
torn_one_is_no_raw_one (void)
{
  g_autoptr (GByteArray) image = image_new_dynamic ();

  assert_cut_anywhere (image, 0, 3, DYNAMIC_SIZE);
  g_byte_array_set_size (image, 512);
  assert_failures (image, "header");
  g_byte_array_set_size (image, 511);
  assert_failures (image, "truncated");
  g_byte_array_set_size (image, 8);
  assert_failures (image, "truncated");
  g_byte_array_set_size (image, 7);
  assert_failures (image, "raw");
}

static const QemuRow real_rows[] = {
  { "dynamic", "vpc", "image 8M", "", FALSE },
  { "dynamic/exact", "vpc", "-o force_size=on image 8M", "", FALSE },
  { "dynamic/large", "vpc", "-o force_size=on image 1T", "", FALSE },
  { "dynamic/data", "vpc", "base image", "", TRUE },
  { "fixed", "vpc", "-o subformat=fixed,force_size=on image 8M", "", FALSE },
  { "fixed/data", "vpc", "-o subformat=fixed base image", "", TRUE },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/vhd/F131/good-ones-pass-with-the-current-size",
                   good_ones_pass_with_the_current_size);
  g_test_add_func ("/inspect/vhd/C36/C38/lies-of-the-dynamic-header-fail",
                   lies_of_the_dynamic_header_fail);
  g_test_add_func ("/inspect/vhd/C36/C38/lies-of-the-footer-fail", lies_of_the_footer_fail);
  g_test_add_func ("/inspect/vhd/copy-that-says-something-else-fails",
                   copy_that_says_something_else_fails);
  g_test_add_func ("/inspect/vhd/checksums-are-checked", checksums_are_checked);
  g_test_add_func ("/inspect/vhd/C38/fixed-disk-fills-its-file", fixed_disk_fills_its_file);
  g_test_add_func ("/inspect/vhd/footer-of-511-bytes-fails", footer_of_511_bytes_fails);
  g_test_add_func ("/inspect/vhd/C45/fixed-disk-that-holds-another-footer-fails",
                   fixed_disk_that_holds_another_footer_fails);
  g_test_add_func ("/inspect/vhd/C36/torn-one-is-no-raw-one", torn_one_is_no_raw_one);
  qemu_add_tests ("/inspect/vhd/real", real_rows, G_N_ELEMENTS (real_rows));
  return g_test_run ();
}
