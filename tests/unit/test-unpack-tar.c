/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Archives that are no image, or not one: tar and OVA made by hand, member by member. */

#include "packed.h"

static const ImgImportUnpackLimits limits = IMGIMPORT_UNPACK_LIMITS_INIT;

#define DISK "the bytes of the disk"

/* ---- tar ------------------------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  char type;
  guint mode;
  const char *data;
} Member;

static void
append_header (GByteArray *tar, const Member *member, gsize size)
{
  char header[513] = { 0 };
  guint sum = 0;
  gsize i;

  g_strlcpy (header, member->name, 100);
  g_snprintf (header + 100, 8, "%07o", member->mode);
  memcpy (header + 108,
          "0000000\0"
          "0000000",
          16);
  g_snprintf (header + 124, 12, "%011o", (guint)size);
  memcpy (header + 136, "00000000000", 12);
  memset (header + 148, ' ', 8);
  header[156] = member->type;
  if (member->type == '1' || member->type == '2')
    g_strlcpy (header + 157, "/etc/passwd", 100);
  memcpy (header + 257,
          "ustar\0"
          "00",
          8);
  for (i = 0; i < 512; i++)
    sum += (guint8)header[i];
  g_snprintf (header + 148, 8, "%06o", sum);
  g_byte_array_append (tar, (const guint8 *)header, 512);
}

/* Ends with the first member that has no name. */
static GBytes *
make_tar (const Member *members)
{
  static const guint8 zeros[1024] = { 0 };
  GByteArray *tar = g_byte_array_new ();

  for (; members->name != NULL; members++)
    {
      gsize size = strlen (members->data);

      append_header (tar, members, size);
      g_byte_array_append (tar, (const guint8 *)members->data, (guint)size);
      g_byte_array_append (tar, zeros, (guint)(511 - (size + 511) % 512));
    }
  g_byte_array_append (tar, zeros, sizeof zeros);
  return g_byte_array_free_to_bytes (tar);
}

static void
assert_tar (const Member *members, const char *reason)
{
  g_autoptr (GBytes) packed = make_tar (members);
  g_autoptr (GBytes) disk = g_bytes_new_static (DISK, strlen (DISK));

  assert_unpacks (packed, &limits, disk, reason);
}

#define END                                                                                        \
  {                                                                                                \
    NULL, 0, 0, NULL                                                                               \
  }

static void
test_tar_members_that_are_no_disk (void)
{
  static const struct
  {
    Member members[4];
    const char *reason;
  } cases[] = {
    { { { "disk.raw", '0', 0644, DISK }, END }, NULL },
    { { { "./some/disk.raw", '0', 0600, DISK }, END }, NULL },
    { { { "a name/of..dots", '0', 0600, DISK }, END }, NULL },
    { { { "../x", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "a/../../x", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "/abs", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "\xff\xfe", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "hard", '1', 0644, "" }, END }, "unpack-member" },
    { { { "soft", '2', 0777, "" }, { "soft/x", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "char", '3', 0644, "" }, END }, "unpack-member" },
    { { { "block", '4', 0644, "" }, END }, "unpack-member" },
    { { { "dir/", '5', 0755, "" }, END }, "unpack-member" },
    { { { "fifo", '6', 0644, "" }, END }, "unpack-member" },
    { { { "suid", '0', 04755, DISK }, END }, "unpack-member" },
    { { { "a", '0', 0644, DISK }, { "b", '0', 0644, DISK }, END }, "unpack-members" },
    { { { "a", '0', 0644, DISK }, { "a", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "x", 'x', 0644, "16 path=../../x\n" }, { "a", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "x", 'x', 0644, "15 path=/other\n" }, { "a", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "l", 'L', 0644, "../x" }, { "a", '0', 0644, DISK }, END }, "unpack-member" },
    { { { "s", 'x', 0644, "27 GNU.sparse.map=0,3,9,18\n22 GNU.sparse.size=27\n" },
        { "a", '0', 0644, DISK },
        END },
      "unpack-member" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].members[0].name);
      assert_tar (cases[i].members, cases[i].reason);
    }
}

