/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-files.h"

#include "flow/journal-segment.h"

/* What journals in files hold; what all journals do is in tests/contract. */

static void
write_two_runs (Files *files)
{
  append (files, "a", "a-one", FALSE);
  append (files, "b", "b-one", FALSE);
  append (files, "a", "a-two", FALSE);
  append (files, "b", "b-two", FALSE);
  append (files, "a", "a-three", TRUE);
}

/* Whether the run has all of its records. A mark at the end that something is damaged behind them
 * takes nothing away. */
static gboolean
is_intact (Files *files, const char *run, const char *expected)
{
  GString *text = load (files, run);
  gboolean same;

  if (text->len >= 2 && memcmp (text->str + text->len - 2, "|", 2) == 0)
    g_string_truncate (text, text->len - 2);
  same = strlen (expected) == text->len && memcmp (text->str, expected, text->len) == 0;
  g_string_free (text, TRUE);
  return same;
}

/* A flipped byte is in a frame of one run or of the other: never are both damaged, never does a
 * record disappear from between others without a trace. */
static void
a_flipped_byte_costs_one_run_only (Files *files, gconstpointer unused)
{
  g_autofree char *path = NULL;
  g_autofree char *bytes = NULL;
  gsize length;
  gsize i;

  write_two_runs (files);
  path = segment_path (files, 0);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  _imgimport_journal_file_free (files->journal);
  files->journal = NULL;
  for (i = 0; i < length; i++)
    {
      gboolean a;
      gboolean b;
      GString *text;

      bytes[i] = (char)(bytes[i] ^ 0x20);
      g_assert_true (g_file_set_contents (path, bytes, (gssize)length, NULL));
      g_assert_cmpint (g_chmod (path, 0600), ==, 0);
      open_files (files);
      a = is_intact (files, "a", "|a-one|a-two|a-three");
      b = is_intact (files, "b", "|b-one|b-two");
      g_assert_true (a || b);
      text = load (files, "a");
      if (strstr (text->str, "a-three") != NULL && !a)
        g_assert_true (strstr (text->str, "a-one") == NULL || strstr (text->str, "a-two") == NULL);
      g_assert_true (a || strcmp (text->str, "|a-one|a-three") != 0);
      g_string_free (text, TRUE);
      _imgimport_journal_file_free (files->journal);
      files->journal = NULL;
      bytes[i] = (char)(bytes[i] ^ 0x20);
    }
}

/* Each run keeps the records that were whole, and goes on after them. */
static void
a_cut_file_keeps_what_is_before (Files *files, gconstpointer unused)
{
  g_autofree char *path = NULL;
  struct stat facts;
  off_t length;

  write_two_runs (files);
  path = segment_path (files, 0);
  g_assert_cmpint (stat (path, &facts), ==, 0);
  for (length = facts.st_size; length-- > 0;)
    {
      GString *text;

      _imgimport_journal_file_free (files->journal);
      g_assert_cmpint (truncate (path, length), ==, 0);
      open_files (files);
      text = load (files, "a");
      g_assert_true (text->len == 0 || g_str_has_prefix ("|a-one|a-two|a-three", text->str) ||
                     strlen (text->str) < text->len);
      g_string_free (text, TRUE);
      if (count_segments (files) == 0)
        return;
    }
}

static void
what_follows_damage_is_appended_behind_it (Files *files, gconstpointer unused)
{
  g_autofree char *path = NULL;
  struct stat facts;
  GString *text;

  append (files, "a", "one", FALSE);
  append (files, "a", "two", FALSE);
  path = segment_path (files, 0);
  g_assert_cmpint (stat (path, &facts), ==, 0);
  _imgimport_journal_file_free (files->journal);
  g_assert_cmpint (truncate (path, facts.st_size - 1), ==, 0);
  open_files (files);
  append (files, "a", "again", FALSE);
  text = load (files, "a");
  g_assert_cmpstr (text->str, ==, "|one|tw|again");
  g_string_free (text, TRUE);
}

