/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu-image.h"

static void
put_extension (GByteArray *image, guint at, guint32 type, guint32 length)
{
  put_be32 (image, at, type);
  put_be32 (image, at + 4, length);
}

static void
well_formed_header_passes (void)
{
  for (guint32 version = 2; version <= 3; version++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (version, 70000);
      g_autoptr (ImgImportFacts) facts = inspect (image);
      const ImgImportMatch *match;

      assert_failures (image, "");
      g_assert_cmpuint (facts->size, ==, 70000);
      g_assert_cmpuint (facts->matches->len, ==, 1);
      match = g_ptr_array_index (facts->matches, 0);
      g_assert_cmpstr (match->format, ==, "qcow2");
      g_assert_cmpuint (match->virtual_size, ==, G_GUINT64_CONSTANT (1) << 30);
      g_assert_cmpuint (match->checks->len, ==, 9);
    }
}

static void
feature_bits (void)
{
  static const struct
  {
    guint64 features;
    const char *failures;
  } rows[] = {
    { 0x1, "" },
    { 0x2, "" },
    { 0x4, "data_file" },
    { 0x8, "header" }, /* without a compression type */
    { 0x10, "unknown_features" },
    { 0x80, "unknown_features" },
    { G_GUINT64_CONSTANT (1) << 63, "unknown_features" },
    { G_MAXUINT64, "unknown_features,data_file,header" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) v2 = image_new_qcow2 (2, 70000);
      g_autoptr (GByteArray) v3 = image_new_qcow2 (3, 70000);

      put_be64 (v3, 72, rows[i].features);
      assert_failures (v3, rows[i].failures);
      /* In version 2 the same bytes are an extension: of length 0 to 0x80, then the end. */
      put_be64 (v2, 72, (G_GUINT64_CONSTANT (0x1234) << 32) | (rows[i].features & 0xff));
      assert_failures (v2, "");
    }
}

static void
other_versions_fail (void)
{
  static const guint32 versions[] = { 0, 1, 4, G_MAXUINT32 };

  for (guint i = 0; i < G_N_ELEMENTS (versions); i++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (versions[i], 70000);

      /* Nothing else is known of it, so nothing else is said. */
      put_be32 (image, 20, 99);
      put_be32 (image, 32, 99);
      assert_failures (image, "unknown_features");
    }
}

static void
backing_file_fails_in_every_version (void)
{
  static const char *const failures[] = { "backing_file,unknown_features", "backing_file",
                                          "backing_file" };

  for (guint32 version = 1; version <= 3; version++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (version, 70000);
      static const char name[] = "json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}";

      put_be64 (image, 8, 1024);
      put_be32 (image, 16, sizeof name - 1);
      memcpy (image->data + 1024, name, sizeof name - 1);
      assert_failures (image, failures[version - 1]);
    }
}

static void
external_data_name_without_the_bit_fails (void)
{
  static const guint starts[] = { 0, 0, 72, 104 };

  for (guint32 version = 2; version <= 3; version++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (version, 70000);
      guint at = starts[version];

      put_extension (image, at, 0x6803f857, 13);
      assert_failures (image, "");
      put_extension (image, at + 8 + 16, 0x44415441, 11);
      assert_failures (image, "data_file");
    }
}

static void
encryption_methods (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

  assert_failures (image, "");
  for (guint32 method = 1; method <= 3; method++)
    {
      put_be32 (image, 32, method);
      assert_failures (image, "encryption");
    }
}

