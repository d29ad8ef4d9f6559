/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect-feed.h"

#include "shell.h"

#define AREA (32u * 1024)
#define SIZE (AREA + 4 * 2048)
#define MAKE_FOLDER "mkdir d; head -c 300000 /dev/urandom > d/noise; "

static void
put_descriptor (GByteArray *image, guint index, guint8 type, const char *id)
{
  guint8 *at = image->data + AREA + index * 2048;

  at[0] = type;
  memcpy (at + 1, id, 5);
  at[6] = 1;
}

static void
put_volume (GByteArray *image, guint32 blocks, guint16 block_size)
{
  put_le32 (image, AREA + 80, blocks);
  put_be32 (image, AREA + 84, blocks);
  put_le16 (image, AREA + 128, block_size);
  put_be16 (image, AREA + 130, block_size);
}

/* A primary descriptor of a volume as large as the image, and the end of descriptors. */
static GByteArray *
image_new_iso (void)
{
  GByteArray *image = image_new (SIZE);

  put_descriptor (image, 0, 1, "CD001");
  put_descriptor (image, 1, 255, "CD001");
  put_volume (image, SIZE / 2048, 2048);
  return image;
}

static void
volume_passes (void)
{
  static const guint16 block_sizes[] = { 512, 1024, 2048 };
  g_autoptr (GByteArray) image = image_new_iso ();

  for (guint i = 0; i < G_N_ELEMENTS (block_sizes); i++)
    {
      put_volume (image, 20, block_sizes[i]);
      assert_failures (image, "");
      g_assert_cmpuint (virtual_size_of (image), ==, 20 * block_sizes[i]);
    }
  g_assert_cmpstr (format_of (image), ==, "iso");
  assert_same_however_fed (image);
}

static void
boot_record_may_come_first (void)
{
  g_autoptr (GByteArray) image = image_new_iso ();

  memmove (image->data + AREA + 2048, image->data + AREA, 2048);
  memset (image->data + AREA, 0, 2048);
  put_descriptor (image, 0, 0, "CD001");
  put_descriptor (image, 2, 255, "CD001");
  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, SIZE);
}

static void
lies_of_the_volume_fail (void)
{
  static const struct
  {
    guint32 blocks;
    guint16 block_size;
    const char *check;
    const char *reason;
  } rows[] = {
    { 0, 2048, "volume", "no block" },
    { SIZE / 2048 + 1, 2048, "volume", "the file only" },
    { G_MAXUINT32, 2048, "volume", "8796093020160 bytes" },
    { 1, 0, "descriptor", "block size 0" },
    { 1, 4096, "descriptor", "block size 4096" },
    { 1, G_MAXUINT16, "descriptor", "block size 65535" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_iso ();

      put_volume (image, rows[i].blocks, rows[i].block_size);
      assert_failures (image, rows[i].check);
      assert_reason (image, rows[i].check, rows[i].reason);
    }
}

static void
byte_orders_that_differ_fail (void)
{
  static const guint fields[] = { 80, 87, 128, 131 };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autoptr (GByteArray) image = image_new_iso ();

      image->data[AREA + fields[i]] ^= 1;
      assert_failures (image, "descriptor");
      assert_reason (image, "descriptor", "byte orders");
    }
}

static void
volume_without_primary_descriptor_fails (void)
{
  g_autoptr (GByteArray) image = image_new_iso ();

  image->data[AREA] = 2;
  assert_failures (image, "descriptor");
  assert_reason (image, "descriptor", "no primary");
}

/* Neither kernels nor Glance look at it: what they mount must not pass as raw. */
static void
other_version_fails (void)
{
  g_autoptr (GByteArray) image = image_new_iso ();

  image->data[AREA + 6] = 2;
  image->data[AREA + 2048 + 6] = 0;
  assert_failures (image, "descriptor");
  assert_reason (image, "descriptor", "version 2 is not 1");
}

static void
cut_off_descriptors_fail (void)
{
  g_autoptr (GByteArray) image = image_new_iso ();

  g_byte_array_set_size (image, AREA + 7);
  assert_failures (image, "truncated");
  assert_same_however_fed (image);
  g_byte_array_set_size (image, AREA + 6);
  assert_failures (image, "raw");
  g_byte_array_unref (image);
  image = image_new_iso ();
  assert_cut_anywhere (image, AREA + 7, 13, SIZE);
}

static void
what_has_no_identifier_is_raw (void)
{
  g_autoptr (GByteArray) image = image_new_iso ();

  memset (image->data + AREA, 0, 4096);
  put_descriptor (image, 0, 0, "BEA01");
  put_descriptor (image, 1, 0, "TEA01");
  assert_failures (image, "raw");
}

/* ---- UDF ------------------------------------------------------------------------------------- */