static void
forgetting_all_removes_the_files (Files *files, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  write_two_runs (files);
  _imgimport_journal_file_free (files->journal);
  open_files (files);
  append (files, "a", "a-four", FALSE);
  g_assert_cmpuint (count_segments (files), ==, 2);
  g_assert_true (TABLE.forget (files->journal, "a", &error));
  g_assert_cmpuint (count_segments (files), ==, 1);
  assert_records (files, "b", "|b-one|b-two");
  g_assert_true (TABLE.forget (files->journal, "b", &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_segments (files), ==, 0);
  append (files, "b", "new", TRUE);
  assert_records (files, "b", "|new");
}

/* Who writes to a file keeps it, though all in it is forgotten by somebody else. */
static void
a_file_in_use_is_not_removed (Files *files, gconstpointer unused)
{
  Files other = { files->directory, NULL };
  g_autoptr (GError) error = NULL;

  append (files, "a", "one", FALSE);
  open_files (&other);
  g_assert_true (TABLE.forget (other.journal, "a", &error));
  g_assert_cmpuint (count_segments (files), ==, 1);
  append (files, "b", "two", FALSE);
  assert_records (&other, "b", "|two");
  assert_records (&other, "a", "");
  _imgimport_journal_file_free (other.journal);
}

static void
a_full_file_gets_a_successor (Files *files, gconstpointer unused)
{
  g_autofree char *text = g_strnfill (1000 * 1000, 'x');
  GString *loaded;
  guint i;

  for (i = 0; i < 9; i++)
    append (files, i == 0 ? "first" : "rest", text, i % 2 == 0);
  g_assert_cmpuint (count_segments (files), ==, 2);
  loaded = load (files, "rest");
  g_assert_cmpuint (loaded->len, ==, 8 * (1 + strlen (text)));
  g_string_free (loaded, TRUE);
}

/* What another run's next frame begins with is no damage to this one, while somebody lives who may
 * be writing it. */
static void
a_frame_that_is_being_written_is_no_damage (Files *files, gconstpointer unused)
{
  g_autofree char *path = NULL;
  Files other = { files->directory, NULL };
  GString *text;
  int fd;

  append (files, "a", "one", FALSE);
  path = segment_path (files, 0);
  fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint (write (fd, "IGJ1torn", 8), ==, 8);
  close (fd);
  assert_records (files, "a", "|one");
  open_files (&other);
  assert_records (&other, "a", "|one");
  _imgimport_journal_file_free (files->journal);
  files->journal = other.journal;
  g_assert_true (is_intact (files, "a", "|one"));
  text = load (files, "a");
  g_assert_cmpuint (text->len, ==, strlen ("|one") + 2);
  g_string_free (text, TRUE);
}

static gboolean
has (ImgImportSegments *segments, const char *path, const char *run)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autoptr (ImgImportSegment) segment = _imgimport_segment_open (segments->dirfd, name, NULL);
  gboolean found = FALSE;

  g_assert_true (_imgimport_segments_has (segments, segment, run, &found, NULL));
  return found;
}

/* However many runs are loaded, what is there of others is read once. */
static void
each_byte_is_read_once (Files *files, gconstpointer unused)
{
  ImgImportSegments segments;
  g_autofree char *path = NULL;
  int dirfd = open (files->directory, O_DIRECTORY | O_CLOEXEC);
  int fd;

  _imgimport_segments_init (&segments, dirfd);
  write_two_runs (files);
  path = segment_path (files, 0);
  g_assert_true (has (&segments, path, "a"));
  g_assert_false (has (&segments, path, "c"));
  fd = open (path, O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (pwrite (fd, "XXXX", 4, 0), ==, 4);
  close (fd);
  append (files, "c", "one", FALSE);
  g_assert_true (has (&segments, path, "a"));
  g_assert_true (has (&segments, path, "c"));
  g_assert_false (has (&segments, path, "d"));
  _imgimport_segments_clear (&segments);
  close (dirfd);
}

/* A frame whose writing failed has been seen, and another one was written in its place. */
static void
a_frame_in_the_place_of_a_torn_one_is_found (Files *files, gconstpointer unused)
{
  ImgImportSegments segments;
  g_autoptr (GByteArray) torn = g_byte_array_new ();
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  int dirfd = open (files->directory, O_DIRECTORY | O_CLOEXEC);
  struct stat facts;
  int fd;

  _imgimport_segments_init (&segments, dirfd);
  append (files, "a", "one", FALSE);
  path = segment_path (files, 0);
  name = g_path_get_basename (path);
  g_assert_cmpint (stat (path, &facts), ==, 0);
  _imgimport_frame_append (torn, name, "b", 0, "a longer record", 15);
  fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint (write (fd, torn->data, torn->len - 1), ==, (gssize)torn->len - 1);
  g_assert_true (has (&segments, path, "b"));
  g_assert_false (has (&segments, path, "c"));
  g_assert_cmpint (ftruncate (fd, facts.st_size), ==, 0);
  close (fd);
  append (files, "c", "two", FALSE);
  g_assert_true (has (&segments, path, "c"));
  _imgimport_segments_clear (&segments);
  close (dirfd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, check)                                                                           \
  g_test_add ("/flow/journal-file/" name, Files, NULL, set_up, check, tear_down)
  ADD ("a-flipped-byte-costs-one-run-only", a_flipped_byte_costs_one_run_only);
  ADD ("T60/a-cut-file-keeps-what-is-before", a_cut_file_keeps_what_is_before);
  ADD ("what-follows-damage-is-appended-behind-it", what_follows_damage_is_appended_behind_it);
  ADD ("forgetting-all-removes-the-files", forgetting_all_removes_the_files);
  ADD ("a-file-in-use-is-not-removed", a_file_in_use_is_not_removed);
  ADD ("T60/a-frame-that-is-being-written", a_frame_that_is_being_written_is_no_damage);
  ADD ("each-byte-is-read-once", each_byte_is_read_once);
  ADD ("a-full-file-gets-a-successor", a_full_file_gets_a_successor);
  ADD ("a-frame-in-the-place-of-a-torn-one-is-found", a_frame_in_the_place_of_a_torn_one_is_found);
  return g_test_run ();
}
