/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One import of this process: its start and its progress. */

#include "service/import-private.h"

/* How often the job's record learns of progress, and the import of a cancellation by others. */
#define TICK_US G_USEC_PER_SEC

ImgImportImport *
_imgimport_import_ref (ImgImportImport *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
_imgimport_import_unref (ImgImportImport *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_object (&self->run);
  g_clear_object (&self->context);
  g_clear_pointer (&self->request, _imgimport_request_free);
  g_clear_pointer (&self->method, _imgimport_plugin_unref);
  g_clear_error (&self->interruption);
  g_free (self->blamed);
  _imgimport_known_clear (&self->known);
  g_ptr_array_unref (self->failed_stores);
  g_ptr_array_unref (self->removed);
  g_mutex_clear (&self->lock);
  g_strfreev (self->stores);
  g_free (self->job_id);
  g_free (self->image_id);
  g_free (self);
}

ImgImportRun *
_imgimport_import_get_run (ImgImportImport *self)
{
  return self->run;
}

/* ---- start ----------------------------------------------------------------------------------- */

ImgImportImport *
_imgimport_import_new (ImgImportService *service, const ImgImportJobRecord *record)
{
  ImgImportImport *self = g_new0 (ImgImportImport, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->service = service;
  self->job_id = g_strdup (record->job->id);
  self->image_id = g_strdup (record->job->image_id);
  self->epoch = record->epoch;
  self->context = record->context != NULL ? g_object_ref (record->context) : NULL;
  self->failed_stores = g_ptr_array_new_with_free_func (g_free);
  self->removed = g_ptr_array_new_with_free_func (g_free);
  self->total = IMGIMPORT_SIZE_UNKNOWN;
  g_mutex_init (&self->lock);
  return self;
}

/* Method and stores, from the input that the job keeps. */
static gboolean
read_input (ImgImportImport *self, const char *input, GError **error)
{
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (input, "job input", error);
  const ImgImportJsonCursor cursor = { object, "job input", "" };
  g_autofree char *request = NULL;
  JsonObject *body = NULL;
  ImgImportMethod *method;

  if (object == NULL || !_imgimport_json_object (&cursor, "import_req", &body, error) ||
      !_imgimport_json_strv (&cursor, "backend", &self->stores, error))
    return FALSE;
  request = body != NULL ? _imgimport_json_object_to_text (body) : NULL;
  self->request = _imgimport_request_parse (request, error);
  if (self->request == NULL)
    return FALSE;

  method = _imgimport_registry_lookup (self->service->methods, self->request->method);
  if (method == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "method-disabled",
                            "job %s: method “%s” is not enabled", self->job_id,
                            self->request->method);
      return FALSE;
    }
  self->method = _imgimport_plugin_ref (method);
  return TRUE;
}

static gboolean
prepare_run (ImgImportImport *self, GError **error)
{
  g_autoptr (ImgImportFlow) flow = _imgimport_import_plan (self, error);

  if (flow == NULL)
    return FALSE;
  self->run = imgimport_run_new (flow, self->job_id, NULL, self->service->journal, error);
  return self->run != NULL;
}

static void
undo (ImgImportImport *self)
{
  _imgimport_set_error (&self->interruption, IMGIMPORT_ERROR_UNAVAILABLE, "interrupted",
                        "image %s: the process that imported it ended before the import did",
                        self->image_id);
  _imgimport_import_inherit (self);
  imgimport_run_cancel (self->run);
}

/* The import is the service's before it runs: it may be over before this returns. */
static gboolean
start_run (ImgImportImport *self, GError **error)
{
  ImgImportService *service = self->service;

  g_mutex_lock (&service->lock);
  g_hash_table_insert (service->imports, g_strdup (self->job_id), _imgimport_import_ref (self));
  g_mutex_unlock (&service->lock);

  imgimport_run_set_done_func (self->run, _imgimport_import_end, _imgimport_import_ref (self),
                               (GDestroyNotify)_imgimport_import_unref);
  if (imgimport_run_start (self->run, service->engine, error))
    return TRUE;

  g_mutex_lock (&service->lock);
  g_hash_table_remove (service->imports, self->job_id);
  g_mutex_unlock (&service->lock);
  /* It would hold what holds it. */
  imgimport_run_set_done_func (self->run, NULL, NULL, NULL);
  return FALSE;
}

ImgImportImport *
_imgimport_import_start (ImgImportService *service, ImgImportKnown *known, gboolean revert_only,
                         GError **error)
{
  g_autoptr (ImgImportImport) self = _imgimport_import_new (service, known->job);
  GError *cause = NULL;

  self->known = *known;
  self->looked_us = _imgimport_clock_monotonic_us (service->clock);
  *known = (ImgImportKnown){ NULL, NULL };
  if (read_input (self, self->known.job->job->input, &cause) && prepare_run (self, &cause))
    {
      if (revert_only)
        undo (self);
      if (start_run (self, &cause))
        return g_steal_pointer (&self);
    }
  /* Who took the job over meanwhile ends it. */
  if (strcmp (imgimport_error_get_reason (cause), "run-claimed") != 0)
    _imgimport_import_give_up (self, cause);
  g_propagate_error (error, cause);
  return NULL;
}

void
_imgimport_service_begin_starting (ImgImportService *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->n_starting++;
}

void
_imgimport_service_end_starting (ImgImportService *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->n_starting--;
}

gboolean
_imgimport_service_is_job_left (ImgImportService *self, const char *job_id)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->n_starting == 0 && !g_hash_table_contains (self->imports, job_id);
}

