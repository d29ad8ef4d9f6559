/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Zip archives that are an image, more than one, or lie. */

#include "packed.h"

static const ImgImportUnpackLimits limits = IMGIMPORT_UNPACK_LIMITS_INIT;

#define DISK "the bytes of the disk"

/* What the tool makes of files of DISK in a new directory. */
static GBytes *
zip (const char *command)
{
  g_autofree char *dir = g_dir_make_tmp ("imgimport-XXXXXX", NULL);
  g_autofree char *script = g_strdup_printf (
      "cd %s && printf '%%s' '" DISK "' >a && cp a b && mkdir d && %s && cat x.zip; rm -r %s", dir,
      command, dir);
  const char *const argv[] = { "sh", "-c", script, NULL };
  g_autofree char *program = g_find_program_in_path ("zip");

  if (program == NULL)
    {
      g_test_skip ("there is no zip");
      return NULL;
    }
  return pack (argv, NULL);
}

static gssize
find (GBytes *bytes, const char *sign)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (bytes, &length);
  gsize i;

  for (i = 0; i + 4 <= length; i++)
    if (memcmp (data + i, sign, 4) == 0)
      return (gssize)i;
  return -1;
}

static void
assert_zip (const char *command, const char *reason)
{
  g_autoptr (GBytes) packed = zip (command);
  g_autoptr (GBytes) disk = g_bytes_new_static (DISK, strlen (DISK));

  if (packed != NULL)
    assert_unpacks (packed, &limits, disk, reason);
}

static void
test_zip_as_it_should_be (void)
{
  assert_zip ("zip -q x.zip a", NULL);
  assert_zip ("zip -q -0 x.zip a", NULL);
  assert_zip ("zip -q -fz x.zip a", NULL);
  assert_zip ("zip -q -fz - - <a | cat >x.zip", NULL);
  assert_zip ("echo a note | zip -q -z x.zip a", NULL);
}

static void
test_zip_with_other_than_one_file (void)
{
  assert_zip ("zip -q x.zip a b", "unpack-members");
  assert_zip ("zip -q -fz x.zip a b", "unpack-members");
  assert_zip ("zip -q x.zip d", "unpack-member");
  assert_zip ("ln -s /etc/passwd l && zip -q -y x.zip l", "unpack-member");
  assert_zip ("chmod u+s a && zip -q x.zip a", "unpack-member");
}

static void
test_zip_that_cannot_be_read (void)
{
  assert_zip ("zip -q -P secret x.zip a", "unpack-encrypted");
  assert_zip ("seq 10000 >a && zip -q -Z bzip2 x.zip a", "unpack-unsupported");
  assert_zip ("zip -q -0 -fd x.zip a", "unpack-unsupported");
}

/* One byte of the directory or of what it is made of, changed. */
static void
test_zip_whose_directory_lies (void)
{
  static const struct
  {
    const char *sign;
    gsize at;
    const char *reason;
  } lies[] = {
    { "PK\1\2", 0, "unpack-corrupt" },    { "PK\1\2", 10, "unpack-corrupt" },
    { "PK\1\2", 24, "unpack-corrupt" },   { "PK\1\2", 42, "unpack-corrupt" },
    { "PK\1\2", 3, "unpack-corrupt" },    { "PK\5\6", 10, "unpack-members" },
    { "PK\5\6", 20, "unpack-truncated" }, { "PK\5\6", 3, "unpack-corrupt" },
    { "PK\3\4", 14, "unpack-corrupt" },
  };
  g_autoptr (GBytes) good = zip ("zip -q -0 x.zip a");
  gsize i;

  for (i = 0; good != NULL && i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GBytes) bad = flip (good, (gsize)find (good, lies[i].sign) + lies[i].at);

      assert_unpacks (bad, &limits, NULL, lies[i].reason);
    }
}

static void
test_zip_with_two_entries_of_one_member (void)
{
  g_autoptr (GBytes) good = zip ("zip -q x.zip a");
  g_autoptr (GBytes) begin = NULL;
  g_autoptr (GBytes) entry = NULL;
  g_autoptr (GBytes) end = NULL;
  g_autoptr (GBytes) twice = NULL;
  g_autoptr (GBytes) bad = NULL;
  gsize at, behind;

  if (good == NULL)
    return;
  at = (gsize)find (good, "PK\1\2");
  behind = (gsize)find (good, "PK\5\6");
  begin = g_bytes_new_from_bytes (good, 0, behind);
  entry = g_bytes_new_from_bytes (good, at, behind - at);
  end = g_bytes_new_from_bytes (good, behind, g_bytes_get_size (good) - behind);
  twice = join (begin, entry);
  bad = join (twice, end);
  assert_unpacks (bad, &limits, NULL, "unpack-members");
}

/* The end of the directory with that of zip64 before it. */
static GBytes *
with_end64 (GBytes *good)
{
  static const guint8 end64[76] = { 'P', 'K', 6, 6, 44, [24] = 1, [32] = 1, [56] = 'P', 'K', 6, 7 };
  gsize at = (gsize)find (good, "PK\5\6");
  g_autoptr (GBytes) more = g_bytes_new_static (end64, sizeof end64);
  g_autoptr (GBytes) first = g_bytes_new_from_bytes (good, 0, at);
  g_autoptr (GBytes) second = g_bytes_new_from_bytes (good, at, g_bytes_get_size (good) - at);
  g_autoptr (GBytes) begin = join (first, more);

  return join (begin, second);
}