static void
recognition_sequences (void)
{
  static const struct
  {
    const char *ids[4];
    const char *failures;
  } rows[] = {
    { { "BEA01", "NSR02", "TEA01" }, "" },
    { { "BEA01", "NSR03", "TEA01" }, "" },
    { { "BEA01", "BOOT2", "NSR03", "TEA01" }, "" },
    { { "NSR03", "TEA01" }, "udf" },
    { { "NSR02" }, "udf" },
    { { "BEA01", "NSR03" }, "udf" },
    { { "BEA01", "TEA01", "NSR03" }, "udf" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new (SIZE);

      for (guint k = 0; k < 4 && rows[i].ids[k] != NULL; k++)
        put_descriptor (image, k, 0, rows[i].ids[k]);
      assert_failures (image, rows[i].failures);
      g_assert_cmpstr (format_of (image), ==, "iso");
      g_assert_cmpuint (virtual_size_of (image), ==, SIZE);
      assert_same_however_fed (image);
    }
}

static void
bridge_has_the_size_of_its_volume (void)
{
  g_autoptr (GByteArray) image = image_new_iso ();

  put_volume (image, 3, 2048);
  put_descriptor (image, 1, 0, "BEA01");
  put_descriptor (image, 2, 0, "NSR02");
  put_descriptor (image, 3, 0, "TEA01");
  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, 3 * 2048);
  image->data[AREA + 3 * 2048 + 1] = 'X';
  assert_failures (image, "udf");
}

/* ---- as others make it ----------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  const char *program;
  const char *script;
  const char *matches;
  gboolean accepted; /* where declared iso */
} Made;

static const Made made[] = {
  { "xorriso", "xorriso", MAKE_FOLDER "xorriso -as mkisofs -quiet -J -o image d", "iso", TRUE },
  { "xorriso-el-torito", "xorriso",
    MAKE_FOLDER "xorriso -as mkisofs -quiet -b noise -no-emul-boot -o image d", "iso", TRUE },
  { "C45/xorriso-hybrid-gpt", "xorriso",
    MAKE_FOLDER "truncate -s 1M efi; xorriso -as mkisofs -quiet -append_partition 2 0xef efi "
                "-appended_part_as_gpt -o image d",
    "iso,gpt", TRUE },
  { "C45/xorriso-hybrid-mbr", "xorriso",
    MAKE_FOLDER "truncate -s 1M efi; xorriso -as mkisofs -quiet -append_partition 2 0xef efi "
                "-o image d",
    "iso,mbr", TRUE },
  { "genisoimage-bridge", "genisoimage", MAKE_FOLDER "genisoimage -quiet -udf -o image d", "iso",
    TRUE },
  { "udf-512", "mkudffs", "truncate -s 8M image; mkudffs -b 512 image", "iso", TRUE },
  { "udf-2048", "mkudffs", "truncate -s 8M image; mkudffs -b 2048 image", "iso", TRUE },
  { "udf-4096", "mkudffs", "truncate -s 8M image; mkudffs -b 4096 image", "iso", TRUE },
  { "C45/zip-at-the-end", "zip",
    MAKE_FOLDER "xorriso -as mkisofs -quiet -o image d; zip -q z.zip d/noise; cat z.zip >> image",
    "iso,zip", FALSE },
};

static void
made_by_others (gconstpointer data)
{
  const Made *row = data;
  g_autoptr (GByteArray) image =
      shell_has ("xorriso") ? shell_image (row->program, row->script) : NULL;
  g_autoptr (ImgImportFormatPolicy) policy = imgimport_format_policy_new_from_json (NULL, NULL);
  g_autofree char *matches = NULL;
  g_autoptr (ImgImportFacts) facts = NULL;
  ImgImportVerdict verdict;

  if (image == NULL)
    return;
  matches = matches_of (image);
  g_assert_cmpstr (matches, ==, row->matches);
  facts = inspect (image);
  for (guint i = 0; i < facts->matches->len; i++)
    {
      const ImgImportMatch *match = g_ptr_array_index (facts->matches, i);

      for (guint k = 0; k < match->checks->len; k++)
        g_assert_cmpstr (g_array_index (match->checks, ImgImportCheck, k).reason, ==, NULL);
    }
  g_assert_true (_imgimport_facts_judge (facts, policy, "iso", "bare", &verdict, NULL) ==
                 row->accepted);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/iso/C41/other-version-fails", other_version_fails);
  g_test_add_func ("/inspect/iso/J01/volume-passes", volume_passes);
  g_test_add_func ("/inspect/iso/boot-record-may-come-first", boot_record_may_come_first);
  g_test_add_func ("/inspect/iso/C38/lies-of-the-volume-fail", lies_of_the_volume_fail);
  g_test_add_func ("/inspect/iso/byte-orders-that-differ-fail", byte_orders_that_differ_fail);
  g_test_add_func ("/inspect/iso/volume-without-primary-descriptor-fails",
                   volume_without_primary_descriptor_fails);
  g_test_add_func ("/inspect/iso/cut-off-descriptors-fail", cut_off_descriptors_fail);
  g_test_add_func ("/inspect/iso/what-has-no-identifier-is-raw", what_has_no_identifier_is_raw);
  g_test_add_func ("/inspect/iso/J01/recognition-sequences", recognition_sequences);
  g_test_add_func ("/inspect/iso/bridge-has-the-size-of-its-volume",
                   bridge_has_the_size_of_its_volume);
  for (guint i = 0; i < G_N_ELEMENTS (made); i++)
    {
      g_autofree char *path = g_strdup_printf ("/inspect/iso/J01/%s", made[i].name);

      g_test_add_data_func (path, &made[i], made_by_others);
    }
  return g_test_run ();
}
