/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect-feed.h"

#include "shell.h"

#define AREA 16384u
#define SIZE (2 * AREA + 1024u)

static void
seal (GByteArray *image)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = 32;

  memset (image->data + 448, 0, 64);
  g_checksum_update (checksum, image->data, AREA);
  g_checksum_get_digest (checksum, image->data + 448, &length);
}

static void
put_metadata (GByteArray *image, const char *text)
{
  memset (image->data + 4096, 0, AREA - 4096);
  memcpy (image->data + 4096, text, strlen (text));
  seal (image);
}

static void
put_segment (GByteArray *image, const char *offset, const char *size)
{
  g_autofree char *text = g_strdup_printf (
      "{\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"%s\",\"size\":\"%s\"}}}", offset,
      size);

  put_metadata (image, text);
}

/* Two headers, and 1024 bytes of data. */
static GByteArray *
image_new_luks2 (void)
{
  GByteArray *image = image_new (SIZE);

  memcpy (image->data, "LUKS\xba\xbe\0\2", 8);
  put_be64 (image, 8, AREA);
  memcpy (image->data + 72, "sha256", 6);
  memcpy (image->data + AREA, "SKUL\xba\xbe\0\2", 8);
  put_be64 (image, AREA + 8, AREA);
  put_be64 (image, AREA + 256, AREA);
  put_segment (image, "32768", "dynamic");
  return image;
}

static void
version_2_passes (void)
{
  g_autoptr (GByteArray) image = image_new_luks2 ();

  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, 1024);
  put_segment (image, "32768", "512");
  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, 512);
  assert_same_however_fed (image);
}

