/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect-feed.h"

#include "shell.h"

/* Every format that is recognised, declared as every other; and several at once. */

#define BYTES(text) text, sizeof text - 1

/* What makes a stream one of the format, be it an unsafe one. */
typedef struct
{
  const char *format;
  gsize at;
  const char *bytes;
  gsize length;
} Mark;

static const Mark marks[] = {
  { "qcow2", 0, BYTES ("QFI\xfb") },
  { "qed", 0, BYTES ("QED\0") },
  { "vmdk", 0, BYTES ("KDMV") },
  { "vhd", 0, BYTES ("conectix") },
  { "vhdx", 0, BYTES ("vhdxfile") },
  { "vdi", 64, BYTES ("\x7f\x10\xda\xbe") },
  { "iso", 32768, BYTES ("\1CD001\1") },
  { "gpt", 450, BYTES ("\xee") },
  { "mbr", 510, BYTES ("\x55\xaa") },
  { "luks", 0, BYTES ("LUKS\xba\xbe") },
  { "parallels", 0, BYTES ("WithouFreSpacExt") },
  { "ploop", 0, BYTES ("<Parallels_disk_image>") },
  { "json", 0, BYTES ("json:{") },
  { "gzip", 0, BYTES ("\x1f\x8b\x08\0\0\0\0\0\0\3") },
  { "xz", 0, BYTES ("\xfd\x37zXZ\0") },
  { "bzip2", 0, BYTES ("BZh9\x31\x41\x59\x26\x53\x59") },
  { "lz4", 0, BYTES ("\x04\x22\x4d\x18\x64\x40\xa7\0") },
  { "zstd", 0, BYTES ("\x28\xb5\x2f\xfd\x24") },
  { "zip", 0, BYTES ("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a") },
  { "tar", 0, BYTES ("a") },
  { "ova", 0, BYTES ("a.ovf") },
};

static void
put_mark (GByteArray *image, const Mark *mark)
{
  memcpy (image->data + mark->at, mark->bytes, mark->length);
  if (strcmp (mark->format, "gpt") == 0)
    memcpy (image->data + 510, "\x55\xaa", 2);
  if (strcmp (mark->format, "tar") == 0 || strcmp (mark->format, "ova") == 0)
    {
      guint sum = 8 * ' ';

      memcpy (image->data + 257, "ustar\00000", 8);
      for (guint i = 0; i < 512; i++)
        sum += image->data[i];
      g_snprintf ((char *)image->data + 148, 8, "%06o", sum);
    }
}

static GByteArray *
image_new_marked (const char *format)
{
  GByteArray *image = image_new (40000);

  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      if (strcmp (marks[i].format, format) == 0)
        {
          put_mark (image, &marks[i]);
          return image;
        }
    }
  g_error ("there is no mark of %s", format);
}

/* ---- one format ------------------------------------------------------------------------------ */