/* Also a name that is longer than libarchive takes. */
static void
test_tar_long_name (void)
{
  g_autofree char *name = g_strnfill (1200 * 1024, 'n');
  const Member members[] = { { "l", 'L', 0644, name }, { "a", '0', 0644, DISK }, END };

  assert_tar (members, "unpack-corrupt");
}

static void
test_tar_with_many_members (void)
{
  g_autoptr (GArray) members = g_array_new (TRUE, TRUE, sizeof (Member));
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const Member descriptor = { "a.ovf", '0', 0644,
                              "<Envelope><References><File id='1' href='disk'/></References>"
                              "<DiskSection><Disk fileRef='1'/></DiskSection></Envelope>" };
  guint i;

  g_array_append_val (members, descriptor);
  for (i = 0; i < 20; i++)
    {
      const Member member = { g_strdup_printf ("%u", i), '0', 0644, "more" };

      g_ptr_array_add (names, (gpointer)member.name);
      g_array_append_val (members, member);
    }
  assert_tar ((const Member *)(gconstpointer)members->data, "unpack-members");
}

/* ---- OVA ------------------------------------------------------------------------------------- */

#define OVF(references, disks)                                                                     \
  "<?xml version='1.0'?><ovf:Envelope xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1'>"         \
  "<References>" references "</References><DiskSection>" disks "</DiskSection></ovf:Envelope>"
#define FILE_1 "<ovf:File ovf:id='f1' ovf:href='disk.vmdk'/>"
#define DISK_1 "<Disk ovf:diskId='d1' ovf:fileRef='f1'/>"
#define ONE_DISK OVF (FILE_1, DISK_1)

