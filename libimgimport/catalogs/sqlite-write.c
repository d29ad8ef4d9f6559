/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalogs/sqlite-internal.h"

/* In all about what a sync takes where it is fast. */
#define GATHER_US 250
#define GATHER_LOOKS 8
#define GATHER_ENOUGH 4

/* On the stack of the thread that waits for it. */
typedef struct
{
  ImgImportSqliteWriteFunc func;
  gpointer data;
  gboolean durable;
  gboolean wrote; /* its changes are in the transaction */
  gboolean done;  /* under the lock */
  GError *error;  /* NULL once done: it is committed */
} Request;

static gboolean
set_syncs (ImgImportSqlite *self, gboolean syncs, GError **error)
{
  if (self->syncs == syncs)
    return TRUE;
  if (!_imgimport_sqlite_exec (
          self->writer, syncs ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", error))
    return FALSE;
  self->syncs = syncs;
  return TRUE;
}

/* FALSE where the transaction is lost; one of several requests that fails is taken back alone. */
static gboolean
run_request (ImgImportSqliteConnection *writer, Request *request, gboolean is_only, GError **error)
{
  int n_changes = sqlite3_total_changes (writer->db);

  if (!is_only && !_imgimport_sqlite_run (writer, IMGIMPORT_SQLITE_SAVEPOINT, error))
    return FALSE;
  if (!request->func (writer, request->data, &request->error))
    {
      /* A full disk, for one, makes SQLite take all of the transaction back. */
      if (is_only || sqlite3_get_autocommit (writer->db) != 0)
        {
          g_propagate_error (error, g_steal_pointer (&request->error));
          return FALSE;
        }
      if (!_imgimport_sqlite_run (writer, IMGIMPORT_SQLITE_REVERT, error))
        return FALSE;
    }
  request->wrote = request->error == NULL && sqlite3_total_changes (writer->db) != n_changes;
  return is_only || _imgimport_sqlite_run (writer, IMGIMPORT_SQLITE_RELEASE, error);
}

static gboolean
run_all (ImgImportSqlite *self, Request *const *requests, guint n_requests, GError **error)
{
  gboolean wrote = FALSE;

  for (guint i = 0; i < n_requests; i++)
    {
      if (!run_request (self->writer, requests[i], n_requests == 1, error))
        return FALSE;
      wrote = wrote || requests[i]->wrote;
    }
  /* Only a transaction that writes also syncs what others have written before it. */
  if (self->syncs && !wrote && !_imgimport_sqlite_run (self->writer, IMGIMPORT_SQLITE_TOUCH, error))
    return FALSE;
  return _imgimport_sqlite_run (self->writer, IMGIMPORT_SQLITE_COMMIT, error);
}

/* FALSE: nothing is changed, and no request has an outcome. */
static gboolean
transact (ImgImportSqlite *self, Request *const *requests, guint n_requests, GError **error)
{
  gboolean durable = FALSE;

  for (guint i = 0; i < n_requests; i++)
    durable = durable || requests[i]->durable;
  if (!set_syncs (self, durable, error) ||
      !_imgimport_sqlite_run (self->writer, IMGIMPORT_SQLITE_BEGIN, error))
    return FALSE;
  if (run_all (self, requests, n_requests, error))
    return TRUE;
  if (sqlite3_get_autocommit (self->writer->db) == 0)
    sqlite3_exec (self->writer->db, "ROLLBACK", NULL, NULL, NULL);
  for (guint i = 0; i < n_requests; i++)
    g_clear_error (&requests[i]->error);
  return FALSE;
}

static void
run_alone (ImgImportSqlite *self, Request *request)
{
  g_autoptr (GError) error = NULL;

  if (!transact (self, &request, 1, &error))
    request->error = g_steal_pointer (&error);
}

static void
run_batch (ImgImportSqlite *self, Request *const *requests, guint n_requests)
{
  g_autoptr (GError) error = NULL;
  gboolean is_hopeless = FALSE;

  if (transact (self, requests, n_requests, &error))
    return;
  /* One that is too large for the disk must not fail the others; but where others keep the file
   * busy, no one may wait longer than once. */
  is_hopeless =
      n_requests == 1 || g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_TIMED_OUT);
  for (guint i = 0; i < n_requests; i++)
    {
      if (is_hopeless)
        requests[i]->error = g_error_copy (error);
      else
        run_alone (self, requests[i]);
    }
}

static guint
count_durable (const GPtrArray *requests)
{
  guint i, n = 0;

  for (i = 0; i < requests->len; i++)
    n += ((const Request *)requests->pdata[i])->durable ? 1 : 0;
  return n;
}

/* Called and left with the lock held. Where those that sync come in crowds, the first waits a
 * little for the others: one sync is all of theirs. Who comes alone never waits. */
static GPtrArray *
gather (ImgImportSqlite *self)
{
  GPtrArray *batch;
  guint n = count_durable (self->waiting);

  if (self->crowded && n > 0)
    {
      for (guint i = 0; i < GATHER_LOOKS && n < GATHER_ENOUGH; i++)
        {
          g_mutex_unlock (&self->lock);
          g_usleep (GATHER_US);
          g_mutex_lock (&self->lock);
          n = count_durable (self->waiting);
        }
      self->crowded = n > 1;
    }
  batch = g_steal_pointer (&self->waiting);
  self->waiting = g_ptr_array_new ();
  return batch;
}

/* Called and left with the lock held. */
static void
serve (ImgImportSqlite *self)
{
  g_autoptr (GPtrArray) batch = NULL;

  self->writing = TRUE;
  batch = gather (self);
  g_mutex_unlock (&self->lock);
  run_batch (self, (Request *const *)batch->pdata, batch->len);
  g_mutex_lock (&self->lock);
  self->writing = FALSE;
  self->crowded = self->crowded || (count_durable (batch) > 0 && count_durable (self->waiting) > 0);
  for (guint i = 0; i < batch->len; i++)
    {
      Request *request = g_ptr_array_index (batch, i);

      request->done = TRUE;
    }
  g_cond_broadcast (&self->written);
}

gboolean
_imgimport_sqlite_write (ImgImportSqlite *self, ImgImportSqliteWriteFunc func, gpointer data,
                         gboolean durable, GError **error)
{
  Request request = { .func = func, .data = data, .durable = durable };

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->waiting, &request);
  while (!request.done)
    {
      if (self->writing)
        g_cond_wait (&self->written, &self->lock);
      else
        serve (self);
    }
  g_mutex_unlock (&self->lock);
  if (request.error == NULL)
    return TRUE;
  g_propagate_error (error, request.error);
  return FALSE;
}