static const char *
refusal (const GByteArray *image, const char *declared)
{
  static const char *const reasons[] = { "format-mismatch", "format-unsafe", "format-ambiguous" };
  g_autoptr (ImgImportFacts) facts = inspect (image);
  g_autoptr (ImgImportFormatPolicy) policy = imgimport_format_policy_new_from_json (NULL, NULL);
  g_autoptr (GError) error = NULL;
  ImgImportVerdict verdict;

  if (_imgimport_facts_judge (facts, policy, declared, "bare", &verdict, &error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      if (strcmp (imgimport_error_get_reason (error), reasons[i]) == 0)
        return reasons[i];
    }
  g_error ("%s", error->message);
}

static gboolean
may_be (const char *actual, const char *declared)
{
  gboolean partitioned = strcmp (actual, "gpt") == 0 || strcmp (actual, "mbr") == 0;

  if (_imgimport_format_lookup (actual)->kind == IMGIMPORT_FORMAT_ENVELOPE)
    return FALSE;
  return strcmp (actual, declared) == 0 ||
         (partitioned && (strcmp (declared, "raw") == 0 || strcmp (declared, "gpt") == 0)) ||
         (strcmp (actual, "parallels") == 0 && strcmp (declared, "ploop") == 0);
}

/* The marks have nothing behind them, so that nothing is accepted: but what is unsafe agrees. */
static void
declared_as_another_is_a_mismatch (void)
{
  const ImgImportFormat *const *formats = _imgimport_formats ();
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  g_ptr_array_add (names, (gpointer) "raw");
  g_ptr_array_add (names, (gpointer) "ami");
  for (guint i = 0; formats[i] != NULL; i++)
    g_ptr_array_add (names, (gpointer)formats[i]->name);
  for (guint i = 0; formats[i] != NULL; i++)
    {
      g_autoptr (GByteArray) image = image_new_marked (formats[i]->name);

      g_assert_cmpstr (format_of (image), ==, formats[i]->name);
      for (guint k = 0; k < names->len; k++)
        {
          const char *declared = g_ptr_array_index (names, k);
          const char *reason = refusal (image, declared);

          if (g_strcmp0 (reason, "format-mismatch") != 0 && !may_be (formats[i]->name, declared))
            g_error ("%s declared %s: %s", formats[i]->name, declared, reason);
          if (g_strcmp0 (reason, "format-mismatch") == 0 && may_be (formats[i]->name, declared))
            g_error ("%s may not be declared %s", formats[i]->name, declared);
        }
    }
}

static void
plain_bytes_are_no_format (void)
{
  const ImgImportFormat *const *formats = _imgimport_formats ();
  g_autoptr (GByteArray) image = image_new (40000);

  g_assert_null (refusal (image, "raw"));
  g_assert_null (refusal (image, "ami"));
  for (guint i = 0; formats[i] != NULL; i++)
    g_assert_cmpstr (refusal (image, formats[i]->name), ==, "format-mismatch");
}

/* ---- several --------------------------------------------------------------------------------- */

static void
all_matches_are_listed (void)
{
  static const struct
  {
    const char *formats[4];
    const char *matches;
  } rows[] = {
    { { "qcow2", "mbr" }, "qcow2,mbr" },
    { { "qcow2", "gpt" }, "qcow2,gpt" },
    { { "qcow2", "iso" }, "qcow2,iso" },
    { { "luks", "iso", "mbr" }, "iso,mbr,luks" },
    { { "iso", "zip" }, "iso,zip" },
    { { "iso", "gpt", "zip" }, "iso,gpt,zip" },
    { { "parallels", "vdi", "iso", "mbr" }, "vdi,iso,mbr,parallels" },
    { { "gzip", "iso" }, "iso,gzip" },
    { { "tar", "iso" }, "iso,tar" },
    { { "json", "mbr" }, "mbr,json" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_marked (rows[i].formats[0]);
      g_autofree char *matches = NULL;

      for (guint k = 1; k < G_N_ELEMENTS (rows[i].formats) && rows[i].formats[k] != NULL; k++)
        {
          g_autoptr (GByteArray) other = image_new_marked (rows[i].formats[k]);

          for (guint at = 0; at < image->len; at++)
            image->data[at] |= other->data[at];
        }
      matches = matches_of (image);
      g_assert_cmpstr (matches, ==, rows[i].matches);
      assert_same_however_fed (image);
      for (guint k = 0; k < G_N_ELEMENTS (rows[i].formats) && rows[i].formats[k] != NULL; k++)
        g_assert_cmpstr (refusal (image, rows[i].formats[k]), ==, "format-ambiguous");
    }
}

/* ISO 9660 with partition tables is what every live disk is. */
static void
hybrid_iso_is_an_iso (void)
{
  static const char *const tables[] = { "gpt", "mbr" };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autoptr (GByteArray) image = image_new_marked (tables[i]);
      g_autoptr (GByteArray) iso = image_new_marked ("iso");

      memcpy (image->data + 32768, iso->data + 32768, 2048);
      g_assert_cmpstr (refusal (image, "iso"), ==, "format-unsafe");
      g_assert_cmpstr (refusal (image, "raw"), ==, "format-mismatch");
      g_assert_cmpstr (refusal (image, "gpt"), ==, "format-mismatch");
    }
}

/* The file is the disk, from its table on, and a footer. */
static void
fixed_vhd_of_a_partitioned_disk_is_a_vhd (void)
{
  static const char *const tables[] = { "gpt", "mbr" };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autoptr (GByteArray) image = image_new_marked (tables[i]);
      g_autofree char *expected = g_strdup_printf ("vhd,%s", tables[i]);
      g_autofree char *matches = NULL;

      memcpy (image->data + image->len - 512, "conectix", 8);
      matches = matches_of (image);
      g_assert_cmpstr (matches, ==, expected);
      g_assert_cmpstr (refusal (image, "vhd"), ==, "format-unsafe");
      g_assert_cmpstr (refusal (image, "raw"), ==, "format-mismatch");
      g_assert_cmpstr (refusal (image, tables[i]), ==, "format-mismatch");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/matrix/C41/declared-as-another-is-a-mismatch",
                   declared_as_another_is_a_mismatch);
  g_test_add_func ("/inspect/matrix/C41/plain-bytes-are-no-format", plain_bytes_are_no_format);
  g_test_add_func ("/inspect/matrix/C45/J28/all-matches-are-listed", all_matches_are_listed);
  g_test_add_func ("/inspect/matrix/C45/J28/F128/hybrid-iso-is-an-iso", hybrid_iso_is_an_iso);
  g_test_add_func ("/inspect/matrix/C45/fixed-vhd-of-a-partitioned-disk-is-a-vhd",
                   fixed_vhd_of_a_partitioned_disk_is_a_vhd);
  return g_test_run ();
}