static void
test_ova (void)
{
  static const struct
  {
    Member members[5];
    const char *reason;
  } cases[] = {
    { { { "a.ovf", '0', 0644, ONE_DISK }, { "disk.vmdk", '0', 0644, DISK }, END }, NULL },
    { { { "a.OVF", '0', 0644,
          OVF (FILE_1 "<File id='2' href='x.nvram'/>",
               "<!-- empty: --><Disk capacity='1'/>" DISK_1) },
        { "x.nvram", '0', 0644, "more" },
        { "disk.vmdk", '0', 0644, DISK },
        END },
      NULL },
    { { { "./a.ovf", '0', 0644, ONE_DISK }, { "././disk.vmdk", '0', 0644, DISK }, END }, NULL },
    { { { "./a.ovf", '0', 0644, ONE_DISK },
        { "./disk.vmdk", '0', 0644, DISK },
        { "disk.vmdk", '0', 0644, DISK },
        END },
      "unpack-member" },
    { { { "a.ovf", '0', 0644, ONE_DISK }, { ".//disk.vmdk", '0', 0644, DISK }, END },
      "unpack-member" },
    { { { "a.ovf", '0', 0644, ONE_DISK }, END }, "unpack-member" },
    { { { "a.ovf", '0', 0644, ONE_DISK }, { "other.vmdk", '0', 0644, DISK }, END },
      "unpack-member" },
    { { { "a.ovf", '0', 0644, OVF ("<File id='f1' href='../disk.vmdk'/>", DISK_1) },
        { "../disk.vmdk", '0', 0644, DISK },
        END },
      "unpack-member" },
    { { { "a.ovf", '0', 0644, OVF (FILE_1, "<Disk fileRef='f2'/>") }, END }, "unpack-member" },
    { { { "a.ovf", '0', 0644, OVF (FILE_1, "") }, END }, "unpack-members" },
    { { { "a.ovf", '0', 0644, OVF (FILE_1, DISK_1 DISK_1) }, END }, "unpack-members" },
    { { { "a.ovf", '0', 0644, OVF ("<File id='f1' href='disk.vmdk' compression='gzip'/>", DISK_1) },
        END },
      "unpack-nested" },
    { { { "a.ovf", '0', 0644, OVF ("<File id='f1'/>", DISK_1) }, END }, "unpack-corrupt" },
    { { { "a.ovf", '0', 0644, OVF (FILE_1 "<File id='f1' href='other'/>", DISK_1) },
        { "disk.vmdk", '0', 0644, DISK },
        { "other", '0', 0644, "more" },
        END },
      "unpack-corrupt" },
    { { { "a.ovf", '0', 0644, "<Envelope><unclosed></Envelope>" }, END }, "unpack-corrupt" },
    { { { "a.ovf", '0', 0644,
          "<!DOCTYPE e [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" OVF (FILE_1, DISK_1) },
        END },
      "unpack-corrupt" },
    { { { "a.ovf", '0', 0644, OVF ("<File id='f1' href='&x;'/>", DISK_1) }, END },
      "unpack-corrupt" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("case %" G_GSIZE_FORMAT, i);
      assert_tar (cases[i].members, cases[i].reason);
    }
}

static void
test_ovf_of_any_size (void)
{
  g_autofree char *attribute = g_strnfill (1200 * 1024, 'a');
  g_autofree char *large = g_strdup_printf ("<Envelope a='%s'/>", attribute);
  g_autoptr (GString) many = g_string_new ("<Envelope>");
  Member members[] = { { "a.ovf", '0', 0644, large }, END };
  guint i;

  assert_tar (members, "unpack-member");
  for (i = 0; i < 20000; i++)
    g_string_append (many, "<e/>");
  g_string_append (many, "</Envelope>");
  members[0].data = many->str;
  assert_tar (members, "unpack-corrupt");
}

/* Before the disk or behind it, but not both, with digests that are right or wrong. */
static void
test_ova_manifest (void)
{
  static const GChecksumType types[] = { G_CHECKSUM_SHA1, G_CHECKSUM_SHA256, G_CHECKSUM_SHA512 };
  static const char *const words[] = { "SHA1", "SHA256", "SHA512" };
  const Member descriptor = { "a.ovf", '0', 0644, ONE_DISK };
  const Member disk = { "disk.vmdk", '0', 0644, DISK };

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (types); i++)
    {
      gboolean wrong = i % 2 == 1;
      g_autofree char *of_ovf = g_compute_checksum_for_string (types[i / 2], ONE_DISK, -1);
      g_autofree char *of_disk =
          g_compute_checksum_for_string (types[i / 2], wrong ? "other" : DISK, -1);
      g_autofree char *text = g_strdup_printf ("%s(a.ovf)= %s\n \r\n%s(disk.vmdk)= %s\n",
                                               words[i / 2], of_ovf, words[i / 2], of_disk);
      const Member manifest = { "a.mf", '0', 0644, text };
      const Member before[] = { descriptor, manifest, disk, END };
      const Member behind[] = { descriptor, disk, manifest, END };
      const Member both[] = { descriptor, { "b.mf", '0', 0644, "" }, disk, manifest, END };

      assert_tar (before, wrong ? "unpack-digest" : NULL);
      assert_tar (behind, wrong ? "unpack-digest" : NULL);
      assert_tar (both, "unpack-member");
    }
}

/* As VirtualBox writes them, and what says two things of one file. */
static void
test_ova_manifest_lines (void)
{
  static const struct
  {
    const char *format;
    const char *reason;
  } cases[] = {
    { "SHA256(disk.vmdk)=%s", NULL },
    { "SHA256 (disk.vmdk) = %s\r\n", NULL },
    { "SHA256 (disk.vmdk)= 00%s", "unpack-digest" },
    { "SHA256(disk.vmdk) = 00%s", "unpack-digest" },
    { "SHA256(disk.vmdk)=", "unpack-digest" },
    { "SHA256(disk.vmdk)= 00\nSHA256(disk.vmdk)= %s", "unpack-digest" },
    { "SHA256(disk.vmdk)= 00\nSHA256(disk.vmdk)= 00\nSHA256(disk.vmdk)= %s", "unpack-digest" },
    { "sha256(disk.vmdk)= 00%s", "unpack-digest" },
    { "SHA256(another)= 00", NULL },
    { "not a line", "unpack-corrupt" },
    { "=(", "unpack-corrupt" },
    { "SHA256(", "unpack-corrupt" },
    { "SHA256= %s", "unpack-corrupt" },
    { "SHA256(disk.vmdk", "unpack-corrupt" },
    { "SHA256(disk.vmdk= 00", "unpack-corrupt" },
    { "MD5(disk.vmdk)= 00", "unpack-unsupported" },
    { "SHA256(disk.vmdk)= %s\nSHA3(disk.vmdk)= 00", "unpack-unsupported" },
  };
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, DISK, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) parts = g_strsplit (cases[i].format, "%s", -1);
      g_autofree char *text = g_strjoinv (digest, parts);
      const Member members[] = { { "a.ovf", '0', 0644, ONE_DISK },
                                 { "disk.vmdk", '0', 0644, DISK },
                                 { "a.mf", '0', 0644, text },
                                 END };

      g_test_message ("%s", cases[i].format);
      assert_tar (members, cases[i].reason);
    }
}

