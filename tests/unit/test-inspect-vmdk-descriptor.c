/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmdk-image.h"

typedef struct
{
  const char *text;
  const char *failures;
} Row;

static void
assert_rows (const Row *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++)
    {
      g_autoptr (GByteArray) image = image_new_vmdk (rows[i].text);

      g_test_message ("%s", rows[i].text);
      assert_failures (image, rows[i].failures);
    }
}

static void
sub_formats_of_several_files_are_refused (void)
{
  static const char extent[] = "RW 2048 SPARSE \"a.vmdk\"";
  static const char *const types[] = {
    "monolithicFlat",
    "vmfs",
    "vmfsSparse",
    "vmfsThin",
    "vmfsRaw",
    "vmfsRawDeviceMap",
    "vmfsPassthroughRawDeviceMap",
    "twoGbMaxExtentFlat",
    "twoGbMaxExtentSparse",
    "2GbMaxExtentFlat",
    "custom",
    "fullDevice",
    "partitionedDevice",
    "",
    "streamOptimized ",
    "x",
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *text = g_strdup_printf (
          "# Disk DescriptorFile\nparentCID=ffffffff\ncreateType=\"%s\"\n%s\n", types[i], extent);
      Row row = { text, "create_type" };

      assert_rows (&row, 1);
    }
}

#define SPARSE(extent) VMDK_TEXT ("monolithicSparse", extent)

static void
extents_are_the_file_itself (void)
{
  static const Row rows[] = {
    { SPARSE ("RW 2048 SPARSE \"a.vmdk\""), "" },
    { SPARSE ("RDONLY 2048 SPARSE \"call me by name.vmdk\""), "" },
    { SPARSE ("NOACCESS 1 sparse \"a\""), "" },
    { SPARSE ("rw 2048 SPARSE \"\xc3\xa4.vmdk\"\r"), "" },
    { SPARSE (""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"/etc/passwd\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"../a.vmdk\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"..\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \".\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"C:\\a.vmdk\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"json:{}\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"nbd:unix\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"a\x01\""), "descriptor" },
    { SPARSE ("RW 2048 SPARSE \"a\tb\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"a\"\rRW 2048 FLAT \"/etc/passwd\""), "descriptor,extents" },
    { SPARSE ("RW 2048 SPARSE a.vmdk"), "extents" },
    { SPARSE ("RW 2048 SPARSE \"a.vmdk\" 0"), "extents" },
    { SPARSE ("RW 2048 FLAT \"a.vmdk\" 0"), "extents" },
    { SPARSE ("RW 2048 VMFSRDM \"a.vmdk\""), "extents" },
    { SPARSE ("RW 2048 ZERO \"a.vmdk\""), "extents" },
    { SPARSE ("RW 2049 SPARSE \"a.vmdk\""), "extents" },
    { SPARSE ("RW 1 SPARSE \"a\"\nRW 1 SPARSE \"b\""), "extents" },
    { SPARSE ("RW 2048 SPARSE \"a.vmdk\"\nchangeTrackPath=\"a-ctk.vmdk\""), "extents" },
    { SPARSE ("RW 2048 SPARSE"), "descriptor" },
    { SPARSE ("RW 2048"), "descriptor" },
    { SPARSE ("RW"), "descriptor" },
    { SPARSE ("RW -1 SPARSE \"a\""), "descriptor" },
    { SPARSE ("RW 99999999999999999999 SPARSE \"a\""), "descriptor" },
    { SPARSE ("RW  2048 SPARSE \"a\""), "descriptor" },
    { SPARSE ("RW\t2048\tFLAT\t\"/etc/passwd=\""), "descriptor,extents" },
  };

  assert_rows (rows, G_N_ELEMENTS (rows));
}

#define EXTENT "RW 2048 SPARSE \"a.vmdk\"\n"
#define TYPE "createType=\"streamOptimized\"\n"