static void
lies_of_version_2_fail (void)
{
  static const struct
  {
    guint at;
    guint64 value;
    const char *failures;
    const char *reason;
  } rows[] = {
    { 8, 0, "header", "16 KiB" },
    { 8, AREA - 1, "header", "16 KiB" },
    { 8, AREA / 2, "header", "16 KiB" },
    { 8, 8 * 1024 * 1024, "header", "16 KiB" },
    { 8, G_MAXUINT64, "header", "16 KiB" },
    { 8, 2 * AREA, "header", "ends within" },
    { 8, 4 * 1024 * 1024, "header", "ends within" },
    { 256, AREA, "header", "elsewhere" },
    { AREA, 0, "backup", "missing" },
    { AREA + 8, 2 * AREA, "backup", "contradicts" },
    { AREA + 256, 0, "backup", "contradicts" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_luks2 ();

      put_be64 (image, rows[i].at, rows[i].value);
      seal (image);
      assert_failures (image, rows[i].failures);
      assert_reason (image, rows[i].failures, rows[i].reason);
    }
}

static void
checksums (void)
{
  g_autoptr (GByteArray) image = image_new_luks2 ();

  image->data[448] ^= 1;
  assert_failures (image, "header");
  assert_reason (image, "header", "checksum");
  /* One that GLib does not make. */
  memcpy (image->data + 72, "sm3\0\0\0", 6);
  assert_failures (image, "");
}

static void
metadata_that_tells_nothing_fails (void)
{
  static const char *const rows[][2] = {
    { "", "no JSON" },
    { "[]", "no JSON" },
    { "{\"segments\":", "no JSON" },
    { "{}", "one segment" },
    { "{\"segments\":[]}", "one segment" },
    { "{\"segments\":{}}", "one segment" },
    { "{\"segments\":{\"0\":1}}", "one segment" },
    { "{\"segments\":{\"0\":{},\"1\":{}}}", "one segment" },
    { "{\"segments\":{\"0\":{\"offset\":\"32768\"}}}", "one segment" },
    { "{\"segments\":{\"0\":{\"size\":\"dynamic\"}}}", "one segment" },
    { "{\"segments\":{\"0\":{\"offset\":32768,\"size\":\"dynamic\"}}}", "one segment" },
    { "{\"segments\":{\"0\":{\"offset\":\"-1\",\"size\":\"dynamic\"}}}", "one segment" },
    { "{\"segments\":{\"0\":{\"offset\":\"9223372036854775808\",\"size\":\"512\"}}}",
      "one segment" },
    { "{\"segments\":{\"0\":{\"offset\":\"32768\",\"size\":\"0\"}}}", "one segment" },
    { "{\"segments\":{\"0\":{\"offset\":\"32768\",\"size\":512}}}", "one segment" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_luks2 ();

      put_metadata (image, rows[i][0]);
      assert_failures (image, "metadata");
      assert_reason (image, "metadata", rows[i][1]);
    }
}

/* Members that do not count may be many, but not those that do. */
static void
much_metadata (void)
{
  g_autoptr (GByteArray) image = image_new_luks2 ();
  g_autofree char *spaces = g_strnfill (4096, ' ');
  g_autofree char *filled =
      g_strconcat ("{\"tokens\":[\"", spaces, "\",", spaces,
                   "1],\"segments\": {\"0\":{\"offset\":\"32768\",\"size\":\"512\"}}}", NULL);
  g_autofree char *wide = g_strconcat ("{\"segments\":{\"0\":{\"offset\":\"32768\",", spaces,
                                       "\"size\":\"512\"}}}", NULL);

  put_metadata (image, filled);
  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, 512);
  put_metadata (image, wide);
  assert_failures (image, "metadata");
}

static void
metadata_without_an_end_fails (void)
{
  g_autoptr (GByteArray) image = image_new_luks2 ();

  memset (image->data + 4096, '{', AREA - 4096);
  seal (image);
  assert_failures (image, "metadata");
  assert_reason (image, "metadata", "does not end");
}

static void
segments_outside_of_the_file_fail (void)
{
  static const struct
  {
    const char *offset;
    const char *size;
    const char *failures;
  } rows[] = {
    { "0", "dynamic", "payload" },
    { "33793", "dynamic", "payload" },
    { "9223372036854775807", "dynamic", "payload" },
    { "32768", "1025", "payload" },
    { "32768", "9223372036854775807", "payload" },
    { "33792", "dynamic", "virtual_size" },
    { "33000", "dynamic", "virtual_size" },
    { "32768", "1000", "virtual_size" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_luks2 ();

      put_segment (image, rows[i].offset, rows[i].size);
      assert_failures (image, rows[i].failures);
    }
}

static void
second_header_is_found_behind_the_head (void)
{
  const guint area = 128 * 1024;
  g_autoptr (GByteArray) image = image_new_luks2 ();

  g_byte_array_set_size (image, 2 * area + 1024);
  memset (image->data + AREA, 0, image->len - AREA);
  put_be64 (image, 8, area);
  put_segment (image, "262144", "dynamic");
  assert_failures (image, "backup");
  memcpy (image->data + area, "SKUL\xba\xbe\0\2", 8);
  put_be64 (image, area + 8, area);
  put_be64 (image, area + 256, area);
  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, 1024);
  assert_same_however_fed (image);
}

static void
cut_off_version_2_fails (void)
{
  g_autoptr (GByteArray) image = image_new_luks2 ();

  assert_cut_anywhere (image, 6, 101, 2 * AREA + 512);
}

static void
cryptsetup_with_large_metadata_passes (void)
{
  g_autoptr (GByteArray) image = shell_image (
      "cryptsetup",
      "truncate -s 20M image; printf secret | cryptsetup luksFormat --batch-mode --type luks2 "
      "--luks2-metadata-size 128k --luks2-keyslots-size 1M --offset 8192 "
      "--pbkdf pbkdf2 --pbkdf-force-iterations 1000 image -");

  if (image == NULL)
    return;
  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, 16 * 1024 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/luks2/version-2-passes", version_2_passes);
  g_test_add_func ("/inspect/luks2/C38/lies-of-version-2-fail", lies_of_version_2_fail);
  g_test_add_func ("/inspect/luks2/checksums", checksums);
  g_test_add_func ("/inspect/luks2/metadata-that-tells-nothing-fails",
                   metadata_that_tells_nothing_fails);
  g_test_add_func ("/inspect/luks2/much-metadata", much_metadata);
  g_test_add_func ("/inspect/luks2/metadata-without-an-end-fails", metadata_without_an_end_fails);
  g_test_add_func ("/inspect/luks2/segments-outside-of-the-file-fail",
                   segments_outside_of_the_file_fail);
  g_test_add_func ("/inspect/luks2/second-header-is-found-behind-the-head",
                   second_header_is_found_behind_the_head);
  g_test_add_func ("/inspect/luks2/cut-off-version-2-fails", cut_off_version_2_fails);
  g_test_add_func ("/inspect/luks2/cryptsetup-with-large-metadata-passes",
                   cryptsetup_with_large_metadata_passes);
  return g_test_run ();
}