/* What an OVA's members with text hold beyond their limit or behind a NUL. */
static void
test_ova_manifest_that_is_none (void)
{
  g_autofree char *large = g_strnfill (64 * 1024, '\n');
  const Member members[] = { { "a.ovf", '0', 0644, ONE_DISK },
                             { "disk.vmdk", '0', 0644, DISK },
                             { "a.mf", '0', 0644, large },
                             END };
  const Member small[] = { members[0], members[1], { "a.mf", '0', 0644, "\nSHA256(x)= 00" }, END };
  g_autoptr (GBytes) packed = make_tar (small);
  GByteArray *array = g_bytes_unref_to_array (g_steal_pointer (&packed));

  assert_tar (members, "unpack-member");
  /* The third member's text, behind its header. */
  g_assert_cmpuint (array->data[5 * 512], ==, '\n');
  array->data[5 * 512] = '\0';
  packed = g_byte_array_free_to_bytes (array);
  assert_unpacks (packed, &limits, NULL, "unpack-corrupt");
}

static GBytes *
make_ova (void)
{
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, DISK, -1);
  g_autofree char *text = g_strdup_printf ("SHA256(disk.vmdk)= %s\n", digest);
  const Member members[] = { { "a.ovf", '0', 0644, ONE_DISK },
                             { "other", '0', 0644, "more" },
                             { "disk.vmdk", '0', 0644, DISK },
                             { "a.mf", '0', 0644, text },
                             END };

  return make_tar (members);
}

/* Wherever it breaks off; one of the two blocks of the end is enough. */
static void
test_ova_truncated (void)
{
  g_autoptr (GBytes) ova = make_ova ();
  g_autoptr (GBytes) disk = g_bytes_new_static (DISK, strlen (DISK));
  gsize end = g_bytes_get_size (ova) - 512;
  gsize i;

  for (i = 512; i <= end; i += i % 512 == 0 || i % 512 == 511 ? 1 : 70)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (ova, 0, i);

      assert_unpacks (part, &limits, disk, i == end ? NULL : "unpack-truncated");
    }
}

/* In the middle of whatever it holds. */
static void
test_ova_whose_source_fails (void)
{
  g_autoptr (GBytes) ova = make_ova ();
  guint n = 1;

  for (;; n++)
    {
      Source source = { ova, 0, 100, 0, n };
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) output = unpack_from (&source, &limits, &error);

      if (source.n_reads < n)
        break;
      g_assert_null (output);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_UNAVAILABLE);
    }
  g_assert_cmpuint (n, >, g_bytes_get_size (ova) / 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/security/39/tar-members-that-are-no-disk", test_tar_members_that_are_no_disk);
  g_test_add_func ("/security/39/tar-long-name", test_tar_long_name);
  g_test_add_func ("/security/39/tar-with-many-members", test_tar_with_many_members);
  g_test_add_func ("/security/42/ova", test_ova);
  g_test_add_func ("/security/42/ovf-of-any-size", test_ovf_of_any_size);
  g_test_add_func ("/security/42/ova-manifest", test_ova_manifest);
  g_test_add_func ("/security/42/ova-manifest-lines", test_ova_manifest_lines);
  g_test_add_func ("/security/42/ova-manifest-that-is-none", test_ova_manifest_that_is_none);
  g_test_add_func ("/security/39/ova-truncated", test_ova_truncated);
  g_test_add_func ("/security/39/ova-whose-source-fails", test_ova_whose_source_fails);
  return g_test_run ();
}
