/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect-feed.h"

#include "shell.h"

/* What is packed, or only describes a disk. */

#define BYTES(text) text, sizeof text - 1

typedef struct
{
  const char *format; /* "raw": none */
  const char *bytes;
  gsize length;
} Row;

#define GZIP "\x1f\x8b\x08"
#define BZIP2_BLOCK "\x31\x41\x59\x26\x53\x59"
#define ZSTD "\x28\xb5\x2f\xfd"
#define SKIPPABLE "\x5f\x2a\x4d\x18"
#define LZ4 "\x04\x22\x4d\x18"
#define LZ4_LEGACY "\x02\x21\x4c\x18"
#define PLOOP "<Parallels_disk_image Version=\"1.0\">"

/* Each is also cut off behind its bytes. */
static const Row rows[] = {
  { "gzip", BYTES (GZIP "\0\0\0\0\0\0\3") },
  { "gzip", BYTES (GZIP "\x1f\1\2\3\4\2\xff") },
  { "gzip", BYTES (GZIP "\0\0\0\0\0\4\15") },
  { "raw", BYTES (GZIP "\x20\0\0\0\0\0\3") },
  { "raw", BYTES (GZIP "\x80\0\0\0\0\0\3") },
  { "raw", BYTES (GZIP "\0\0\0\0\0\1\3") },
  { "raw", BYTES (GZIP "\0\0\0\0\0\0\16") },
  { "raw", BYTES ("\x1f\x8b\x07\0\0\0\0\0\0\3") },
  { "raw", BYTES (GZIP "\0\0\0\0\0\0") },
  { "xz", BYTES ("\xfd\x37zXZ\0") },
  { "raw", BYTES ("\xfd\x37zXZ\1") },
  { "raw", BYTES ("\xfd\x37zXZ") },
  { "bzip2", BYTES ("BZh1" BZIP2_BLOCK) },
  { "bzip2", BYTES ("BZh9\x17\x72\x45\x38\x50\x90") },
  { "raw", BYTES ("BZh0" BZIP2_BLOCK) },
  { "raw", BYTES ("BZh:" BZIP2_BLOCK) },
  { "raw", BYTES ("BZh9\x31\x41\x59\x26\x53\x58") },
  { "raw", BYTES ("BZh9\x31\x41\x59\x26\x53") },
  { "lz4", BYTES (LZ4 "\x64\x40\xa7\0") },
  { "lz4", BYTES (LZ4 "\x7d\x70\0\0") },
  { "raw", BYTES (LZ4 "\xa4\x40\0\0") },
  { "raw", BYTES (LZ4 "\x66\x40\0\0") },
  { "raw", BYTES (LZ4 "\x64\x30\0\0") },
  { "raw", BYTES (LZ4 "\x64\xc0\0\0") },
  { "raw", BYTES (LZ4 "\x64\x41\0\0") },
  { "raw", BYTES (LZ4 "\x64\x40\0") },
  { "lz4", BYTES (LZ4_LEGACY "\1\0\0\0") },
  { "lz4", BYTES (LZ4_LEGACY "\x90\x80\x80\0") },
  { "raw", BYTES (LZ4_LEGACY "\x91\x80\x80\0") },
  { "raw", BYTES (LZ4_LEGACY "\0\0\0\0") },
  { "raw", BYTES (LZ4_LEGACY "\xff\xff\xff\xff") },
  { "zstd", BYTES (ZSTD "\x24") },
  { "raw", BYTES (ZSTD "\x08") },
  { "raw", BYTES (ZSTD) },
  { "zstd", BYTES (SKIPPABLE "\0\0\0\0" ZSTD "\4") },
  { "zstd", BYTES ("\x50\x2a\x4d\x18\1\0\0\0x" SKIPPABLE "\2\0\0\0xx" ZSTD "\4") },
  { "raw", BYTES (SKIPPABLE "\1\0\0\0" ZSTD "\4") },
  { "raw", BYTES (SKIPPABLE "\4\0\0\0" ZSTD) },
  { "raw", BYTES (SKIPPABLE "\xff\xff\xff\xff" ZSTD "\4") },
  { "raw", BYTES (SKIPPABLE "\0\0\0\0" SKIPPABLE "\0\0\0\0") },
  { "raw", BYTES (SKIPPABLE "\0\0\0") },
  { "zip", BYTES ("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a") },
  { "zip", BYTES ("PK\7\x08PK\3\4\x3f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a") },
  { "raw", BYTES ("PK\3\4\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a") },
  { "raw", BYTES ("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a") },
  { "raw", BYTES ("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0") },
  { "json", BYTES ("json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}") },
  { "json", BYTES ("json:{") },
  { "raw", BYTES ("json:") },
  { "raw", BYTES ("json: {}") },
  { "ploop", BYTES (PLOOP) },
  { "ploop", BYTES ("\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->" PLOOP) },
  { "ploop", BYTES (" \n<?xml version='1.0'?>\n" PLOOP) },
  { "raw", BYTES ("<Parallels_disk_imag") },
  { "raw", BYTES ("x" PLOOP) },
  { "raw", BYTES ("\xef\xbb\xbf") },
  { "raw", BYTES ("\n\n") },
};

