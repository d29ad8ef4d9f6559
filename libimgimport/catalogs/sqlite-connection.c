/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <unistd.h>

#include "catalogs/sqlite-internal.h"

#define POLL_US 2000

/* SQLite's own pauses grow to 100 ms, in which two processes that commit all the time starve a
 * third. */
static int
wait_while_busy (void *data, int n_calls)
{
  ImgImportSqliteConnection *self = data;
  gint64 now_us = g_get_monotonic_time ();

  if (n_calls == 0)
    self->give_up_at_us = now_us + (gint64)self->timeout_ms * G_TIME_SPAN_MILLISECOND;
  if (now_us >= self->give_up_at_us)
    return 0;
  g_usleep (POLL_US / 2 + (gulong)g_random_int_range (0, POLL_US));
  return 1;
}

/* 0 where the system had no part in it. A commit that fails leaves the number with the log only; a
 * file beside the database that cannot be made is then opened as it is, and the number is that of
 * the second try. */
static int
system_errno_of (ImgImportSqliteConnection *self)
{
  int system_errno = sqlite3_system_errno (self->db);
  sqlite3_file *log = NULL;

  if (system_errno == 0)
    sqlite3_file_control (self->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != NULL && log->pMethods != NULL)
    log->pMethods->xFileControl (log, SQLITE_FCNTL_LAST_ERRNO, &system_errno);
  if (system_errno == ENOENT && access (self->path, W_OK) != 0)
    system_errno = errno;
  return system_errno;
}

static gboolean
is_full (int system_errno)
{
  return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

void
_imgimport_sqlite_set_error (ImgImportSqliteConnection *self, int rc, GError **error)
{
  int primary = rc & 0xff;
  gboolean of_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  int system_errno = of_system ? system_errno_of (self) : 0;
  const char *detail = sqlite3_errmsg (self->db); /* of no connection: that there is no memory */

  if (primary == SQLITE_FULL || (of_system && is_full (system_errno)))
    _imgimport_set_error (error, IMGIMPORT_ERROR_NO_SPACE, "catalog-full", "catalog “%s”: %s",
                          self->path, detail);
  else if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
    _imgimport_set_error (error, IMGIMPORT_ERROR_TIMED_OUT, "catalog-busy",
                          "catalog “%s”: others kept it busy for %u ms: %s", self->path,
                          self->timeout_ms, detail);
  else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
    _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "catalog-corrupt", "catalog “%s”: %s",
                          self->path, detail);
  else if (of_system && system_errno != 0)
    _imgimport_set_error_errno (error, system_errno, "catalog “%s”: %s", self->path, detail);
  else if (primary == SQLITE_READONLY)
    _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "access-denied", "catalog “%s”: %s",
                          self->path, detail);
  else
    _imgimport_set_error (error, IMGIMPORT_ERROR_FAILED, "catalog-failed", "catalog “%s”: %s (%d)",
                          self->path, detail, rc);
}

gboolean
_imgimport_sqlite_exec (ImgImportSqliteConnection *self, const char *sql, GError **error)
{
  int rc = sqlite3_exec (self->db, sql, NULL, NULL, NULL);

  if (rc == SQLITE_OK)
    return TRUE;
  _imgimport_sqlite_set_error (self, rc, error);
  return FALSE;
}

static char *
scan_text (guint filters)
{
  const char *const indexes[] = { "records_by_created", "records_by_owner", "records_by_status",
                                  "records_by_owner",   "records_by_label", "records_by_owner",
                                  "records_by_label",   "records_by_owner" };

  G_STATIC_ASSERT (G_N_ELEMENTS (indexes) == IMGIMPORT_SQLITE_SCANS);
  return g_strdup_printf (
      "SELECT kind, id, owner, status, label, created_us, revision, body"
      " FROM records INDEXED BY %s"
      " WHERE kind = ?1 AND created_us >= ?2 AND (created_us, id) < (?3, ?4)%s%s%s"
      " ORDER BY created_us DESC, id DESC LIMIT ?5",
      indexes[filters], (filters & 1) != 0 ? " AND owner = ?6" : "",
      (filters & 2) != 0 ? " AND status = ?7" : "", (filters & 4) != 0 ? " AND label = ?8" : "");
}

