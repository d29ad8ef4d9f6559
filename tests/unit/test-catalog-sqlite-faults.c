/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-sqlite.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FULL IMGIMPORT_ERROR_NO_SPACE, "catalog-full"

/* ---- syncs */

/* SQLite finds these in place of the C library's. */
static gint n_syncs;
static gint fail_syncs;

int
fdatasync (int fd)
{
  g_atomic_int_inc (&n_syncs);
  if (g_atomic_int_get (&fail_syncs) != 0)
    {
      errno = EIO;
      return -1;
    }
  return (int)syscall (SYS_fdatasync, fd);
}

int
fsync (int fd)
{
  return fdatasync (fd);
}

static gint
syncs_of_put (Place *place, gboolean durable)
{
  gint before = g_atomic_int_get (&n_syncs);

  g_assert_true (put (place->catalog, "a", "{}", durable, NULL));
  return g_atomic_int_get (&n_syncs) - before;
}

static void
only_durable_commits_sync (Place *place, gconstpointer unused)
{
  place_open (place);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpint (syncs_of_put (place, FALSE), ==, 0);
      g_assert_cmpint (syncs_of_put (place, TRUE), ==, 1);
    }
}

static void
a_durable_commit_that_changes_nothing_syncs_what_came_before (Place *place, gconstpointer unused)
{
  const ImgImportRecord record = { .kind = "image", .id = "a" };
  const ImgImportOp check = { .kind = IMGIMPORT_OP_CHECK, .expected = 1, .record = &record };
  gint before = 0;

  place_open (place);
  g_assert_cmpint (syncs_of_put (place, FALSE), ==, 0);
  before = g_atomic_int_get (&n_syncs);
  g_assert_true (commit_one (place->catalog, &check, TRUE, NULL));
  g_assert_cmpint (g_atomic_int_get (&n_syncs) - before, ==, 1);
}

static void
a_sync_that_fails_is_said_and_the_commit_taken_back (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  place_open (place);
  g_assert_true (put (place->catalog, "a", "old", TRUE, NULL));
  g_atomic_int_set (&fail_syncs, 1);
  g_assert_false (put (place->catalog, "a", "new", TRUE, &error));
  g_atomic_int_set (&fail_syncs, 0);
  assert_error (error, IMGIMPORT_ERROR_FAILED, "io-error");
  assert_body (place->catalog, "a", "old");
  g_assert_true (put (place->catalog, "a", "newer", TRUE, NULL));
  assert_body (place->catalog, "a", "newer");
}

/* ---- a full disk */

