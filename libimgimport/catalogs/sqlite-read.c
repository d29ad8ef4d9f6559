/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalogs/sqlite-internal.h"

/* As many as are kept open; each costs some descriptors and up to 2 MB of cache. */
#define MAX_IDLE 8

ImgImportSqliteConnection *
_imgimport_sqlite_take_reader (ImgImportSqlite *self, GError **error)
{
  ImgImportSqliteConnection *connection = NULL;

  g_mutex_lock (&self->lock);
  if (self->idle->len > 0)
    connection = g_ptr_array_steal_index_fast (self->idle, self->idle->len - 1);
  g_mutex_unlock (&self->lock);
  if (connection != NULL)
    return connection;
  return _imgimport_sqlite_connect (self->path, self->timeout_ms, error);
}

void
_imgimport_sqlite_give_reader (ImgImportSqlite *self, ImgImportSqliteConnection *connection)
{
  g_autoptr (ImgImportSqliteConnection) surplus = NULL;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (self->idle->len < MAX_IDLE)
    g_ptr_array_add (self->idle, connection);
  else
    surplus = connection;
}

static const char *
text (ImgImportSqliteStatement *statement, int column)
{
  return (const char *)sqlite3_column_text (statement, column);
}

static ImgImportRecord
read_record (ImgImportSqliteStatement *statement)
{
  return (ImgImportRecord){
    .kind = text (statement, 0),
    .id = text (statement, 1),
    .owner = text (statement, 2),
    .status = text (statement, 3),
    .label = text (statement, 4),
    .created_us = sqlite3_column_int64 (statement, 5),
    .revision = sqlite3_column_int64 (statement, 6),
    .body = text (statement, 7),
  };
}

/* Calls `func` for the rows of a bound statement. */
static gboolean
deliver (ImgImportSqliteConnection *connection, ImgImportSqliteStatement *statement,
         ImgImportRecordFunc func, gpointer func_data, GError **error)
{
  ImgImportRecord record = { 0 };
  gboolean row = FALSE;

  do
    {
      if (!_imgimport_sqlite_step (connection, statement, &row, error))
        return FALSE;
      if (row)
        record = read_record (statement);
    }
  while (row && func (&record, func_data));
  return TRUE;
}

static gboolean
get (ImgImportSqliteConnection *connection, const char *kind, const char *id,
     ImgImportRecordFunc func, gpointer func_data, GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement =
      _imgimport_sqlite_prepare (connection, IMGIMPORT_SQLITE_GET, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, kind, -1, SQLITE_STATIC);
  sqlite3_bind_text (statement, 2, id, -1, SQLITE_STATIC);
  return deliver (connection, statement, func, func_data, error);
}

gboolean
_imgimport_sqlite_get (gpointer data, const char *kind, const char *id, ImgImportRecordFunc func,
                       gpointer func_data, GError **error)
{
  ImgImportSqliteConnection *connection = _imgimport_sqlite_take_reader (data, error);
  gboolean ok = FALSE;

  if (connection == NULL)
    return FALSE;
  ok = get (connection, kind, id, func, func_data, error);
  _imgimport_sqlite_give_reader (data, connection);
  return ok;
}

/* One bound of the order says both where a page begins and the newest time asked for, whichever
 * comes later in the order: before all of an instant stands "", after all of it any blob. */
static void
bind_bound (ImgImportSqliteStatement *statement, const ImgImportQuery *query)
{
  gboolean to_any = query->created_to_us == G_MAXINT64;

  if (query->marker_id != NULL && (to_any || query->marker_created_us < query->created_to_us))
    {
      sqlite3_bind_int64 (statement, 3, query->marker_created_us);
      sqlite3_bind_text (statement, 4, query->marker_id, -1, SQLITE_STATIC);
      return;
    }
  sqlite3_bind_int64 (statement, 3, query->created_to_us);
  if (to_any)
    sqlite3_bind_zeroblob (statement, 4, 0);
  else
    sqlite3_bind_text (statement, 4, "", -1, SQLITE_STATIC);
}

static gboolean
scan (ImgImportSqliteConnection *connection, const ImgImportQuery *query, ImgImportRecordFunc func,
      gpointer func_data, GError **error)
{
  guint filters = (query->owner != NULL ? 1u : 0) | (query->status != NULL ? 2u : 0) |
                  (query->label != NULL ? 4u : 0);
  g_autoptr (ImgImportSqliteStatement) statement = _imgimport_sqlite_prepare (
      connection, (ImgImportSqliteStatementId)(IMGIMPORT_SQLITE_SCAN + filters), error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, query->kind, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, query->created_from_us);
  bind_bound (statement, query);
  sqlite3_bind_int64 (statement, 5, query->limit == 0 ? -1 : (gint64)query->limit);
  /* A parameter that the text does not have is refused, and not missed. */
  sqlite3_bind_text (statement, 6, query->owner, -1, SQLITE_STATIC);
  sqlite3_bind_text (statement, 7, query->status, -1, SQLITE_STATIC);
  sqlite3_bind_text (statement, 8, query->label, -1, SQLITE_STATIC);
  return deliver (connection, statement, func, func_data, error);
}

gboolean
_imgimport_sqlite_scan (gpointer data, const ImgImportQuery *query, ImgImportRecordFunc func,
                        gpointer func_data, GError **error)
{
  ImgImportSqliteConnection *connection = _imgimport_sqlite_take_reader (data, error);
  gboolean ok = FALSE;

  if (connection == NULL)
    return FALSE;
  ok = scan (connection, query, func, func_data, error);
  _imgimport_sqlite_give_reader (data, connection);
  return ok;
}
