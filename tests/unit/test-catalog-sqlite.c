/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-sqlite.h"

#include <string.h>
#include <unistd.h>

#define CORRUPT IMGIMPORT_ERROR_CORRUPT, "catalog-corrupt"
#define SCHEMA IMGIMPORT_ERROR_NOT_SUPPORTED, "catalog-schema"

/* ---- files */

static void
a_new_catalog_is_for_its_user_alone (Place *place, gconstpointer unused)
{
  const char *const suffixes[] = { "", "-wal", "-shm", "-owners" };
  g_autofree char *application_id = NULL;
  g_autofree char *mode = NULL;
  mode_t before = umask (0);

  place_open (place);
  g_assert_true (put (place->catalog, "a", "{}", FALSE, NULL));
  umask (before);
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *file = g_strconcat (place->path, suffixes[i], NULL);
      struct stat status;

      g_assert_cmpint (stat (file, &status), ==, 0);
      g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
    }
  application_id = ask_sql (place->path, "PRAGMA application_id");
  g_assert_cmpstr (application_id, ==, "1231906633");
  mode = ask_sql (place->path, "PRAGMA journal_mode");
  g_assert_cmpstr (mode, ==, "wal");
}

static void
what_was_committed_is_there_when_opened_again (Place *place, gconstpointer unused)
{
  place_open (place);
  g_assert_true (put (place->catalog, "a", "kept", FALSE, NULL));
  place_close (place);
  place_open (place);
  assert_body (place->catalog, "a", "kept");
}

static void
a_newer_schema_is_refused (Place *place, gconstpointer unused)
{
  place_open (place);
  place_close (place);
  run_sql (place->path, "PRAGMA user_version = 2");
  place_refuses_to_open (place, SCHEMA);
  run_sql (place->path, "PRAGMA user_version = -1");
  place_refuses_to_open (place, SCHEMA);
  run_sql (place->path, "PRAGMA user_version = 1");
  place_open (place);
}

static void
an_older_schema_is_brought_up (Place *place, gconstpointer unused)
{
  g_autofree char *version = NULL;

  run_sql (place->path, "PRAGMA application_id = 1231906633");
  place_open (place);
  version = ask_sql (place->path, "PRAGMA user_version");
  g_assert_cmpstr (version, ==, "1");
  g_assert_true (put (place->catalog, "a", "{}", FALSE, NULL));
}

static void
a_migration_that_fails_changes_nothing (Place *place, gconstpointer unused)
{
  g_autofree char *version = NULL;
  g_autofree char *n_objects = NULL;

  /* In the way of what the first step makes last. */
  run_sql (place->path, "PRAGMA application_id = 1231906633; CREATE TABLE touch (x)");
  place_refuses_to_open (place, IMGIMPORT_ERROR_FAILED, "catalog-failed");
  version = ask_sql (place->path, "PRAGMA user_version");
  g_assert_cmpstr (version, ==, "0");
  n_objects = ask_sql (place->path, "SELECT count(*) FROM sqlite_schema");
  g_assert_cmpstr (n_objects, ==, "1");
}

/* Raises the schema at the last moment before the migration has the file to itself. */
static int
overtake (unsigned event, void *path, void *statement, void *text)
{
  if (g_str_equal (text, "BEGIN IMMEDIATE"))
    run_sql (path, "PRAGMA user_version = 2");
  return 0;
}

static void
a_schema_raised_while_waiting_to_migrate_is_refused (Place *place, gconstpointer unused)
{
  g_autoptr (ImgImportSqliteConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  run_sql (place->path, "PRAGMA application_id = 1231906633");
  connection = _imgimport_sqlite_connect (place->path, 1000, &error);
  g_assert_no_error (error);
  sqlite3_trace_v2 (connection->db, SQLITE_TRACE_STMT, overtake, place->path);
  g_assert_false (_imgimport_sqlite_migrate (connection, &error));
  assert_error (error, SCHEMA);
}

static void
the_database_of_another_program_is_refused_and_left_alone (Place *place, gconstpointer unused)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gsize n_before = 0;
  gsize n_after = 0;

  run_sql (place->path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
  g_assert_true (g_file_get_contents (place->path, &before, &n_before, NULL));
  place_refuses_to_open (place, CORRUPT);
  g_assert_true (g_file_get_contents (place->path, &after, &n_after, NULL));
  g_assert_cmpuint (n_before, ==, n_after);
  g_assert_true (memcmp (before, after, n_before) == 0);
}

static void
a_file_that_is_no_database_is_refused (Place *place, gconstpointer unused)
{
  g_autofree char *text = g_strnfill (9000, 'x');

  g_assert_true (g_file_set_contents (place->path, text, -1, NULL));
  place_refuses_to_open (place, CORRUPT);
  g_assert_true (g_file_set_contents (place->path, "short", -1, NULL));
  place_refuses_to_open (place, CORRUPT);
}

static void
fill (Place *place, guint n_records)
{
  g_autofree char *body = g_strnfill (2000, 'b');

  for (guint i = 0; i < n_records; i++)
    {
      g_autofree char *id = g_strdup_printf ("%04u", i);

      g_assert_true (put (place->catalog, id, body, FALSE, NULL));
    }
}

static void
a_truncated_file_is_refused (Place *place, gconstpointer unused)
{
  struct stat status;

  place_open (place);
  fill (place, 100);
  place_close (place);
  g_assert_cmpint (stat (place->path, &status), ==, 0);
  g_assert_cmpint (truncate (place->path, status.st_size / 2), ==, 0);
  place_refuses_to_open (place, CORRUPT);
}

static void
a_damaged_page_is_said_when_it_is_met (Place *place, gconstpointer unused)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  guint n_records = 0;

  place_open (place);
  fill (place, 100);
  place_close (place);
  g_assert_true (g_file_get_contents (place->path, &text, &length, NULL));
  /* The first page says what the rest is. */
  memset (text + 4096, 0xa5, length - 4096);
  g_assert_true (g_file_set_contents (place->path, text, (gssize)length, NULL));
  place_open (place);
  g_assert_false (VTABLE.scan (place->catalog, &query, count_record, &n_records, &error));
  assert_error (error, CORRUPT);
  g_clear_error (&error);
  g_assert_false (put (place->catalog, "new", "{}", FALSE, &error));
  assert_error (error, CORRUPT);
}