static void
first_bytes_tell (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      GByteArray exact = { (guint8 *)rows[i].bytes, (guint)rows[i].length };
      g_autoptr (GByteArray) image = image_new (70000);

      if (strcmp (format_of (&exact), rows[i].format) != 0)
        g_error ("row %u is %s, not %s", i, format_of (&exact), rows[i].format);
      assert_same_however_fed (&exact);
      memcpy (image->data, rows[i].bytes, rows[i].length);
      if (strcmp (rows[i].format, "raw") != 0)
        g_assert_cmpstr (format_of (image), ==, rows[i].format);
    }
}

static void
descriptions_are_unsafe (void)
{
  GByteArray json = { (guint8 *)"json:{}", 7 };
  GByteArray ploop = { (guint8 *)PLOOP, sizeof PLOOP - 1 };

  assert_failures (&json, "reference");
  assert_failures (&ploop, "descriptor");
}

/* None of them is a disk of any declared format, unless policy does not mind. */
static void
judged_as_no_disk (void)
{
  static const char *const declared[] = { "raw", "qcow2", "ami", "ploop", NULL };
  g_autoptr (ImgImportFormatPolicy) policy = imgimport_format_policy_new_from_json (NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      GByteArray exact = { (guint8 *)rows[i].bytes, (guint)rows[i].length };
      g_autoptr (ImgImportFacts) facts = inspect (&exact);

      for (guint k = 0; facts->matches->len > 0 && k < G_N_ELEMENTS (declared); k++)
        {
          g_autoptr (GError) error = NULL;
          ImgImportVerdict verdict;

          g_assert_false (
              _imgimport_facts_judge (facts, policy, declared[k], "bare", &verdict, &error));
          g_assert_cmpstr (imgimport_error_get_reason (error), ==, "format-mismatch");
        }
    }
}

/* ---- zstd ------------------------------------------------------------------------------------ */

static void
skippable_frames_are_followed_behind_the_head (void)
{
  static const guint starts[] = { 65536, 100000, 150000, 190000 };
  g_autoptr (GByteArray) image = image_new (200000);
  guint at = 0;

  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      memcpy (image->data + at, SKIPPABLE, 4);
      put_le32 (image, at + 4, starts[i] - at - 8);
      at = starts[i];
      g_assert_cmpstr (format_of (image), ==, "raw");
      memcpy (image->data + at, ZSTD "\4", 5);
      g_assert_cmpstr (format_of (image), ==, "zstd");
      assert_same_however_fed (image);
    }
}

/* ---- zip ------------------------------------------------------------------------------------- */

static void
directory_at_the_end_is_found (void)
{
  static const struct
  {
    guint at;
    guint8 value;
  } lies[] = { { 4, 1 }, { 6, 1 }, { 8, 2 }, { 12, 41 }, { 16, 1 }, { 20, 9 }, { 20, 11 } };
  g_autoptr (GByteArray) image = image_new (70000);
  guint end = image->len - 22 - 10;

  memcpy (image->data + end, "PK\5\6\0\0\0\0\1\0\1\0", 12);
  put_le32 (image, end + 12, 40);
  put_le32 (image, end + 16, end - 40);
  image->data[end + 20] = 10;
  g_assert_cmpstr (format_of (image), ==, "zip");
  assert_same_however_fed (image);
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      guint8 *byte = image->data + end + lies[i].at;
      guint8 truth = *byte;

      *byte = lies[i].at == 16 ? (guint8)(truth + 1) : lies[i].value;
      g_assert_cmpstr (format_of (image), ==, "raw");
      *byte = truth;
    }
  put_le32 (image, end + 16, G_MAXUINT32);
  g_assert_cmpstr (format_of (image), ==, "zip");
}

/* ---- tar ------------------------------------------------------------------------------------- */

static GByteArray *
image_new_tar (const char *name, const char *magic)
{
  GByteArray *image = image_new (1024);
  guint sum = 8 * ' ';

  memcpy (image->data, name, strlen (name));
  memcpy (image->data + 257, magic, 8);
  for (guint i = 0; i < 512; i++)
    sum += image->data[i];
  g_snprintf ((char *)image->data + 148, 8, "%06o", sum);
  return image;
}

static void
tar_is_known_by_its_checksum (void)
{
  g_autoptr (GByteArray) posix = image_new_tar ("a", "ustar\00000");
  g_autoptr (GByteArray) gnu = image_new_tar ("a", "ustar  \0");
  g_autoptr (GByteArray) other = image_new_tar ("a", "ustarx\0\0");
  GByteArray cut = { posix->data, 511 };

  g_assert_cmpstr (format_of (posix), ==, "tar");
  g_assert_cmpstr (format_of (gnu), ==, "tar");
  g_assert_cmpstr (format_of (other), ==, "raw");
  g_assert_cmpstr (format_of (&cut), ==, "raw");
  memmove (gnu->data + 149, gnu->data + 148, 6);
  gnu->data[148] = ' ';
  g_assert_cmpstr (format_of (gnu), ==, "tar");
  posix->data[0]++;
  g_assert_cmpstr (format_of (posix), ==, "raw");
  memset (gnu->data + 148, ' ', 8);
  g_assert_cmpstr (format_of (gnu), ==, "raw");
}