static void
leave_room (Place *place, guint n_pages)
{
  g_autofree char *used = ask_sql (place->path, "PRAGMA page_count");
  g_autofree char *sql = g_strdup_printf ("PRAGMA max_page_count = %" G_GINT64_FORMAT,
                                          g_ascii_strtoll (used, NULL, 10) + n_pages);

  g_assert_cmpint (sqlite3_exec (place->catalog->writer->db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
}

static void
a_full_disk_is_said_and_nothing_is_changed (Place *place, gconstpointer unused)
{
  g_autofree char *body = g_strnfill (1024 * 1024, 'b');
  const ImgImportRecord record = { .kind = "image", .id = "big", .body = body };
  const ImgImportOp append = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "run", .data = "x", .length = 1
  };
  const ImgImportOp big = { .kind = IMGIMPORT_OP_PUT, .record = &record };
  const ImgImportOp *const ops[] = { &append, &big };
  g_autoptr (GError) error = NULL;
  guint n_entries = 0;

  place_open (place);
  leave_room (place, 20);
  g_assert_false (VTABLE.commit (place->catalog, ops, 2, FALSE, &error));
  assert_error (error, FULL);
  g_assert_nonnull (strstr (error->message, place->path));
  assert_body (place->catalog, "big", NULL);
  g_assert_true (VTABLE.journal_load (place->catalog, "run", count_entry, &n_entries, NULL));
  g_assert_cmpuint (n_entries, ==, 0);
  g_assert_true (put (place->catalog, "small", "{}", TRUE, NULL));
  leave_room (place, 2000);
  g_assert_true (VTABLE.commit (place->catalog, ops, 2, FALSE, NULL));
}

typedef struct
{
  Place *place;
  const char *id;
  const char *body;
  gboolean durable;
  GError *error;
} Putter;

static gpointer
put_in_thread (gpointer data)
{
  Putter *putter = data;

  put (putter->place->catalog, putter->id, putter->body, putter->durable, &putter->error);
  return NULL;
}

static void
put_together (Place *place, Putter *putters, guint n_putters)
{
  g_autofree gpointer *arguments = g_new0 (gpointer, n_putters);

  for (guint i = 0; i < n_putters; i++)
    arguments[i] = &putters[i];
  run_together (place, put_in_thread, arguments, n_putters);
}

#define N_PUTTERS 6
#define TOO_LARGE 3

static void
one_too_large_does_not_fail_those_it_is_committed_with (Place *place, gconstpointer unused)
{
  g_autofree char *large = g_strnfill (1024 * 1024, 'b');
  Putter putters[N_PUTTERS] = { { 0 } };

  place_open (place);
  leave_room (place, 40);
  for (guint i = 0; i < N_PUTTERS; i++)
    putters[i] =
        (Putter){ place, g_strdup_printf ("%u", i), i == TOO_LARGE ? large : "{}", FALSE, NULL };
  put_together (place, putters, N_PUTTERS);
  for (guint i = 0; i < N_PUTTERS; i++)
    {
      if (i == TOO_LARGE)
        assert_error (putters[i].error, FULL);
      else
        g_assert_no_error (putters[i].error);
      assert_body (place->catalog, putters[i].id, i == TOO_LARGE ? NULL : "{}");
      g_clear_error (&putters[i].error);
      g_free ((char *)putters[i].id);
    }
}

static void
commits_that_wait_together_share_one_sync (Place *place, gconstpointer unused)
{
  Putter putters[N_PUTTERS] = { { 0 } };
  gint before = 0;

  place_open (place);
  g_assert_cmpint (syncs_of_put (place, TRUE), ==, 1);
  for (guint i = 0; i < N_PUTTERS; i++)
    putters[i] = (Putter){ place, g_strdup_printf ("%u", i), "{}", FALSE, NULL };
  putters[0].durable = TRUE;
  putters[N_PUTTERS - 1].durable = TRUE;
  before = g_atomic_int_get (&n_syncs);
  put_together (place, putters, N_PUTTERS);
  g_assert_cmpint (g_atomic_int_get (&n_syncs) - before, ==, 1);
  for (guint i = 0; i < N_PUTTERS; i++)
    {
      g_assert_no_error (putters[i].error);
      assert_body (place->catalog, putters[i].id, "{}");
      g_free ((char *)putters[i].id);
    }
}

static gboolean
write_and_fail (ImgImportSqliteConnection *connection, gpointer unused, GError **error)
{
  return _imgimport_sqlite_exec (connection, "UPDATE touch SET n = n + 1; SELECT nothing", error);
}

static gboolean
write_nothing (ImgImportSqliteConnection *connection, gpointer unused, GError **error)
{
  return TRUE;
}

typedef struct
{
  Place *place;
  ImgImportSqliteWriteFunc func;
  gboolean ok;
} Writer;

static gpointer
write_in_thread (gpointer data)
{
  Writer *writer = data;

  writer->ok = _imgimport_sqlite_write (writer->place->catalog, writer->func, NULL, TRUE, NULL);
  return NULL;
}

static void
what_is_taken_back_does_not_count_as_written (Place *place, gconstpointer unused)
{
  Writer writers[2] = { { place, write_and_fail, FALSE }, { place, write_nothing, FALSE } };
  gpointer arguments[2] = { &writers[0], &writers[1] };
  g_autofree char *touched = NULL;

  place_open (place);
  run_together (place, write_in_thread, arguments, 2);
  g_assert_false (writers[0].ok);
  g_assert_true (writers[1].ok);
  touched = ask_sql (place->path, "SELECT n FROM touch");
  g_assert_cmpstr (touched, ==, "1");
}

/* ---- others */

static void
others_that_write_are_waited_for_but_not_for_ever (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  Putter putters[2] = { { place, "b", "{}", FALSE, NULL }, { place, "c", "{}", FALSE, NULL } };
  sqlite3 *other = NULL;

  place->catalog = _imgimport_catalog_sqlite_new_with_timeout (place->path, 20, NULL);
  g_assert_true (put (place->catalog, "a", "{}", FALSE, NULL));
  g_assert_cmpint (sqlite3_open (place->path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_false (put (place->catalog, "b", "{}", FALSE, &error));
  assert_error (error, IMGIMPORT_ERROR_TIMED_OUT, "catalog-busy");
  put_together (place, putters, 2);
  for (guint i = 0; i < 2; i++)
    {
      assert_error (putters[i].error, IMGIMPORT_ERROR_TIMED_OUT, "catalog-busy");
      g_clear_error (&putters[i].error);
    }
  /* Readers do not wait for writers. */
  assert_body (place->catalog, "a", "{}");
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
  g_assert_true (put (place->catalog, "b", "{}", FALSE, NULL));
}

static void
a_reader_of_an_older_file_is_waited_for_but_not_for_ever (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  sqlite3 *other = NULL;

  run_sql (place->path, "PRAGMA application_id = 1231906633");
  g_assert_cmpint (sqlite3_open (place->path, &other), ==, SQLITE_OK);
  g_assert_cmpint (
      sqlite3_exec (other, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL), ==,
      SQLITE_OK);
  g_assert_null (_imgimport_catalog_sqlite_new_with_timeout (place->path, 20, &error));
  assert_error (error, IMGIMPORT_ERROR_TIMED_OUT, "catalog-busy");
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
  place_open (place);
}

static void
a_file_that_may_not_be_written_is_said (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  place_open (place);
  sqlite3_exec (place->catalog->writer->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
  g_assert_false (put (place->catalog, "a", "{}", FALSE, &error));
  assert_error (error, IMGIMPORT_ERROR_PERMISSION, "access-denied");
}

static void
a_file_that_is_gone_is_said_by_new_readers (Place *place, gconstpointer unused)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };
  g_autoptr (GError) error = NULL;
  guint n = 0;

  place_open (place);
  g_assert_cmpint (g_unlink (place->path), ==, 0);
  g_assert_null (get_body (place->catalog, "a", &error));
  assert_error (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
  g_clear_error (&error);
  g_assert_false (VTABLE.scan (place->catalog, &query, count_record, &n, &error));
  assert_error (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
  g_clear_error (&error);
  g_assert_false (VTABLE.journal_load (place->catalog, "j", count_entry, &n, &error));
  assert_error (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
}

static void
readers_beyond_the_pool_are_closed (Place *place, gconstpointer unused)
{
  ImgImportSqliteConnection *readers[10];

  place_open (place);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    {
      readers[i] = _imgimport_sqlite_take_reader (place->catalog, NULL);
      g_assert_nonnull (readers[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    _imgimport_sqlite_give_reader (place->catalog, readers[i]);
  g_assert_cmpuint (place->catalog->idle->len, ==, 8);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/catalog-sqlite/faults/" name, Place, NULL, place_set_up, func, place_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("only-durable-commits-sync", only_durable_commits_sync);
  ADD ("a-durable-commit-that-changes-nothing-syncs-what-came-before",
       a_durable_commit_that_changes_nothing_syncs_what_came_before);
  ADD ("a-sync-that-fails-is-said-and-the-commit-taken-back",
       a_sync_that_fails_is_said_and_the_commit_taken_back);
  ADD ("a-full-disk-is-said-and-nothing-is-changed", a_full_disk_is_said_and_nothing_is_changed);
  ADD ("one-too-large-does-not-fail-those-it-is-committed-with",
       one_too_large_does_not_fail_those_it_is_committed_with);
  ADD ("commits-that-wait-together-share-one-sync", commits_that_wait_together_share_one_sync);
  ADD ("what-is-taken-back-does-not-count-as-written",
       what_is_taken_back_does_not_count_as_written);
  ADD ("others-that-write-are-waited-for-but-not-for-ever",
       others_that_write_are_waited_for_but_not_for_ever);
  ADD ("a-reader-of-an-older-file-is-waited-for-but-not-for-ever",
       a_reader_of_an_older_file_is_waited_for_but_not_for_ever);
  ADD ("a-file-that-may-not-be-written-is-said", a_file_that_may_not_be_written_is_said);
  ADD ("a-file-that-is-gone-is-said-by-new-readers", a_file_that_is_gone_is_said_by_new_readers);
  ADD ("readers-beyond-the-pool-are-closed", readers_beyond_the_pool_are_closed);
  return g_test_run ();
}