static void
what_is_no_regular_file_is_refused (Place *place, gconstpointer unused)
{
  g_assert_cmpint (symlink ("elsewhere", place->path), ==, 0);
  place_refuses_to_open (place, CORRUPT);
  g_assert_cmpint (unlink (place->path), ==, 0);
  g_assert_cmpint (g_mkdir (place->path, 0700), ==, 0);
  place_refuses_to_open (place, CORRUPT);
}

static void
a_directory_that_is_missing_or_closed_is_said (Place *place, gconstpointer unused)
{
  g_autofree char *missing = g_build_filename (place->path, "catalog.sqlite", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (_imgimport_catalog_sqlite_new (missing, &error));
  assert_error (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
  g_clear_error (&error);
  if (geteuid () != 0)
    {
      g_assert_cmpint (chmod (place->directory, 0500), ==, 0);
      g_assert_null (_imgimport_catalog_sqlite_new (place->path, &error));
      g_assert_cmpint (chmod (place->directory, 0700), ==, 0);
    }
  else
    {
      /* What even root may not write to. */
      g_assert_null (_imgimport_catalog_sqlite_new ("/sys/catalog.sqlite", &error));
    }
  assert_error (error, IMGIMPORT_ERROR_PERMISSION, "access-denied");
}

static void
an_owners_file_that_cannot_be_opened_is_said (Place *place, gconstpointer unused)
{
  g_autofree char *owners = g_strconcat (place->path, "-owners", NULL);

  g_assert_cmpint (g_mkdir (owners, 0700), ==, 0);
  place_refuses_to_open (place, IMGIMPORT_ERROR_FAILED, "io-error");
}

/* ---- plans */

static char *
explain (sqlite3 *db, ImgImportSqliteStatementId id)
{
  g_autofree char *text = _imgimport_sqlite_text (id);
  g_autofree char *sql = g_strconcat ("EXPLAIN QUERY PLAN ", text, NULL);
  GString *plan = g_string_new (NULL);
  sqlite3_stmt *statement = NULL;

  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  while (sqlite3_step (statement) == SQLITE_ROW)
    g_string_append_printf (plan, "%s;", (const char *)sqlite3_column_text (statement, 3));
  sqlite3_finalize (statement);
  return g_string_free (plan, FALSE);
}

static void
every_statement_is_answered_by_index_without_sorting (Place *place, gconstpointer unused)
{
  const char *const indexes[IMGIMPORT_SQLITE_SCANS] = {
    "records_by_created (kind=? AND ",          "records_by_owner (kind=? AND owner=? AND ",
    "records_by_status (kind=? AND status=? ",  "records_by_owner (kind=? AND owner=? AND ",
    "records_by_label (kind=? AND label=? AND", "records_by_owner (kind=? AND owner=? AND ",
    "records_by_label (kind=? AND label=? AND", "records_by_owner (kind=? AND owner=? AND ",
  };
  sqlite3 *db = NULL;

  place_open (place);
  g_assert_cmpint (sqlite3_open (place->path, &db), ==, SQLITE_OK);
  for (guint id = IMGIMPORT_SQLITE_GET; id < IMGIMPORT_SQLITE_N_STATEMENTS; id++)
    {
      g_autofree char *plan = explain (db, (ImgImportSqliteStatementId)id);

      g_test_message ("%s", plan);
      g_assert_null (strstr (plan, "TEMP B-TREE"));
      g_assert_null (strstr (plan, "SCAN"));
      if (id < IMGIMPORT_SQLITE_SCAN)
        continue;
      g_assert_nonnull (strstr (plan, indexes[id - IMGIMPORT_SQLITE_SCAN]));
      /* Bounds and marker narrow the index, too. */
      g_assert_nonnull (strstr (plan, "created_us>"));
      g_assert_nonnull (strstr (plan, "(created_us,id)<(?,?)"));
    }
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static guint
count_by (gpointer catalog, const char *status, const char *label)
{
  const ImgImportQuery query = { .struct_size = sizeof query,
                                 .kind = "image",
                                 .status = status,
                                 .label = label,
                                 .created_from_us = G_MININT64,
                                 .created_to_us = G_MAXINT64 };
  g_autoptr (GError) error = NULL;
  guint n = 0;

  g_assert_true (VTABLE.scan (catalog, &query, count_record, &n, &error));
  g_assert_no_error (error);
  return n;
}

/* Whichever columns a put changes, every index says the same as the record. */
static void
indexes_follow_what_is_put (Place *place, gconstpointer unused)
{
  ImgImportRecord record = {
    .kind = "image", .id = "a", .status = "old", .label = "old", .body = "1"
  };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT,
                           .expected = IMGIMPORT_REVISION_ANY,
                           .record = &record };

  place_open (place);
  g_assert_true (commit_one (place->catalog, &op, FALSE, NULL));
  record.body = "2";
  g_assert_true (commit_one (place->catalog, &op, FALSE, NULL));
  g_assert_cmpuint (count_by (place->catalog, "old", NULL), ==, 1);
  record.status = "new";
  g_assert_true (commit_one (place->catalog, &op, FALSE, NULL));
  g_assert_cmpuint (count_by (place->catalog, "old", NULL), ==, 0);
  g_assert_cmpuint (count_by (place->catalog, "new", "old"), ==, 1);
  record.label = "new";
  g_assert_true (commit_one (place->catalog, &op, FALSE, NULL));
  g_assert_cmpuint (count_by (place->catalog, NULL, "old"), ==, 0);
  record.status = NULL;
  g_assert_true (commit_one (place->catalog, &op, FALSE, NULL));
  g_assert_cmpuint (count_by (place->catalog, "new", NULL), ==, 0);
  g_assert_cmpuint (count_by (place->catalog, NULL, "new"), ==, 1);
  assert_body (place->catalog, "a", "2");
}

#define N_WRITERS 4
#define N_COMMITS 20

static gpointer
write_durably (gpointer catalog)
{
  g_autofree char *name = g_strdup_printf ("%p", (gpointer)g_thread_self ());

  for (guint i = 0; i < N_COMMITS; i++)
    {
      g_autofree char *id = g_strdup_printf ("%s-%u", name, i);
      g_autoptr (GError) error = NULL;

      g_assert_true (put (catalog, id, "{}", i % 4 != 0, &error));
      g_assert_no_error (error);
      assert_body (catalog, id, "{}");
    }
  return NULL;
}

/* Commits that share a transaction are each there when their caller is told so. */
static void
commits_of_a_crowd_are_each_there (Place *place, gconstpointer unused)
{
  GThread *threads[N_WRITERS];

  place_open (place);
  for (guint i = 0; i < N_WRITERS; i++)
    threads[i] = g_thread_new ("writer", write_durably, place->catalog);
  for (guint i = 0; i < N_WRITERS; i++)
    g_thread_join (threads[i]);
  place_close (place);
  place_open (place);
  g_assert_cmpuint (count_by (place->catalog, NULL, NULL), ==, N_WRITERS * N_COMMITS);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/catalog-sqlite/" name, Place, NULL, place_set_up, func, place_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-new-catalog-is-for-its-user-alone", a_new_catalog_is_for_its_user_alone);
  ADD ("what-was-committed-is-there-when-opened-again",
       what_was_committed_is_there_when_opened_again);
  ADD ("a-newer-schema-is-refused", a_newer_schema_is_refused);
  ADD ("an-older-schema-is-brought-up", an_older_schema_is_brought_up);
  ADD ("a-migration-that-fails-changes-nothing", a_migration_that_fails_changes_nothing);
  ADD ("a-schema-raised-while-waiting-to-migrate-is-refused",
       a_schema_raised_while_waiting_to_migrate_is_refused);
  ADD ("the-database-of-another-program-is-refused-and-left-alone",
       the_database_of_another_program_is_refused_and_left_alone);
  ADD ("a-file-that-is-no-database-is-refused", a_file_that_is_no_database_is_refused);
  ADD ("a-truncated-file-is-refused", a_truncated_file_is_refused);
  ADD ("a-damaged-page-is-said-when-it-is-met", a_damaged_page_is_said_when_it_is_met);
  ADD ("what-is-no-regular-file-is-refused", what_is_no_regular_file_is_refused);
  ADD ("a-directory-that-is-missing-or-closed-is-said",
       a_directory_that_is_missing_or_closed_is_said);
  ADD ("an-owners-file-that-cannot-be-opened-is-said",
       an_owners_file_that_cannot_be_opened_is_said);
  ADD ("every-statement-is-answered-by-index-without-sorting",
       every_statement_is_answered_by_index_without_sorting);
  ADD ("indexes-follow-what-is-put", indexes_follow_what_is_put);
  ADD ("commits-of-a-crowd-are-each-there", commits_of_a_crowd_are_each_there);
  return g_test_run ();
}