static void
appliance_begins_with_its_description (void)
{
  static const struct
  {
    const char *name;
    const char *format;
  } names[] = {
    { "box.ovf", "ova" }, { "a.OVF", "ova" },    { "dir/box.ovf", "ova" },
    { ".ovf", "tar" },    { "box.ovf2", "tar" }, { "disk.vmdk", "tar" },
    { "", "tar" },
  };
  g_autoptr (GString) longest = g_string_new (NULL);
  g_autoptr (GByteArray) image = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GByteArray) named = image_new_tar (names[i].name, "ustar\00000");

      g_assert_cmpstr (format_of (named), ==, names[i].format);
      assert_same_however_fed (named);
    }
  for (guint i = 0; i < 96; i++)
    g_string_append_c (longest, 'x');
  g_string_append (longest, ".ovf");
  image = image_new_tar (longest->str, "ustar\00000");
  g_assert_cmpstr (format_of (image), ==, "ova");
}

/* ---- as others make it ----------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  const char *program;
  const char *script; /* of the file "noise" */
  const char *format;
} Made;

static const Made made[] = {
  { "gzip", "gzip", "gzip -c noise > image", "gzip" },
  { "gzip-fast", "gzip", "gzip -1nc < noise > image", "gzip" },
  { "gzip-empty", "gzip", "gzip -9c < /dev/null > image", "gzip" },
  { "xz", "xz", "xz -0c noise > image", "xz" },
  { "bzip2", "bzip2", "bzip2 -1c noise > image", "bzip2" },
  { "bzip2-empty", "bzip2", "bzip2 -c < /dev/null > image", "bzip2" },
  { "zstd", "zstd", "zstd -qc noise > image", "zstd" },
  { "zstd-stream", "zstd", "zstd -qc --long=27 --no-check < noise > image", "zstd" },
  { "lz4", "lz4", "lz4 -qc noise > image", "lz4" },
  { "lz4-large", "lz4", "lz4 -qc -B7 -BD --content-size noise > image", "lz4" },
  { "lz4-legacy", "lz4", "lz4 -qlc noise > image", "lz4" },
  { "zip", "zip", "zip -q image.zip noise; mv image.zip image", "zip" },
  { "zip-stored", "zip", "zip -q0 image.zip noise; mv image.zip image", "zip" },
  { "zip-stream", "zip", "zip -q - - < noise > image", "zip" },
  { "zip-behind-noise", "zip", "zip -q z.zip noise; cat noise z.zip > image", "zip" },
  { "tar-gnu", "tar", "tar --format=gnu -cf image noise", "tar" },
  { "tar-pax", "tar", "tar --format=pax -cf image noise", "tar" },
  { "tar-ustar", "tar", "tar --format=ustar -cf image noise", "tar" },
  { "ova", "tar", "mv noise box.ovf; tar --format=ustar -cf image box.ovf", "ova" },
};

static void
made_by_others (gconstpointer data)
{
  const Made *row = data;
  g_autofree char *script =
      g_strconcat ("head -c 100000 /dev/urandom > noise; ", row->script, NULL);
  g_autoptr (GByteArray) image = shell_image (row->program, script);

  if (image == NULL)
    return;
  g_assert_cmpstr (format_of (image), ==, row->format);
  assert_failures (image, "");
}

static void
noise_is_nothing (void)
{
  g_autoptr (GByteArray) image = image_new (1024);

  for (guint i = 0; i < 3000; i++)
    {
      for (guint at = 0; at < image->len; at += 4)
        put_le32 (image, at, (guint32)g_test_rand_int ());
      g_assert_cmpstr (format_of (image), ==, "raw");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/envelope/C35/first-bytes-tell", first_bytes_tell);
  g_test_add_func ("/inspect/envelope/C35/descriptions-are-unsafe", descriptions_are_unsafe);
  g_test_add_func ("/inspect/envelope/C35/C41/judged-as-no-disk", judged_as_no_disk);
  g_test_add_func ("/inspect/envelope/skippable-frames-are-followed-behind-the-head",
                   skippable_frames_are_followed_behind_the_head);
  g_test_add_func ("/inspect/envelope/C45/directory-at-the-end-is-found",
                   directory_at_the_end_is_found);
  g_test_add_func ("/inspect/envelope/tar-is-known-by-its-checksum", tar_is_known_by_its_checksum);
  g_test_add_func ("/inspect/envelope/appliance-begins-with-its-description",
                   appliance_begins_with_its_description);
  g_test_add_func ("/inspect/envelope/noise-is-nothing", noise_is_nothing);
  for (guint i = 0; i < G_N_ELEMENTS (made); i++)
    {
      g_autofree char *path = g_strdup_printf ("/inspect/envelope/made/%s", made[i].name);

      g_test_add_data_func (path, &made[i], made_by_others);
    }
  return g_test_run ();
}
