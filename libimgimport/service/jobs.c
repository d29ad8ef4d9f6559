/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs: get, list, cancel. */

#include "service/import-private.h"

#define PAGE_DEFAULT 25
#define PAGE_MAX 1000

static gboolean
check_access (ImgImportJob *job, ImgImportContext *context, GError **error)
{
  if (_imgimport_context_is_admin (context) ||
      (job->owner != NULL && g_strcmp0 (job->owner, _imgimport_context_owner (context)) == 0))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, "job-not-found", "no job “%s”", job->id);
  return FALSE;
}

static void
overlay (ImgImportService *service, ImgImportJob *job)
{
  g_autoptr (ImgImportImport) import = NULL;

  if (imgimport_job_is_finished (job))
    return;
  import = _imgimport_service_find_import (service, job->id);
  if (import != NULL)
    _imgimport_import_overlay (import, job);
}

ImgImportJob *
imgimport_service_get_job (ImgImportService *self, ImgImportContext *context, const char *job_id,
                           GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportJobRecord) record = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (job_id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  record = _imgimport_job_record_load (self, job_id, error);
  if (record == NULL || !check_access (record->job, context, error))
    return NULL;
  if (!imgimport_job_is_finished (record->job) && g_str_equal (record->owner, self->owner))
    _imgimport_service_resume_job (self, job_id);
  overlay (self, record->job);
  return g_steal_pointer (&record->job);
}

/* ---- list ------------------------------------------------------------------------------------ */

typedef struct
{
  ImgImportService *service;
  const char *owner;  /* NULL: any */
  const char *status; /* NULL: any */
  gint64 now_us;
  guint limit;
  GPtrArray *jobs;
} Page;

/* One record that cannot be read does not hide all others. */
static gboolean
collect (const ImgImportRecord *record, gpointer user_data)
{
  Page *self = user_data;
  g_autoptr (ImgImportJobRecord) job = NULL;
  g_autoptr (GError) error = NULL;

  if ((self->owner != NULL && g_strcmp0 (record->owner, self->owner) != 0) ||
      (self->status != NULL && g_strcmp0 (record->status, self->status) != 0))
    return TRUE;
  job = _imgimport_job_record_read (record, &error);
  if (job == NULL)
    _imgimport_log (self->service->log, G_LOG_LEVEL_WARNING, "not listed: %s", error->message);
  else if (!_imgimport_job_is_expired (job->job, self->now_us))
    g_ptr_array_add (self->jobs, g_steal_pointer (&job->job));
  return self->jobs->len < self->limit;
}

static gboolean
read_filter (JsonObject *object, ImgImportQuery *query, Page *page, GError **error)
{
  static const char *const known[] = { "image_id", "status", "limit", "marker", NULL };
  const ImgImportJsonCursor cursor = { object, "filter", "" };
  gint64 limit = PAGE_DEFAULT;
  int status = 0;

  if (!_imgimport_json_only (&cursor, known, error) ||
      !_imgimport_json_string (&cursor, "image_id", &query->label, error) ||
      !_imgimport_json_string (&cursor, "status", &page->status, error) ||
      !_imgimport_json_int (&cursor, "limit", 1, PAGE_MAX, &limit, error) ||
      !_imgimport_json_string (&cursor, "marker", &query->marker_id, error))
    return FALSE;
  if (page->status != NULL &&
      !_imgimport_enum_from_word (IMGIMPORT_TYPE_JOB_STATUS, page->status, &status))
    {
      _imgimport_json_set_error (&cursor, "status", "filter-invalid", error,
                                 "“%s” is no status of a job", page->status);
      return FALSE;
    }
  page->limit = (guint)limit;
  return TRUE;
}

/* A job that the caller may not see is no marker of its. */
static gboolean
set_marker (ImgImportService *service, ImgImportContext *context, ImgImportQuery *query,
            GError **error)
{
  g_autoptr (ImgImportJobRecord) marker = NULL;
  g_autoptr (GError) cause = NULL;

  if (query->marker_id == NULL)
    return TRUE;
  marker = _imgimport_job_record_load (service, query->marker_id, &cause);
  if (marker != NULL && check_access (marker->job, context, &cause))
    {
      query->marker_created_us = marker->job->created_us;
      return TRUE;
    }
  if (g_error_matches (cause, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND))
    _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "marker-unknown",
                          "filter: marker: %s", cause->message);
  else
    g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

/* Of the fields that are given, the query takes the one that leaves the fewest records. */
static void
choose_index (ImgImportQuery *query, const Page *page)
{
  if (query->label != NULL)
    return;
  if (page->owner != NULL)
    query->owner = page->owner;
  else
    query->status = page->status;
}

GPtrArray *
imgimport_service_list_jobs (ImgImportService *self, ImgImportContext *context, const char *filter,
                             GError **error)
{
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  ImgImportQuery query = { .struct_size = sizeof query,
                           .kind = IMGIMPORT_KIND_JOB,
                           .created_from_us = G_MININT64,
                           .created_to_us = G_MAXINT64 };
  Page page = { .service = self, .jobs = jobs };
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (GError) cause = NULL;
  guint i;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  object = _imgimport_json_parse_object (filter != NULL ? filter : "{}", "filter", &cause);
  if (object == NULL || !read_filter (object, &query, &page, &cause))
    {
      _imgimport_model_refuse (error, "filter-invalid", g_steal_pointer (&cause));
      return NULL;
    }
  if (!_imgimport_context_is_admin (context))
    page.owner = _imgimport_context_owner (context);
  page.now_us = _imgimport_clock_wall_us (self->clock);
  choose_index (&query, &page);
  if (!set_marker (self, context, &query, error) ||
      !_imgimport_catalog_scan (self->catalog, &query, collect, &page, error))
    return NULL;
  /* Not before: the marker may be one of them. */
  _imgimport_service_expire_jobs (self);
  for (i = 0; i < jobs->len; i++)
    overlay (self, jobs->pdata[i]);
  return g_steal_pointer (&jobs);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

typedef struct
{
  ImgImportContext *context;
  char *owner; /* the service that runs it */
} Cancellation;

static gboolean
request_cancel (ImgImportTxn *txn, gpointer data, GError **error)
{
  Cancellation *self = data;
  ImgImportJob *job = _imgimport_txn_job (txn)->job;

  if (!check_access (job, self->context, error))
    return FALSE;
  if (imgimport_job_is_finished (job))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "job-finished",
                            "job %s has ended in %s", job->id,
                            imgimport_job_status_to_string (job->status));
      return FALSE;
    }
  _imgimport_set_string (&self->owner, _imgimport_txn_job (txn)->owner);
  job->cancel_requested = TRUE;
  _imgimport_txn_job_changed (txn);
  return TRUE;
}

gboolean
imgimport_service_cancel_job (ImgImportService *self, ImgImportContext *context, const char *job_id,
                              GError **error)
{
  Cancellation cancellation = { context, NULL };
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportImport) import = NULL;
  g_autofree char *owner = NULL;
  gboolean recovered, ok;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (job_id != NULL, FALSE);

  use = _imgimport_service_enter (self, error);
  ok = use != NULL &&
       _imgimport_txn_run (self, NULL, job_id, FALSE, request_cancel, &cancellation, error);
  owner = cancellation.owner;
  if (!ok)
    return FALSE;
  _imgimport_service_resume_job (self, job_id);
  import = _imgimport_service_find_import (self, job_id);
  if (import != NULL)
    imgimport_run_cancel (_imgimport_import_get_run (import));
  /* One that has died will not find the request. */
  return import != NULL || _imgimport_service_recover_owner (self, owner, &recovered, error);
}