static void
parents_are_refused (void)
{
  static const Row rows[] = {
    { "parentCID=FFFFFFFF\n" TYPE EXTENT, "" },
    { TYPE EXTENT, "" },
    { "parentCID=00000000\n" TYPE EXTENT, "parent" },
    { "parentCID=123a681b\n" TYPE EXTENT, "parent" },
    { "PARENTCID=fffffffe\n" TYPE EXTENT, "parent" },
    { "parentCID=\n" TYPE EXTENT, "parent" },
    { "parentCID=ffffffff\nparentCID=ffffffff\n" TYPE EXTENT, "parent" },
    { "parentCID=ffffffff\n#parentCID=123a681b\n" TYPE EXTENT, "parent" },
    { "parentFileNameHint=\"/etc/passwd\"\nparentCID=ffffffff\n" TYPE EXTENT, "parent" },
    { "#parentFileNameHint=\"a\"\n" TYPE EXTENT, "parent" },
  };

  assert_rows (rows, G_N_ELEMENTS (rows));
}

static void
every_line_is_understood (void)
{
  static const Row rows[] = {
    { TYPE EXTENT "\n\r\n  \n# x\nddb.x = \"y\"\nencoding=\"UTF-8\"\n", "" },
    { "CREATETYPE=streamoptimized\n" EXTENT, "" },
    { EXTENT, "create_type" },
    { TYPE "#createType=\"monolithicFlat\"\n" EXTENT, "create_type" },
    { "ddb.x = \"createType=\"monolithicFlat\"\"\n" TYPE EXTENT, "create_type" },
    { "createType = \"streamOptimized\"\n" EXTENT, "descriptor" },
    { TYPE EXTENT "hello\n", "descriptor" },
    { TYPE EXTENT "=x\n", "descriptor" },
    { TYPE EXTENT "a/b=x\n", "descriptor" },
    { TYPE EXTENT "\xff\n", "descriptor" },
    { TYPE EXTENT "\x1b[2Jhello\n", "descriptor" },
    { "", "create_type,extents" },
    { TYPE EXTENT "# x\rRW 2048 FLAT \"/etc/passwd\" 0\n", "descriptor" },
    { TYPE EXTENT "ddb.x = \"\vRW 2048 FLAT \"/etc/passwd\" 0\n", "descriptor" },
    { TYPE EXTENT "# x\x7f\n", "descriptor" },
    { TYPE EXTENT "# x\ty\r\n# z\r", "" },
  };

  assert_rows (rows, G_N_ELEMENTS (rows));
}

static void
nothing_hides_after_the_text (void)
{
  g_autoptr (GByteArray) image = image_new_vmdk (VMDK_GOOD);
  gsize end = 512 + strlen (VMDK_GOOD);

  image->data[512 + 20 * 512 - 1] = 'x';
  assert_failures (image, "descriptor");
  image->data[512 + 20 * 512 - 1] = 0;
  assert_failures (image, "");
  /* The end of the same text, once longer, is what QEMU leaves there. */
  memcpy (image->data + end + 1, "= x\"\n", 5);
  assert_failures (image, "");
  image->data[end + 2] = '/';
  assert_failures (image, "descriptor");
  memcpy (image->data + end, "\0\0\n", 3);
  assert_failures (image, "descriptor");
  memcpy (image->data + end + 1, image->data + end - 9, 9);
  assert_failures (image, "descriptor");
  memset (image->data + 512, '\n', 20 * 512);
  memcpy (image->data + 512, VMDK_GOOD, strlen (VMDK_GOOD));
  assert_failures (image, "");
}

static void
reason_shows_no_control_characters (void)
{
  g_autoptr (GByteArray) image = image_new_vmdk (TYPE EXTENT "\x1b[2J\xc3\xa4hello\n");
  g_autofree char *text = feed_in_chunks (image, image->len);

  g_assert_nonnull (strstr (text, "033[2J"));
  g_assert_true (g_str_is_ascii (text));
}

/* ---- a descriptor that is a file of its own ------------------------------------------------- */

