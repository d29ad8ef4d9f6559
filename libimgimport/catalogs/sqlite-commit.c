/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalogs/sqlite-internal.h"

typedef struct
{
  const ImgImportOp *const *ops;
  guint n_ops;
} Commit;

static void
bind_text (ImgImportSqliteStatement *statement, int at, const char *text)
{
  sqlite3_bind_text (statement, at, text, -1, SQLITE_STATIC); /* NULL for NULL */
}

static gboolean
check (ImgImportSqliteConnection *connection, const ImgImportOp *op, GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement = NULL;
  gboolean exists = FALSE;

  if (op->expected == IMGIMPORT_REVISION_ANY)
    return TRUE;
  statement = _imgimport_sqlite_prepare (connection, IMGIMPORT_SQLITE_REVISION, error);
  if (statement == NULL)
    return FALSE;
  bind_text (statement, 1, op->record->kind);
  bind_text (statement, 2, op->record->id);
  if (!_imgimport_sqlite_step (connection, statement, &exists, error))
    return FALSE;
  return _imgimport_catalog_check_revision (
      op, exists ? sqlite3_column_int64 (statement, 0) : IMGIMPORT_REVISION_ABSENT, error);
}

static gboolean
run_put (ImgImportSqliteConnection *connection, ImgImportSqliteStatementId id,
         const ImgImportOp *op, GError **error)
{
  const ImgImportRecord *record = op->record;
  g_autoptr (ImgImportSqliteStatement) statement =
      _imgimport_sqlite_prepare (connection, id, error);

  if (statement == NULL)
    return FALSE;
  bind_text (statement, 1, record->kind);
  bind_text (statement, 2, record->id);
  bind_text (statement, 3, record->owner);
  bind_text (statement, 4, record->status);
  bind_text (statement, 5, record->label);
  sqlite3_bind_int64 (statement, 6, record->created_us);
  bind_text (statement, 7, record->body);
  sqlite3_bind_int64 (statement, 8, op->expected);
  return _imgimport_sqlite_step (connection, statement, NULL, error);
}

/* SQLite writes every index that has a column which is set, changed or not. Most puts change the
 * body alone, and most others the status too: they leave all indexes, or all but one, as they are.
 * A record that is not as expected matches none of these; the check says so.
 */
static gboolean
put (ImgImportSqliteConnection *connection, const ImgImportOp *op, GError **error)
{
  static const ImgImportSqliteStatementId updates[] = { IMGIMPORT_SQLITE_PUT_BODY,
                                                        IMGIMPORT_SQLITE_PUT_STATUS };

  for (gsize i = 0; i < G_N_ELEMENTS (updates) && op->expected > IMGIMPORT_REVISION_ABSENT; i++)
    {
      if (!run_put (connection, updates[i], op, error))
        return FALSE;
      if (sqlite3_changes (connection->db) > 0)
        return TRUE;
    }
  return check (connection, op, error) && run_put (connection, IMGIMPORT_SQLITE_PUT, op, error);
}

static gboolean
remove_record (ImgImportSqliteConnection *connection, const ImgImportRecord *record, GError **error)
{
  g_autoptr (ImgImportSqliteStatement) statement =
      _imgimport_sqlite_prepare (connection, IMGIMPORT_SQLITE_REMOVE, error);

  if (statement == NULL)
    return FALSE;
  bind_text (statement, 1, record->kind);
  bind_text (statement, 2, record->id);
  return _imgimport_sqlite_step (connection, statement, NULL, error);
}

static gboolean
apply (ImgImportSqliteConnection *connection, const ImgImportOp *op, GError **error)
{
  switch (op->kind)
    {
    case IMGIMPORT_OP_PUT:
      return put (connection, op, error);
    case IMGIMPORT_OP_REMOVE:
      return check (connection, op, error) && remove_record (connection, op->record, error);
    case IMGIMPORT_OP_JOURNAL_APPEND:
      return _imgimport_sqlite_journal_append (connection, op, error);
    case IMGIMPORT_OP_JOURNAL_FORGET:
      return _imgimport_sqlite_journal_forget (connection, op, error);
    case IMGIMPORT_OP_CHECK:
    default: /* no other has passed _imgimport_catalog_check_ops() */
      return check (connection, op, error);
    }
}

static gboolean
apply_all (ImgImportSqliteConnection *connection, gpointer data, GError **error)
{
  const Commit *commit = data;

  for (guint i = 0; i < commit->n_ops; i++)
    {
      if (!apply (connection, commit->ops[i], error))
        return FALSE;
    }
  return TRUE;
}

gboolean
_imgimport_sqlite_commit (gpointer data, const ImgImportOp *const *ops, guint n_ops,
                          gboolean durable, GError **error)
{
  Commit commit = { ops, n_ops };

  return _imgimport_catalog_check_ops (ops, n_ops, error) &&
         _imgimport_sqlite_write (data, apply_all, &commit, durable, error);
}