/* Each row lies in one 32-bit field of a version 3 header with 4 KiB clusters in 70000 bytes. */
static const struct
{
  guint at;
  guint32 value;
  const char *failures;
} lies[] = {
  { 20, 8, "header" },
  { 20, 22, "header" },
  { 20, G_MAXUINT32, "header" },
  { 20, 13, "tables" }, /* tables not at clusters */
  { 24, 0x80000000, "virtual_size,tables" },
  { 24, 0x40000001, "virtual_size,tables" },
  { 28, 1, "virtual_size" },
  { 28, 511, "virtual_size" },
  { 28, 513, "virtual_size" },
  { 28, 512, "" },
  { 36, 0, "tables" },
  { 36, 511, "tables" },
  { 36, 8238, "" }, /* up to the last 8 bytes of the file */
  { 36, 8239, "tables" },
  { 36, 4194305, "tables" },
  { 36, G_MAXUINT32, "tables" },
  { 40, 1, "tables" },
  { 44, 0, "tables" },
  { 44, 4097, "tables" },
  { 44, 69632, "tables" },
  { 48, G_MAXUINT32, "tables" },
  { 52, 0, "tables" },
  { 52, 12288, "" },
  { 52, 69632, "tables" },
  { 56, 0, "tables" },
  { 56, 15, "" },
  { 56, 16, "tables" },
  { 56, 2049, "tables" },
  { 56, G_MAXUINT32, "tables" },
  { 60, 1, "snapshots" },
  { 60, 65536, "snapshots" },
  { 60, 65537, "snapshots" },
  { 64, 1, "" },
  { 96, 6, "" },
  { 96, 7, "header" },
  { 100, 0, "header" },
  { 100, 103, "header" },
  { 100, 96, "header" },
  { 100, 108, "header" },
  { 100, 112, "" },
  { 100, 4096, "" },
  { 100, 4104, "header" },
  { 100, 65544, "header" },
  { 100, G_MAXUINT32, "header" },
  { 108, 70000, "" },
};

static void
header_lies_fail (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

      put_be32 (image, lies[i].at, lies[i].value);
      assert_failures (image, lies[i].failures);
    }
}

static void
clusters_of_every_size (void)
{
  for (guint bits = 9; bits <= 16; bits++)
    {
      guint cluster = 1u << bits;
      g_autoptr (GByteArray) image = image_new_qcow2 (3, 3 * 65536);

      put_be32 (image, 20, bits);
      put_be64 (image, 24, 512);
      put_be64 (image, 40, cluster);
      put_be64 (image, 48, 2 * cluster);
      assert_failures (image, "");
    }
}

static void
snapshot_table_lies_in_the_file (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

  put_be64 (image, 64, 12288);
  put_be32 (image, 60, (70000 - 12288) / 40);
  assert_failures (image, "");
  put_be32 (image, 60, (70000 - 12288) / 40 + 1);
  assert_failures (image, "snapshots");
  put_be32 (image, 60, 1);
  put_be64 (image, 64, 12289);
  assert_failures (image, "snapshots");
  put_be64 (image, 64, G_MAXUINT64 - 4095);
  assert_failures (image, "snapshots");
}

static void
compression_type_agrees_with_its_bit (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

  put_be32 (image, 100, 112);
  image->data[104] = 1;
  assert_failures (image, "header");
  put_be64 (image, 72, 0x8);
  assert_failures (image, "");
  image->data[104] = 2;
  assert_failures (image, "header");
  image->data[104] = 0;
  assert_failures (image, "header");
}

static void
disk_of_no_bytes_fails (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

  put_be64 (image, 24, 0);
  assert_failures (image, "virtual_size");
}

static void
disk_beyond_62_bits_has_no_known_size (void)
{
  static const guint64 sizes[] = { (G_GUINT64_CONSTANT (1) << 62) + 512,
                                   G_GUINT64_CONSTANT (1) << 63, G_MAXUINT64 - 511, G_MAXUINT64 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

      put_be64 (image, 24, sizes[i]);
      g_assert_cmpuint (virtual_size_of (image), ==, IMGIMPORT_SIZE_UNKNOWN);
      assert_failures (image, "virtual_size,tables");
    }
}

static void
extension_lengths_that_leave_the_area_fail (void)
{
  static const guint32 lengths[] = { 4096 - 104 - 8 + 1, 70000, G_MAXUINT32 - 7, G_MAXUINT32 };
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      put_extension (image, 104, 0x1234, lengths[i]);
      assert_failures (image, "header");
    }
  put_extension (image, 104, 0x1234, 4096 - 104 - 8);
  assert_failures (image, "");
  put_extension (image, 104, 0x1234, 4096 - 104 - 8 - 8);
  put_extension (image, 4096 - 8, 0x1234, 0);
  assert_failures (image, "");
}

