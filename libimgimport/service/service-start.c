/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The start and the close of a service. The close goes in this order, so that nothing is taken away
 * that somebody still uses: no new calls; imports that have not begun are let go; uploads end;
 * imports that have begun end; who waits is told; calls that are inside leave; the engine stops;
 * the plug-ins are dropped, and with the catalog the registration of this owner, which hands what
 * is pending to the next service.
 */

#include "service/txn.h"

#include "flow/flow-private.h"

/* ---- start ----------------------------------------------------------------------------------- */

/* Only one thread, and only once, gets past this. */
static gboolean
begin_start (ImgImportService *self, GError **error)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (self->state == IMGIMPORT_SERVICE_NEW)
    {
      self->state = IMGIMPORT_SERVICE_STARTING;
      return TRUE;
    }
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE,
                        self->state < IMGIMPORT_SERVICE_CLOSING ? "service-started"
                                                                : "service-closed",
                        "the service has been started before");
  return FALSE;
}

static gboolean
start (ImgImportService *self, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !_imgimport_service_open_plugins (self, error) ||
      g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  self->engine = _imgimport_engine_new_with_clock (self->config->workers, self->clock);
  if (!_imgimport_catalog_owner_register (self->catalog, &self->owner, error))
    return FALSE;
  self->backlog = _imgimport_backlog_new ();
  self->journal = _imgimport_journal_new_catalog (self->catalog, self->owner, self->backlog,
                                                  self->config->durable, error);
  if (self->journal == NULL || !_imgimport_service_recover (self, error))
    return FALSE;
  _imgimport_service_expire_jobs (self);
  return TRUE;
}

/* ---- close ----------------------------------------------------------------------------------- */

static void
leave_all_pending (ImgImportService *self)
{
  g_autoptr (GPtrArray) imports = _imgimport_service_list_imports (self);
  guint i;

  for (i = 0; i < imports->len; i++)
    _imgimport_import_leave (imports->pdata[i]);
}

/* With the lock held: an import that has begun; NULL for none. */
static ImgImportImport *
ref_begun (ImgImportService *self)
{
  GHashTableIter iter;
  gpointer import;

  g_hash_table_iter_init (&iter, self->imports);
  while (g_hash_table_iter_next (&iter, NULL, &import))
    if (_imgimport_import_is_begun (import))
      return _imgimport_import_ref (import);
  return NULL;
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  ImgImportService *self = user_data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  g_cond_broadcast (&self->cond);
}

/* With the lock held. */
static gboolean
is_listed (ImgImportService *self, ImgImportImport *import)
{
  GHashTableIter iter;
  gpointer other;

  g_hash_table_iter_init (&iter, self->imports);
  while (g_hash_table_iter_next (&iter, NULL, &other))
    if (other == import)
      return TRUE;
  return FALSE;
}

/* With the lock held, which it drops meanwhile: one wait, until something has happened. Where
 * nothing happens by itself it makes the import's run end. */
static void
await_import (ImgImportService *self, ImgImportImport *import)
{
  if (self->config->workers == 0)
    {
      g_mutex_unlock (&self->lock);
      imgimport_run_wait (_imgimport_import_get_run (import), -1);
      g_mutex_lock (&self->lock);
    }
  if (is_listed (self, import))
    g_cond_wait (&self->cond, &self->lock);
}

/* Returns whether it cancelled imports. */
static gboolean
await_begun (ImgImportService *self, GCancellable *cancellable)
{
  gboolean cancelled = FALSE;
  ImgImportImport *import;
  gulong handler = 0;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  g_mutex_lock (&self->lock);
  while ((import = ref_begun (self)) != NULL)
    {
      if (!cancelled && (self->config->workers == 0 || g_cancellable_is_cancelled (cancellable)))
        {
          cancelled = TRUE;
          g_mutex_unlock (&self->lock);
          _imgimport_imports_cancel (self);
          g_mutex_lock (&self->lock);
        }
      else
        await_import (self, import);
      g_mutex_unlock (&self->lock);
      _imgimport_import_unref (import);
      g_mutex_lock (&self->lock);
    }
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  return cancelled;
}

static void
set_state (ImgImportService *self, ImgImportServiceState state)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->state = state;
  g_cond_broadcast (&self->cond);
}

/* A thread holds its last run, and with it the catalog, a little longer than the run lasts. */
static void
stop_engine (ImgImportService *self)
{
  if (self->engine == NULL)
    return;
  _imgimport_engine_stop (self->engine);
  _imgimport_pool_close (_imgimport_engine_get_pool (self->engine));
}

/* Returns whether it cancelled imports. */
static gboolean
end_work (ImgImportService *self, GCancellable *cancellable)
{
  leave_all_pending (self);
  _imgimport_uploads_abort (self);
  return await_begun (self, cancellable);
}

/* From CLOSING to CLOSED. Returns the same. */
static gboolean
shut_down (ImgImportService *self, GCancellable *cancellable)
{
  gboolean cancelled;

  cancelled = end_work (self, cancellable);
  set_state (self, IMGIMPORT_SERVICE_CLOSED);

  g_mutex_lock (&self->lock);
  while (self->uses > 0)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);

  /* What the calls that were inside have begun. */
  cancelled = end_work (self, cancellable) || cancelled;
  stop_engine (self);
  g_mutex_lock (&self->lock);
  while (g_hash_table_size (self->imports) > 0)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
  _imgimport_service_drop_stalled (self, NULL);
  _imgimport_service_drop_plugins (self);
  return cancelled;
}

/* Whether it is this thread that closes the service; else it has been closed when this returns. */
static gboolean
begin_close (ImgImportService *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  while (self->state == IMGIMPORT_SERVICE_STARTING || self->state == IMGIMPORT_SERVICE_CLOSING)
    g_cond_wait (&self->cond, &self->lock);
  if (self->state == IMGIMPORT_SERVICE_CLOSED)
    return FALSE;
  self->state = IMGIMPORT_SERVICE_CLOSING;
  g_cond_broadcast (&self->cond);
  return TRUE;
}

gboolean
imgimport_service_close (ImgImportService *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);

  if (!_imgimport_service_check_process (self, error))
    return FALSE;
  if (!begin_close (self) || !shut_down (self, cancellable))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                       "the close of the service cancelled imports");
  return FALSE;
}

gboolean
imgimport_service_start (ImgImportService *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GCancellable) at_once = g_cancellable_new ();

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);

  if (!_imgimport_service_check_process (self, error) || !begin_start (self, error))
    return FALSE;
  if (start (self, cancellable, error))
    {
      set_state (self, IMGIMPORT_SERVICE_STARTED);
      return TRUE;
    }
  /* What recovery has begun already is not worth a wait. */
  g_cancellable_cancel (at_once);
  set_state (self, IMGIMPORT_SERVICE_CLOSING);
  shut_down (self, at_once);
  return FALSE;
}
