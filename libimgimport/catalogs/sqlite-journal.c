/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalogs/sqlite-internal.h"

gboolean
_imgimport_sqlite_journal_append (ImgImportSqliteConnection *connection, const ImgImportOp *op,
                                  GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement =
      _imgimport_sqlite_prepare (connection, IMGIMPORT_SQLITE_APPEND, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, op->journal, -1, SQLITE_STATIC);
  /* No pointer would bind NULL. */
  sqlite3_bind_blob64 (statement, 2, op->length == 0 ? "" : op->data, op->length, SQLITE_STATIC);
  return _imgimport_sqlite_step (connection, statement, NULL, error);
}

gboolean
_imgimport_sqlite_journal_forget (ImgImportSqliteConnection *connection, const ImgImportOp *op,
                                  GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement =
      _imgimport_sqlite_prepare (connection, IMGIMPORT_SQLITE_FORGET, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, op->journal, -1, SQLITE_STATIC);
  return _imgimport_sqlite_step (connection, statement, NULL, error);
}

static gboolean
load (ImgImportSqliteConnection *connection, const char *journal, ImgImportJournalFunc func,
      gpointer func_data, GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement =
      _imgimport_sqlite_prepare (connection, IMGIMPORT_SQLITE_LOAD, error);
  gboolean row = FALSE;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, journal, -1, SQLITE_STATIC);
  do
    {
      if (!_imgimport_sqlite_step (connection, statement, &row, error))
        return FALSE;
    }
  while (row && func (sqlite3_column_blob (statement, 0),
                      (gsize)sqlite3_column_bytes (statement, 0), func_data));
  return TRUE;
}

gboolean
_imgimport_sqlite_journal_load (gpointer data, const char *journal, ImgImportJournalFunc func,
                                gpointer func_data, GError **error)
{
  ImgImportSqliteConnection *connection = _imgimport_sqlite_take_reader (data, error);
  gboolean ok = FALSE;

  if (connection == NULL)
    return FALSE;
  ok = load (connection, journal, func, func_data, error);
  _imgimport_sqlite_give_reader (data, connection);
  return ok;
}