ImgImportImport *
_imgimport_service_find_import (ImgImportService *self, const char *job_id)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  ImgImportImport *import = g_hash_table_lookup (self->imports, job_id);

  return import != NULL ? _imgimport_import_ref (import) : NULL;
}

GPtrArray *
_imgimport_service_list_imports (ImgImportService *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *imports = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_import_unref);
  GHashTableIter iter;
  gpointer import;

  g_hash_table_iter_init (&iter, self->imports);
  while (g_hash_table_iter_next (&iter, NULL, &import))
    g_ptr_array_add (imports, _imgimport_import_ref (import));
  return imports;
}

void
_imgimport_imports_cancel (ImgImportService *self)
{
  g_autoptr (GPtrArray) imports = _imgimport_service_list_imports (self);
  guint i;

  for (i = 0; i < imports->len; i++)
    {
      ImgImportImport *import = imports->pdata[i];

      if (_imgimport_import_is_begun (import))
        imgimport_run_cancel (_imgimport_import_get_run (import));
    }
}

gboolean
_imgimport_service_is_job_under_way (ImgImportService *self, const char *job_id)
{
  g_autoptr (ImgImportImport) import = _imgimport_service_find_import (self, job_id);
  gboolean is_ending;

  if (import == NULL)
    return FALSE;
  g_mutex_lock (&import->lock);
  is_ending = import->is_ending;
  g_mutex_unlock (&import->lock);
  return !is_ending;
}

void
_imgimport_import_set_ending (ImgImportImport *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->is_ending = TRUE;
}

/* ---- progress -------------------------------------------------------------------------------- */

void
_imgimport_import_overlay (ImgImportImport *self, ImgImportJob *job)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (self->phase == NULL)
    return;
  _imgimport_set_string (&job->phase, self->phase);
  job->bytes = self->bytes;
  job->total = self->total;
}

void
_imgimport_import_publish (ImgImportImport *self)
{
  g_autoptr (ImgImportEvent) event = NULL;

  if (!_imgimport_bus_is_heard (self->service->bus, IMGIMPORT_EVENT_PROGRESS))
    return;
  g_mutex_lock (&self->lock);
  event = _imgimport_event_new_progress (self->image_id, self->job_id, self->phase, self->bytes,
                                         self->total);
  g_mutex_unlock (&self->lock);
  _imgimport_bus_publish (self->service->bus, event);
}

void
_imgimport_import_set_total (ImgImportImport *self, guint64 total)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->total = total;
}

typedef struct
{
  ImgImportImport *import;
  gboolean cancel; /* asked for in the record */
} Tick;

static gboolean
tick (ImgImportTxn *txn, gpointer data, GError **error)
{
  Tick *self = data;
  ImgImportJob *job = _imgimport_txn_job (txn)->job;

  self->cancel = job->cancel_requested;
  if (imgimport_job_is_finished (job))
    return TRUE;
  _imgimport_import_overlay (self->import, job);
  _imgimport_txn_job_changed (txn);
  return TRUE;
}

void
_imgimport_import_progress (guint64 bytes, gpointer user_data)
{
  ImgImportImport *self = user_data;
  gint64 now = _imgimport_clock_monotonic_us (self->service->clock);
  g_autoptr (GError) error = NULL;
  Tick data = { self, FALSE };
  const ImgImportTxnSpec spec = { .job_id = self->job_id, .known = &self->known };
  gboolean is_due;

  g_mutex_lock (&self->lock);
  self->bytes = bytes;
  is_due = now >= self->next_tick_us;
  if (is_due)
    self->next_tick_us = now + TICK_US;
  g_mutex_unlock (&self->lock);

  _imgimport_import_publish (self);
  if (!is_due)
    return;
  if (!_imgimport_txn_run_spec (self->service, &spec, tick, &data, &error))
    _imgimport_log (self->service->log, G_LOG_LEVEL_INFO, "job %s: progress not recorded: %s",
                    self->job_id, error->message);
  if (data.cancel)
    imgimport_run_cancel (self->run);
}