static void
short_file_is_no_raw_one (void)
{
  static const guint sizes[] = { 4, 5, 103, 511 };
  g_autoptr (GByteArray) less = image_new_qcow2 (3, 3);
  g_autoptr (GByteArray) enough = image_new_qcow2 (3, 512);
  g_autoptr (GByteArray) whole = image_new_qcow2 (3, IMAGE_QCOW2_SIZE);

  assert_failures (less, "raw");
  assert_failures (enough, "tables");
  assert_failures (whole, "");
  assert_cut_anywhere (whole, 0, 7, IMAGE_QCOW2_SIZE);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (3, sizes[i]);

      assert_failures (image, "truncated");
    }
}

/* ---- images that qemu-img makes -------------------------------------------------------------- */

#define KEY " --object secret,id=s,data=x "

static const QemuRow real_rows[] = {
  { "v2", "qcow2", "-o compat=0.10 image 8M", "", FALSE },
  { "v3", "qcow2", "-o compat=1.1 image 8M", "", FALSE },
  { "small-clusters", "qcow2", "-o cluster_size=512 image 8M", "", FALSE },
  { "large-clusters", "qcow2", "-o cluster_size=2M image 8M", "", FALSE },
  { "large-disk", "qcow2", "image 60T", "", FALSE },
  { "zstd", "qcow2", "-o compression_type=zstd image 8M", "", FALSE },
  { "lazy-refcounts", "qcow2", "-o lazy_refcounts=on image 8M", "", FALSE },
  { "data", "qcow2", "base image", "", TRUE },
  { "data/v2", "qcow2", "-o compat=0.10 base image", "", TRUE },
  { "data/compressed", "qcow2", "-c base image", "", TRUE },
  { "luks", "qcow2",
    "-o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10" KEY "image 8M", "encryption",
    FALSE },
  { "aes", "qcow2", "-o encrypt.format=aes,encrypt.key-secret=s" KEY "image 8M", "encryption",
    FALSE },
  { "backing", "qcow2", "-o backing_file=base,backing_fmt=raw image 4M", "backing_file", FALSE },
  { "backing/v2", "qcow2", "-o compat=0.10,backing_file=base,backing_fmt=raw image 4M",
    "backing_file", FALSE },
  { "data-file", "qcow2", "-o data_file=data image 8M", "data_file", FALSE },
  { "extended-l2", "qcow2", "-o extended_l2=on image 8M", "unknown_features", FALSE },
  { "v1", "qcow", "image 8M", "unknown_features", FALSE },
  { "v1/backing", "qcow", "-b base -F raw image 4M", "backing_file,unknown_features", FALSE },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/qcow2/well-formed-header-passes", well_formed_header_passes);
  g_test_add_func ("/inspect/qcow2/J09/feature-bits", feature_bits);
  g_test_add_func ("/inspect/qcow2/J09/other-versions-fail", other_versions_fail);
  g_test_add_func ("/inspect/qcow2/C33/backing-file-fails-in-every-version",
                   backing_file_fails_in_every_version);
  g_test_add_func ("/inspect/qcow2/C33/external-data-name-without-the-bit-fails",
                   external_data_name_without_the_bit_fails);
  g_test_add_func ("/inspect/qcow2/C33/encryption-methods", encryption_methods);
  g_test_add_func ("/inspect/qcow2/C33/header-lies-fail", header_lies_fail);
  g_test_add_func ("/inspect/qcow2/C38/disk-of-no-bytes-fails", disk_of_no_bytes_fails);
  g_test_add_func ("/inspect/qcow2/C38/disk-beyond-62-bits-has-no-known-size",
                   disk_beyond_62_bits_has_no_known_size);
  g_test_add_func ("/inspect/qcow2/C33/extension-lengths-that-leave-the-area-fail",
                   extension_lengths_that_leave_the_area_fail);
  g_test_add_func ("/inspect/qcow2/J33/short-file-is-no-raw-one", short_file_is_no_raw_one);
  g_test_add_func ("/inspect/qcow2/C33/clusters-of-every-size", clusters_of_every_size);
  g_test_add_func ("/inspect/qcow2/C33/snapshot-table-lies-in-the-file",
                   snapshot_table_lies_in_the_file);
  g_test_add_func ("/inspect/qcow2/C33/compression-type-agrees-with-its-bit",
                   compression_type_agrees_with_its_bit);
  qemu_add_tests ("/inspect/qcow2/real", real_rows, G_N_ELEMENTS (real_rows));
  return g_test_run ();
}
