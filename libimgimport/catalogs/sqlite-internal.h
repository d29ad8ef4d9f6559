/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of the SQLite catalog share.
 *
 * One connection writes; commits that wait for it at the same time share one transaction. Readers
 * each take a connection of their own out of a pool and, the log being write-ahead, never wait for
 * a writer.
 */

#include <sqlite3.h>

#include "base/base-private.h"
#include "catalogs/catalogs-private.h"

G_BEGIN_DECLS

/* The number of filters in a scan is one bit each of owner, status and label. */
#define IMGIMPORT_SQLITE_SCANS 8

typedef enum
{
  IMGIMPORT_SQLITE_BEGIN,
  IMGIMPORT_SQLITE_COMMIT,
  IMGIMPORT_SQLITE_SAVEPOINT,
  IMGIMPORT_SQLITE_RELEASE,
  IMGIMPORT_SQLITE_REVERT,
  IMGIMPORT_SQLITE_TOUCH,
  IMGIMPORT_SQLITE_GET,
  IMGIMPORT_SQLITE_REVISION,
  IMGIMPORT_SQLITE_PUT,
  IMGIMPORT_SQLITE_PUT_BODY,
  IMGIMPORT_SQLITE_PUT_STATUS,
  IMGIMPORT_SQLITE_REMOVE,
  IMGIMPORT_SQLITE_APPEND,
  IMGIMPORT_SQLITE_FORGET,
  IMGIMPORT_SQLITE_LOAD,
  IMGIMPORT_SQLITE_OWNER,
  IMGIMPORT_SQLITE_OWNER_PRUNE,
  IMGIMPORT_SQLITE_SCAN, /* the first of IMGIMPORT_SQLITE_SCANS */
  IMGIMPORT_SQLITE_N_STATEMENTS = IMGIMPORT_SQLITE_SCAN + IMGIMPORT_SQLITE_SCANS
} ImgImportSqliteStatementId;

typedef struct
{
  sqlite3 *db;
  const char *path; /* borrowed */
  guint timeout_ms;
  gint64 give_up_at_us; /* monotonic, of the wait that goes on */
  sqlite3_stmt *statements[IMGIMPORT_SQLITE_N_STATEMENTS];
} ImgImportSqliteConnection;

typedef struct
{
  char *path;
  guint timeout_ms;

  GMutex lock; /* the five below */
  GCond written;
  GPtrArray *waiting; /* requests, see sqlite-write.c */
  gboolean writing;   /* a thread has the two below to itself */
  gboolean crowded;   /* commits that sync have met of late */
  GPtrArray *idle;    /* connections for reading */

  ImgImportSqliteConnection *writer;
  gboolean syncs; /* the writer syncs at commit */

  int owners_fd; /* holds the locks of the owners registered here */
  int probe_fd;  /* another open file description, for which those locks are foreign */
} ImgImportSqlite;

/* ---- sqlite-connection.c ----------------------------------------------------------------------
 */

ImgImportSqliteConnection *_imgimport_sqlite_connect (const char *path, guint timeout_ms,
                                                      GError **error);
void _imgimport_sqlite_disconnect (ImgImportSqliteConnection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportSqliteConnection, _imgimport_sqlite_disconnect)

/* The text of a statement. */
char *_imgimport_sqlite_text (ImgImportSqliteStatementId id);

/* A prepared statement, borrowed, to be released by g_autoptr. NULL on failure. */
typedef sqlite3_stmt ImgImportSqliteStatement;
ImgImportSqliteStatement *_imgimport_sqlite_prepare (ImgImportSqliteConnection *self,
                                                     ImgImportSqliteStatementId id, GError **error);
void _imgimport_sqlite_release (ImgImportSqliteStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportSqliteStatement, _imgimport_sqlite_release)

/* `*row` says whether there is one; NULL where there can be none. */
gboolean _imgimport_sqlite_step (ImgImportSqliteConnection *self,
                                 ImgImportSqliteStatement *statement, gboolean *row,
                                 GError **error);
/* Prepares and steps one that has neither parameters nor rows. */
gboolean _imgimport_sqlite_run (ImgImportSqliteConnection *self, ImgImportSqliteStatementId id,
                                GError **error);
/* Runs text of ours that is not worth keeping prepared. */
gboolean _imgimport_sqlite_exec (ImgImportSqliteConnection *self, const char *sql, GError **error);

/* What the connection's last failure, `rc`, means to the caller. */
void _imgimport_sqlite_set_error (ImgImportSqliteConnection *self, int rc, GError **error);

/* ---- sqlite-schema.c --------------------------------------------------------------------------
 */

/* Checks that the file is a catalog, and makes it one of this version if it is new or older; waits
 * while others keep it busy. */
gboolean _imgimport_sqlite_migrate (ImgImportSqliteConnection *self, GError **error);

/* ---- sqlite-write.c ---------------------------------------------------------------------------
 */

/* Changes the database; may be called more than once for one call of _imgimport_sqlite_write(),
 * each time on the state before it. On the thread of any writer. */
typedef gboolean (*ImgImportSqliteWriteFunc) (ImgImportSqliteConnection *connection, gpointer data,
                                              GError **error);

/* Runs `func` in a transaction and commits what it did if it returns TRUE. */
gboolean _imgimport_sqlite_write (ImgImportSqlite *self, ImgImportSqliteWriteFunc func,
                                  gpointer data, gboolean durable, GError **error);

/* ---- sqlite-read.c ----------------------------------------------------------------------------
 */

/* A connection for reading, given back by the second. */
ImgImportSqliteConnection *_imgimport_sqlite_take_reader (ImgImportSqlite *self, GError **error);
void _imgimport_sqlite_give_reader (ImgImportSqlite *self, ImgImportSqliteConnection *connection);

/* ---- slots ------------------------------------------------------------------------------------
 */

gboolean _imgimport_sqlite_get (gpointer self, const char *kind, const char *id,
                                ImgImportRecordFunc func, gpointer func_data, GError **error);
gboolean _imgimport_sqlite_scan (gpointer self, const ImgImportQuery *query,
                                 ImgImportRecordFunc func, gpointer func_data, GError **error);
gboolean _imgimport_sqlite_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops,
                                   gboolean durable, GError **error);
gboolean _imgimport_sqlite_journal_load (gpointer self, const char *journal,
                                         ImgImportJournalFunc func, gpointer func_data,
                                         GError **error);
gboolean _imgimport_sqlite_owner_register (gpointer self, char **owner_id, GError **error);
gboolean _imgimport_sqlite_owner_is_alive (gpointer self, const char *owner_id, gboolean *alive,
                                           GError **error);
/* Makes a file of ours where there is none; FALSE with errno. */
gboolean _imgimport_sqlite_make_private (const char *path);
gboolean _imgimport_sqlite_owners_open (ImgImportSqlite *self, GError **error);

/* ---- journal operations of a commit, sqlite-journal.c ------------------------------------------
 */

gboolean _imgimport_sqlite_journal_append (ImgImportSqliteConnection *connection,
                                           const ImgImportOp *op, GError **error);
gboolean _imgimport_sqlite_journal_forget (ImgImportSqliteConnection *connection,
                                           const ImgImportOp *op, GError **error);

G_END_DECLS