/* At any byte of the member, of what is behind it, and of the directory. */
static void
test_zip_whose_source_fails (void)
{
  g_autoptr (GBytes) packed = zip ("zip -q -fz - - <a | cat >x.zip");
  g_autoptr (GBytes) plain = packed != NULL ? zip ("zip -q x.zip a") : NULL;
  g_autoptr (GBytes) large = plain != NULL ? with_end64 (plain) : NULL;
  GBytes *const files[] = { packed, large };
  gsize i;

  for (i = 0; large != NULL && i < G_N_ELEMENTS (files); i++)
    for (guint n = 1; n <= g_bytes_get_size (files[i]); n++)
      {
        Source source = { files[i], 0, 1, 0, n };
        g_autoptr (GError) error = NULL;
        g_autoptr (GBytes) output = unpack_from (&source, &limits, &error);

        g_assert_null (output);
        g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_UNAVAILABLE);
      }
}

static void
test_zip64_directory (void)
{
  static const struct
  {
    const char *sign;
    gsize at;
    const char *reason;
  } lies[] = {
    { "PK\6\6", 4, "unpack-corrupt" },
    { "PK\6\6", 32, "unpack-members" },
    { "PK\6\7", 3, "unpack-corrupt" },
  };
  g_autoptr (GBytes) plain = zip ("zip -q x.zip a");
  g_autoptr (GBytes) disk = g_bytes_new_static (DISK, strlen (DISK));
  g_autoptr (GBytes) good = plain != NULL ? with_end64 (plain) : NULL;
  gsize i;

  if (good == NULL)
    return;
  assert_unpacks (good, &limits, disk, NULL);
  for (i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (GBytes) bad = flip (good, (gsize)find (good, lies[i].sign) + lies[i].at);

      assert_unpacks (bad, &limits, NULL, lies[i].reason);
    }
  for (i = 60; i < g_bytes_get_size (good); i++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (good, 0, i);

      assert_unpacks (part, &limits, NULL, "unpack-truncated");
    }
}

static void
test_zip_whose_descriptor_lies (void)
{
  g_autoptr (GBytes) good = zip ("seq 10000 >a && zip -q - - <a | cat >x.zip");
  g_autoptr (GBytes) bad = NULL;
  g_autoptr (GBytes) moved = NULL;
  gsize at;

  if (good == NULL)
    return;
  at = (gsize)find (good, "PK\7\10");
  bad = flip (good, at + 4);
  assert_unpacks (bad, &limits, NULL, "unpack-corrupt");
  moved = flip (good, (gsize)find (good, "PK\1\2"));
  assert_unpacks (moved, &limits, NULL, "unpack-corrupt");
  for (; at < g_bytes_get_size (good); at++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (good, 0, at);

      assert_unpacks (part, &limits, NULL, "unpack-truncated");
    }
}

/* What does not belong to the member or the directory. */
static void
test_zip_with_a_gap (void)
{
  g_autoptr (GBytes) good = zip ("zip -q x.zip a");
  gsize length = good != NULL ? g_bytes_get_size (good) : 0;
  gsize at = good != NULL ? (gsize)find (good, "PK\1\2") : 0;
  g_autoptr (GBytes) gap = g_bytes_new_static ("a gap", 5);
  g_autoptr (GBytes) first = NULL;
  g_autoptr (GBytes) second = NULL;
  g_autoptr (GBytes) begin = NULL;
  g_autoptr (GBytes) bad = NULL;

  if (good == NULL)
    return;
  first = g_bytes_new_from_bytes (good, 0, at);
  second = g_bytes_new_from_bytes (good, at, length - at);
  begin = join (first, gap);
  bad = join (begin, second);
  assert_unpacks (bad, &limits, NULL, "unpack-corrupt");
}

/* Wherever it breaks off. */
static void
test_zip_truncated (void)
{
  g_autoptr (GBytes) good = zip ("zip -q -0 x.zip a");
  gsize i;

  for (i = 30; good != NULL && i < g_bytes_get_size (good); i++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (good, 0, i);

      assert_unpacks (part, &limits, NULL, "unpack-truncated");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/F109/zip-as-it-should-be", test_zip_as_it_should_be);
  g_test_add_func ("/conformance/F109/zip-with-other-than-one-file",
                   test_zip_with_other_than_one_file);
  g_test_add_func ("/security/30/zip-that-cannot-be-read", test_zip_that_cannot_be_read);
  g_test_add_func ("/security/30/zip-whose-directory-lies", test_zip_whose_directory_lies);
  g_test_add_func ("/security/30/zip-with-two-entries-of-one-member",
                   test_zip_with_two_entries_of_one_member);
  g_test_add_func ("/security/63/zip-whose-source-fails", test_zip_whose_source_fails);
  g_test_add_func ("/security/30/zip64-directory", test_zip64_directory);
  g_test_add_func ("/security/30/zip-whose-descriptor-lies", test_zip_whose_descriptor_lies);
  g_test_add_func ("/security/30/zip-with-a-gap", test_zip_with_a_gap);
  g_test_add_func ("/security/30/zip-truncated", test_zip_truncated);
  return g_test_run ();
}
