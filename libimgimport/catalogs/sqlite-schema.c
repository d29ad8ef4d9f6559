/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalogs/sqlite-internal.h"

/* "ImgI" */
#define APPLICATION_ID 0x496d6749
#define RETRY_US 2000

/* steps[n] makes a file of version n one of version n + 1; a new file is of version 0. A step that
 * has been released is never changed. */
static const char *const steps[] = {
  "CREATE TABLE records (kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT, status TEXT, label TEXT,"
  " created_us INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,"
  " PRIMARY KEY (kind, id)) STRICT;"
  "CREATE INDEX records_by_created ON records (kind, created_us DESC, id DESC);"
  "CREATE INDEX records_by_owner ON records (kind, owner, created_us DESC, id DESC)"
  " WHERE owner IS NOT NULL;"
  "CREATE INDEX records_by_status ON records (kind, status, created_us DESC, id DESC)"
  " WHERE status IS NOT NULL;"
  "CREATE INDEX records_by_label ON records (kind, label, created_us DESC, id DESC)"
  " WHERE label IS NOT NULL;"
  "CREATE TABLE journal (seq INTEGER PRIMARY KEY, journal TEXT NOT NULL, data BLOB NOT NULL) "
  "STRICT;"
  "CREATE INDEX journal_by_name ON journal (journal);"
  /* A sequence, so that no number comes back. */
  "CREATE TABLE owners (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;"
  "CREATE TABLE touch (n INTEGER NOT NULL) STRICT;"
  "INSERT INTO touch VALUES (0);",
};

typedef struct
{
  gint64 application_id;
  gint64 version;
  gint64 n_objects;
} Identity;

static gboolean
read_identity (ImgImportSqliteConnection *self, Identity *identity, GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement = NULL;
  gboolean row = FALSE;
  int rc = sqlite3_prepare_v2 (self->db,
                               "SELECT (SELECT application_id FROM pragma_application_id),"
                               " (SELECT user_version FROM pragma_user_version),"
                               " (SELECT count(*) FROM sqlite_schema)",
                               -1, &statement, NULL);

  if (rc != SQLITE_OK)
    {
      _imgimport_sqlite_set_error (self, rc, error);
      return FALSE;
    }
  if (_imgimport_sqlite_step (self, statement, &row, error))
    *identity =
        (Identity){ sqlite3_column_int64 (statement, 0), sqlite3_column_int64 (statement, 1),
                    sqlite3_column_int64 (statement, 2) };
  sqlite3_finalize (g_steal_pointer (&statement));
  return row;
}

/* FALSE where the file may not be touched. */
static gboolean
check_identity (ImgImportSqliteConnection *self, const Identity *identity, GError **error)
{
  gboolean is_new =
      identity->application_id == 0 && identity->version == 0 && identity->n_objects == 0;

  if (!is_new && identity->application_id != APPLICATION_ID)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "catalog-corrupt",
                            "catalog “%s”: a database, but not of a catalog", self->path);
      return FALSE;
    }
  if (identity->version < 0 || identity->version > (gint64)G_N_ELEMENTS (steps))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "catalog-schema",
                            "catalog “%s”: its schema is version %" G_GINT64_FORMAT
                            ", this library knows up to %u",
                            self->path, identity->version, (guint)G_N_ELEMENTS (steps));
      return FALSE;
    }
  return TRUE;
}

/* In a transaction: another process may have done it since the file was looked at first. */
static gboolean
upgrade (ImgImportSqliteConnection *self, GError **error)
{
  Identity identity = { 0 };
  g_autofree char *stamp = g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %u",
                                            APPLICATION_ID, (guint)G_N_ELEMENTS (steps));

  if (!read_identity (self, &identity, error) || !check_identity (self, &identity, error))
    return FALSE;
  for (gsize version = (gsize)identity.version; version < G_N_ELEMENTS (steps); version++)
    {
      if (!_imgimport_sqlite_exec (self, steps[version], error))
        return FALSE;
    }
  return _imgimport_sqlite_exec (self, stamp, error);
}

static gboolean
migrate (ImgImportSqliteConnection *self, GError **error)
{
  Identity identity = { 0 };

  if (!read_identity (self, &identity, error) || !check_identity (self, &identity, error))
    return FALSE;
  /* Where memory cannot be shared SQLite stays with a rollback journal: right, only slower. */
  if (!_imgimport_sqlite_exec (self, "PRAGMA journal_mode = WAL", error))
    return FALSE;
  if (identity.version == (gint64)G_N_ELEMENTS (steps))
    return TRUE;
  if (_imgimport_sqlite_exec (self, "BEGIN IMMEDIATE", error) && upgrade (self, error) &&
      _imgimport_sqlite_exec (self, "COMMIT", error))
    return TRUE;
  sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

gboolean
_imgimport_sqlite_migrate (ImgImportSqliteConnection *self, GError **error)
{
  gint64 give_up_at_us =
      g_get_monotonic_time () + (gint64)self->timeout_ms * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GError) last = NULL;

  /* Where several make the log at once, or remove it at the end, SQLite answers that it is busy
   * without having waited: waiting could be a deadlock. */
  do
    {
      if (last != NULL)
        g_usleep (RETRY_US);
      g_clear_error (&last);
      if (migrate (self, &last))
        return TRUE;
    }
  while (g_error_matches (last, IMGIMPORT_ERROR, IMGIMPORT_ERROR_TIMED_OUT) &&
         g_get_monotonic_time () < give_up_at_us);
  g_propagate_error (error, g_steal_pointer (&last));
  return FALSE;
}