static void
text_alone_is_refused (void)
{
  static const Row rows[] = {
    { VMDK_TEXT ("monolithicFlat", "RW 16 FLAT \"/etc/passwd\" 0"), "create_type,extents" },
    { VMDK_TEXT ("vmfs", "RW 16 VMFS \"a-flat.vmdk\""), "create_type,extents" },
    { VMDK_TEXT ("custom", "RW 16 FLAT \"../a\" 0"), "create_type,extents" },
    { VMDK_TEXT ("monolithicSparse", "RW 16 SPARSE \"a.vmdk\""), "extents" },
    { "# Disk DescriptorFile\n", "create_type,extents" },
    { "# disk descriptorfile", "create_type,extents" },
    { "version=1\n", "create_type,extents" },
    { "\n\n# x\n#\n \r\nversion=2\n", "create_type,extents" },
    { "# Disk DescriptorFile\xff", "descriptor" },
    { "x=y\ncreateType=\"monolithicFlat\"\n################################\n",
      "create_type,extents" },
    { "x\v\34=y\ncreateType=\"monolithicFlat\"\n##############################\n",
      "descriptor,create_type,extents" },
    { "x\33=y\ncreateType=\"monolithicFlat\"\n###############################\n", "raw" },
    { "x=y\ncreateType=\"monolithicFlat\"\n", "raw" },
    { "x=y\ncreateType\n############################################################\n", "raw" },
    { "\x01version=1\n", "raw" },
    { "# version=1\n", "raw" },
    { "# Disk Descriptor", "raw" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = g_byte_array_new ();

      g_test_message ("%s", rows[i].text);
      g_byte_array_append (image, (const guint8 *)rows[i].text, (guint)strlen (rows[i].text));
      assert_failures (image, rows[i].failures);
      assert_same_however_fed (image);
      /* Padded, as some programs write it. */
      g_byte_array_set_size (image, 100000);
      memset (image->data + strlen (rows[i].text), 0, 100000 - strlen (rows[i].text));
      assert_failures (image, rows[i].failures);
      image->data[2000] = 'x';
      assert_failures (image, strcmp (rows[i].failures, "raw") == 0 ? "raw" : "descriptor");
    }
}

static void
text_of_any_length_is_bounded (void)
{
  g_autoptr (GByteArray) image = image_new (200000);
  g_autofree char *text = NULL;

  memset (image->data, '\n', 200000);
  memcpy (image->data, VMDK_GOOD, strlen (VMDK_GOOD));
  assert_failures (image, "extents");
  text = feed_in_chunks (image, image->len);
  g_assert_cmpuint (strlen (text), <, 1000);
}

static void
begin_alone_must_be_text (void)
{
  static const char begin[] = "x=y\ncreateType=\"monolithicFlat\"\n";
  g_autoptr (GByteArray) image = image_new (4096);

  memset (image->data, '#', image->len);
  memcpy (image->data, begin, strlen (begin));
  image->data[512] = 1;
  assert_failures (image, "descriptor,create_type,extents");
  assert_same_however_fed (image);
  image->data[511] = 1;
  assert_failures (image, "raw");
  assert_same_however_fed (image);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/vmdk-descriptor/C34/sub-formats-of-several-files-are-refused",
                   sub_formats_of_several_files_are_refused);
  g_test_add_func ("/inspect/vmdk-descriptor/C34/extents-are-the-file-itself",
                   extents_are_the_file_itself);
  g_test_add_func ("/inspect/vmdk-descriptor/C34/parents-are-refused", parents_are_refused);
  g_test_add_func ("/inspect/vmdk-descriptor/C34/every-line-is-understood",
                   every_line_is_understood);
  g_test_add_func ("/inspect/vmdk-descriptor/C34/nothing-hides-after-the-text",
                   nothing_hides_after_the_text);
  g_test_add_func ("/inspect/vmdk-descriptor/reason-shows-no-control-characters",
                   reason_shows_no_control_characters);
  g_test_add_func ("/inspect/vmdk-descriptor/C34/C35/text-alone-is-refused", text_alone_is_refused);
  g_test_add_func ("/inspect/vmdk-descriptor/C34/begin-alone-must-be-text",
                   begin_alone_must_be_text);
  g_test_add_func ("/inspect/vmdk-descriptor/C36/text-of-any-length-is-bounded",
                   text_of_any_length_is_bounded);
  return g_test_run ();
}