char *
_imgimport_sqlite_text (ImgImportSqliteStatementId id)
{
  static const char *const texts[IMGIMPORT_SQLITE_SCAN] = {
    [IMGIMPORT_SQLITE_BEGIN] = "BEGIN IMMEDIATE",
    [IMGIMPORT_SQLITE_COMMIT] = "COMMIT",
    [IMGIMPORT_SQLITE_SAVEPOINT] = "SAVEPOINT request",
    [IMGIMPORT_SQLITE_RELEASE] = "RELEASE request",
    [IMGIMPORT_SQLITE_REVERT] = "ROLLBACK TO request",
    [IMGIMPORT_SQLITE_TOUCH] = "UPDATE touch SET n = n + 1",
    [IMGIMPORT_SQLITE_GET] = "SELECT kind, id, owner, status, label, created_us, revision, body"
                             " FROM records WHERE kind = ?1 AND id = ?2",
    [IMGIMPORT_SQLITE_REVISION] = "SELECT revision FROM records WHERE kind = ?1 AND id = ?2",
    [IMGIMPORT_SQLITE_PUT] =
        "INSERT INTO records (kind, id, owner, status, label, created_us, revision, body)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)"
        " ON CONFLICT (kind, id) DO UPDATE SET owner = ?3, status = ?4, label = ?5,"
        " created_us = ?6, revision = revision + 1, body = ?7",
    /* The plus signs keep the search to the key. */
    [IMGIMPORT_SQLITE_PUT_BODY] =
        "UPDATE records SET revision = revision + 1, body = ?7 WHERE kind = ?1 AND id = ?2"
        " AND revision = ?8"
        " AND +owner IS ?3 AND +status IS ?4 AND +label IS ?5 AND +created_us = ?6",
    [IMGIMPORT_SQLITE_PUT_STATUS] =
        "UPDATE records SET revision = revision + 1, body = ?7, status = ?4"
        " WHERE kind = ?1 AND id = ?2"
        " AND revision = ?8"
        " AND +owner IS ?3 AND +label IS ?5 AND +created_us = ?6",
    [IMGIMPORT_SQLITE_REMOVE] = "DELETE FROM records WHERE kind = ?1 AND id = ?2",
    [IMGIMPORT_SQLITE_APPEND] = "INSERT INTO journal (journal, data) VALUES (?1, ?2)",
    [IMGIMPORT_SQLITE_FORGET] = "DELETE FROM journal WHERE journal = ?1",
    [IMGIMPORT_SQLITE_LOAD] = "SELECT data FROM journal WHERE journal = ?1 ORDER BY seq",
    [IMGIMPORT_SQLITE_OWNER] = "INSERT INTO owners DEFAULT VALUES",
    [IMGIMPORT_SQLITE_OWNER_PRUNE] = "DELETE FROM owners WHERE id < ?1",
  };

  if (id >= IMGIMPORT_SQLITE_SCAN)
    return scan_text ((guint)id - IMGIMPORT_SQLITE_SCAN);
  return g_strdup (texts[id]);
}

ImgImportSqliteStatement *
_imgimport_sqlite_prepare (ImgImportSqliteConnection *self, ImgImportSqliteStatementId id,
                           GError **error)
{
  g_autofree char *text = NULL;
  int rc = SQLITE_OK;

  if (self->statements[id] != NULL)
    return self->statements[id];
  text = _imgimport_sqlite_text (id);
  rc = sqlite3_prepare_v3 (self->db, text, -1, SQLITE_PREPARE_PERSISTENT, &self->statements[id],
                           NULL);
  if (rc != SQLITE_OK)
    _imgimport_sqlite_set_error (self, rc, error);
  return self->statements[id];
}

void
_imgimport_sqlite_release (ImgImportSqliteStatement *statement)
{
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
}

gboolean
_imgimport_sqlite_step (ImgImportSqliteConnection *self, ImgImportSqliteStatement *statement,
                        gboolean *row, GError **error)
{
  int rc = sqlite3_step (statement);

  if (row != NULL)
    *row = rc == SQLITE_ROW;
  if (rc == SQLITE_DONE || rc == SQLITE_ROW)
    return TRUE;
  _imgimport_sqlite_set_error (self, rc, error);
  return FALSE;
}

gboolean
_imgimport_sqlite_run (ImgImportSqliteConnection *self, ImgImportSqliteStatementId id,
                       GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement = _imgimport_sqlite_prepare (self, id, error);

  return statement != NULL && _imgimport_sqlite_step (self, statement, NULL, error);
}

void
_imgimport_sqlite_disconnect (ImgImportSqliteConnection *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->statements); i++)
    sqlite3_finalize (self->statements[i]);
  sqlite3_close (self->db);
  g_free (self);
}

/* The file may have been written by somebody else: none of what it can make SQLite do is let. */
static gboolean
harden (ImgImportSqliteConnection *self, GError **error)
{
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  /* What is removed may have been a credential. */
  return _imgimport_sqlite_exec (
      self,
      "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON;"
      " PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;"
      " PRAGMA wal_autocheckpoint = 4000",
      error);
}

ImgImportSqliteConnection *
_imgimport_sqlite_connect (const char *path, guint timeout_ms, GError **error)
{
  g_autoptr (ImgImportSqliteConnection) self = g_new0 (ImgImportSqliteConnection, 1);
  int rc = SQLITE_OK;

  self->path = path;
  self->timeout_ms = timeout_ms;
  /* Each connection is used by one thread at a time. */
  rc = sqlite3_open_v2 (path, &self->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc != SQLITE_OK)
    {
      _imgimport_sqlite_set_error (self, rc, error);
      return NULL;
    }
  sqlite3_extended_result_codes (self->db, 1);
  sqlite3_busy_handler (self->db, wait_while_busy, self);
  if (!harden (self, error))
    return NULL;
  return g_steal_pointer (&self);
}
