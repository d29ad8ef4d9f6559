/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "images.h"

#include <glib/gstdio.h>

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
      g_assert_cmpuint (match->checks->len, ==, 6);
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
    { 0x8, "" },
    { 0x4, "data_file" },
    { 0x10, "unknown_features" },
    { 0x80, "unknown_features" },
    { G_GUINT64_CONSTANT (1) << 63, "unknown_features" },
    { G_MAXUINT64, "data_file,unknown_features" },
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

  for (guint32 method = 0; method <= 2; method++)
    {
      put_be32 (image, 32, method);
      assert_failures (image, "");
    }
  put_be32 (image, 32, 3);
  assert_failures (image, "encryption");
}

/* Each row lies in one 32-bit field of a version 3 header. */
static void
header_lies_fail (void)
{
  static const struct
  {
    guint at;
    guint32 value;
    const char *failures;
  } rows[] = {
    { 20, 8, "header" },
    { 20, 22, "header" },
    { 20, G_MAXUINT32, "header" },
    { 20, 9, "" },
    { 20, 21, "" },
    { 24, 0x80000000, "header" },
    { 28, 1, "header" },
    { 28, 513, "header" },
    { 28, 512, "" },
    { 36, G_MAXUINT32, "header" },
    { 36, 4194304, "" },
    { 36, 4194305, "header" },
    { 100, 0, "header" },
    { 100, 103, "header" },
    { 100, 96, "header" },
    { 100, 108, "header" },
    { 100, 112, "" },
    { 100, 65536, "" },
    { 100, 65544, "header" },
    { 100, G_MAXUINT32, "header" },
    { 108, 70000, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

      put_be32 (image, rows[i].at, rows[i].value);
      assert_failures (image, rows[i].failures);
    }
}

static void
disk_of_no_bytes_fails (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

  put_be64 (image, 24, 0);
  assert_failures (image, "header");
}

static void
disk_beyond_63_bits_has_no_known_size (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);
  g_autoptr (ImgImportFacts) facts = NULL;

  put_be64 (image, 24, G_GUINT64_CONSTANT (1) << 63);
  facts = inspect (image);
  g_assert_cmpuint (((ImgImportMatch *)g_ptr_array_index (facts->matches, 0))->virtual_size, ==,
                    IMGIMPORT_SIZE_UNKNOWN);
  assert_failures (image, "header");
}

static void
extension_lengths_that_leave_the_area_fail (void)
{
  static const guint32 lengths[] = { 65536 - 104 - 8 + 1, 70000, G_MAXUINT32 - 7, G_MAXUINT32 };
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      put_extension (image, 104, 0x1234, lengths[i]);
      assert_failures (image, "header");
    }
  put_extension (image, 104, 0x1234, 65536 - 104 - 8);
  assert_failures (image, "");
  put_extension (image, 104, 0x1234, 65536 - 104 - 8 - 8);
  put_extension (image, 65536 - 8, 0x1234, 0);
  assert_failures (image, "");
}

static void
short_file_is_no_raw_one (void)
{
  static const guint sizes[] = { 4, 5, 103, 511 };
  g_autoptr (GByteArray) less = image_new_qcow2 (3, 3);
  g_autoptr (GByteArray) enough = image_new_qcow2 (3, 512);

  assert_failures (less, "raw");
  assert_failures (enough, "");
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GByteArray) image = image_new_qcow2 (3, sizes[i]);

      assert_failures (image, "truncated");
    }
}

/* ---- images that qemu-img makes -------------------------------------------------------------- */

typedef struct
{
  const char *arguments; /* of qemu-img create */
  const char *failures;
} RealRow;

static const RealRow real_rows[] = {
  { "-o compat=0.10 image 8M", "" },
  { "-o compat=1.1 image 8M", "" },
  { "-o cluster_size=512 image 8M", "" },
  { "-o cluster_size=2M image 8M", "" },
  { "-o compression_type=zstd image 8M", "" },
  { "-o lazy_refcounts=on image 8M", "" },
  { "-o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 --object "
    "secret,id=s,data=x image 8M",
    "" },
  { "-o encrypt.format=aes,encrypt.key-secret=s --object secret,id=s,data=x image 8M", "" },
  { "-o backing_file=base,backing_fmt=raw image 8M", "backing_file" },
  { "-o compat=0.10,backing_file=base,backing_fmt=raw image 8M", "backing_file" },
  { "-o data_file=data image 8M", "data_file" },
  { "-o extended_l2=on image 8M", "unknown_features" },
};

static void
remove_tree (const char *path)
{
  static const char *const names[] = { "image", "base", "data" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *file = g_build_filename (path, names[i], NULL);

      g_remove (file);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
real_image (gconstpointer data)
{
  const RealRow *row = data;
  g_autofree char *program = g_find_program_in_path ("qemu-img");
  g_autofree char *dir = NULL;
  g_autofree char *command = NULL;
  g_autofree char *base = NULL;
  g_autofree char *path = NULL;
  g_autofree char *content = NULL;
  g_auto (GStrv) argv = NULL;
  gsize length = 0;
  int status = -1;

  if (program == NULL)
    {
      g_test_skip ("qemu-img is not installed");
      return;
    }
  dir = g_dir_make_tmp ("imgimport-qcow2-XXXXXX", NULL);
  base = g_build_filename (dir, "base", NULL);
  path = g_build_filename (dir, "image", NULL);
  g_assert_true (g_file_set_contents (base, "base", -1, NULL));
  command = g_strdup_printf ("%s create -q -f qcow2 %s", program, row->arguments);
  g_assert_true (g_shell_parse_argv (command, NULL, &argv, NULL));
  /* On a busy machine it may fail to measure how long a key's derivation takes. */
  for (guint attempt = 0; attempt < 10 && status != 0; attempt++)
    g_assert_true (g_spawn_sync (dir, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                                 NULL, &status, NULL));
  if (status != 0)
    g_test_skip ("this qemu-img does not make such images");
  else
    {
      g_autoptr (GByteArray) image = NULL;

      g_assert_true (g_file_get_contents (path, &content, &length, NULL));
      image = g_byte_array_new_take ((guint8 *)g_steal_pointer (&content), length);
      assert_failures (image, row->failures);
    }
  remove_tree (dir);
}

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
  g_test_add_func ("/inspect/qcow2/C38/disk-beyond-63-bits-has-no-known-size",
                   disk_beyond_63_bits_has_no_known_size);
  g_test_add_func ("/inspect/qcow2/C33/extension-lengths-that-leave-the-area-fail",
                   extension_lengths_that_leave_the_area_fail);
  g_test_add_func ("/inspect/qcow2/J33/short-file-is-no-raw-one", short_file_is_no_raw_one);
  for (guint i = 0; i < G_N_ELEMENTS (real_rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/inspect/qcow2/real/%u", i);

      g_test_add_data_func (path, &real_rows[i], real_image);
    }
  return g_test_run ();
}
