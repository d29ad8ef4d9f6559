/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "catalogs/sqlite-internal.h"

#define VTABLE _imgimport_catalog_sqlite_vtable

/* A directory of the test's and the database that it may open there. */
typedef struct
{
  char *directory;
  char *path;
  ImgImportSqlite *catalog; /* NULL until opened */
} Place;

static inline void
place_set_up (Place *place, gconstpointer unused)
{
  place->directory = g_dir_make_tmp ("imgimport-sqlite-XXXXXX", NULL);
  g_assert_nonnull (place->directory);
  place->path = g_build_filename (place->directory, "catalog.sqlite", NULL);
}

static inline void
place_close (Place *place)
{
  g_clear_pointer ((gpointer *)&place->catalog, _imgimport_catalog_sqlite_free);
}

static inline void
place_tear_down (Place *place, gconstpointer unused)
{
  g_autoptr (GDir) directory = g_dir_open (place->directory, 0, NULL);
  const char *name = NULL;

  place_close (place);
  g_dir_rewind (directory);
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *file = g_build_filename (place->directory, name, NULL);

      g_assert_cmpint (g_remove (file), ==, 0);
    }
  g_assert_cmpint (g_rmdir (place->directory), ==, 0);
  g_free (place->path);
  g_free (place->directory);
}

static inline void
place_open (Place *place)
{
  g_autoptr (GError) error = NULL;

  place->catalog = _imgimport_catalog_sqlite_new (place->path, &error);
  g_assert_no_error (error);
  g_assert_nonnull (place->catalog);
}

static inline void
assert_error (GError *error, ImgImportError code, const char *reason)
{
  g_assert_error (error, IMGIMPORT_ERROR, (int)code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}

static inline void
place_refuses_to_open (Place *place, ImgImportError code, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (_imgimport_catalog_sqlite_new (place->path, &error));
  assert_error (error, code, reason);
  g_assert_nonnull (strstr (error->message, place->path));
}

static inline gboolean
n_waiting_is (ImgImportSqlite *catalog, guint n)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&catalog->lock);

  return catalog->waiting->len == n;
}

/* Starts threads that write while nobody serves them, so that one transaction has them all. */
static inline void
run_together (Place *place, GThreadFunc func, gpointer *arguments, guint n_threads)
{
  g_autofree GThread **threads = g_new0 (GThread *, n_threads);

  g_mutex_lock (&place->catalog->lock);
  place->catalog->writing = TRUE;
  g_mutex_unlock (&place->catalog->lock);
  for (guint i = 0; i < n_threads; i++)
    threads[i] = _imgimport_thread_new ("write", func, arguments[i], NULL);
  while (!n_waiting_is (place->catalog, n_threads))
    g_thread_yield ();
  g_mutex_lock (&place->catalog->lock);
  place->catalog->writing = FALSE;
  g_cond_broadcast (&place->catalog->written);
  g_mutex_unlock (&place->catalog->lock);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);
}

static inline gboolean
commit_one (gpointer catalog, const ImgImportOp *op, gboolean durable, GError **error)
{
  return VTABLE.commit (catalog, &op, 1, durable, error);
}

static inline gboolean
put (gpointer catalog, const char *id, const char *body, gboolean durable, GError **error)
{
  const ImgImportRecord record = {
    .kind = "image", .id = id, .owner = "o", .status = "s", .label = "l", .body = body
  };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT,
                           .expected = IMGIMPORT_REVISION_ANY,
                           .record = &record };

  return commit_one (catalog, &op, durable, error);
}

static inline gboolean
copy_body (const ImgImportRecord *record, gpointer body)
{
  *(char **)body = g_strdup (record->body);
  return TRUE;
}

/* NULL where there is none, or on an error. */
static inline char *
get_body (gpointer catalog, const char *id, GError **error)
{
  char *body = NULL;

  g_assert_true (VTABLE.get (catalog, "image", id, copy_body, &body, error) || body == NULL);
  return body;
}

static inline void
assert_body (gpointer catalog, const char *id, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *body = get_body (catalog, id, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (body, ==, expected);
}

static inline gboolean
count_record (const ImgImportRecord *record, gpointer n_records)
{
  *(guint *)n_records += 1;
  return TRUE;
}

static inline gboolean
count_entry (const void *data, gsize length, gpointer n_entries)
{
  *(guint *)n_entries += 1;
  return TRUE;
}

/* Runs SQL on the file, not through the catalog. */
static inline void
run_sql (const char *path, const char *sql)
{
  sqlite3 *db = NULL;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

/* The first column of the first row. */
static inline char *
ask_sql (const char *path, const char *sql)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  char *answer = NULL;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  answer = g_strdup ((const char *)sqlite3_column_text (statement, 0));
  sqlite3_finalize (statement);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  return answer;
}
