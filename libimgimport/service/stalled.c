/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs of this service that are neither over nor under way: the catalog did not take their end.
 * Each is taken up again as a later owner would: its run is resumed from the journal, to be undone,
 * or driven to its end past the pivot, and ends for the reason that it had. A call that needs the
 * end does so at once; else a run of the engine does, ever less often. It holds no thread; with
 * `workers` 0 the calls that drive the engine drive it too.
 */

#include "service/import-private.h"

#define RETRY_MS 1000
#define RETRY_MAX_MS 60000

typedef struct
{
  ImgImportImport *import; /* the last one that could not end */
  GError *cause;           /* why it was to end */
  char *task;              /* whose error that is; NULL: none of its flow's */
  char *why;               /* what its end failed with */
} Stalled;

static void
stalled_free (gpointer data)
{
  Stalled *self = data;

  _imgimport_import_unref (self->import);
  g_error_free (self->cause);
  g_free (self->task);
  g_free (self->why);
  g_free (self);
}

GHashTable *
_imgimport_stalled_table_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, stalled_free);
}

char *
_imgimport_service_dup_stall (ImgImportService *self, const char *job_id)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  const Stalled *stalled = g_hash_table_lookup (self->stalled, job_id);

  return stalled != NULL ? g_strdup (stalled->why) : NULL;
}

/* What is freed may be the last that holds a run: not with the lock held. */
void
_imgimport_service_drop_stalled (ImgImportService *self, const char *job_id)
{
  g_autoptr (GHashTable) dropped = _imgimport_stalled_table_new ();
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  gpointer key, value;

  if (job_id == NULL)
    {
      GHashTable *table = g_steal_pointer (&dropped);

      dropped = self->stalled;
      self->stalled = table;
    }
  else if (g_hash_table_steal_extended (self->stalled, job_id, &key, &value))
    g_hash_table_insert (dropped, key, value);
}

/* ---- the end of one, once more --------------------------------------------------------------- */

void
_imgimport_import_inherit (ImgImportImport *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->service->lock);
  const Stalled *stalled = g_hash_table_lookup (self->service->stalled, self->job_id);
  guint i;

  if (stalled == NULL)
    return;
  g_clear_error (&self->interruption);
  self->interruption = g_error_copy (stalled->cause);
  self->blamed = g_strdup (stalled->task);
  for (i = 0; i < stalled->import->failed_stores->len; i++)
    g_ptr_array_add (self->failed_stores, g_strdup (stalled->import->failed_stores->pdata[i]));
}

static ImgImportImport *
ref_stalled (ImgImportService *self, const char *job_id)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  const Stalled *stalled = g_hash_table_lookup (self->stalled, job_id);

  return stalled != NULL ? _imgimport_import_ref (stalled->import) : NULL;
}

/* One that is known to be stalled does not wait for others to become this service's. */
static gboolean
is_under_way (ImgImportService *self, const char *job_id)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return g_hash_table_contains (self->imports, job_id) ||
         (self->n_starting > 0 && !g_hash_table_contains (self->stalled, job_id));
}

static gboolean
is_closing (ImgImportService *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->state >= IMGIMPORT_SERVICE_CLOSING;
}

/* Whether the job is under way now. */
static gboolean
resume (ImgImportService *self, const char *job_id)
{
  g_autoptr (GError) error = NULL;
  g_auto (ImgImportKnown) known = { NULL, _imgimport_job_record_load (self, job_id, &error) };
  g_autoptr (ImgImportImport) stalled = ref_stalled (self, job_id);
  g_autoptr (ImgImportImport) import = NULL;

  /* Who has taken it over ends it; of one that has expired nothing is left. */
  if (known.job != NULL ? !g_str_equal (known.job->owner, self->owner)
                        : g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND))
    _imgimport_service_drop_stalled (self, job_id);
  if (known.job == NULL || !g_str_equal (known.job->owner, self->owner))
    return FALSE;
  if (imgimport_job_is_finished (known.job->job))
    {
      /* Only what was known of its run could not be forgotten. */
      if (stalled != NULL && _imgimport_import_forget_run (stalled, NULL))
        _imgimport_service_drop_stalled (self, job_id);
      return FALSE;
    }
  import = _imgimport_import_start (
      self, &known, stalled != NULL || known.job->job->status != IMGIMPORT_JOB_PENDING, &error);
  /* Another thread may have been faster. */
  return import != NULL || strcmp (imgimport_error_get_reason (error), "run-claimed") == 0;
}

gboolean
_imgimport_service_resume_job (ImgImportService *self, const char *job_id)
{
  gboolean is_resumed;

  if (is_closing (self))
    return FALSE;
  if (is_under_way (self, job_id))
    return TRUE;
  _imgimport_service_begin_starting (self);
  is_resumed = resume (self, job_id);
  _imgimport_service_end_starting (self);
  return is_resumed;
}

/* ---- on the clock ---------------------------------------------------------------------------- */

typedef struct
{
  ImgImportService *service; /* borrowed: it outlives its engine */
  char *job_id;
} Retry;

static void
retry_free (gpointer data)
{
  Retry *self = data;

  g_free (self->job_id);
  g_free (self);
}

/* What an attempt begins ends by itself; the next attempt finds what became of it. */
static gboolean
execute_retry (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  const Retry *self = data;
  g_autofree char *why = _imgimport_service_dup_stall (self->service, self->job_id);

  if (why == NULL)
    return TRUE;
  if (imgimport_task_get_attempt (task) > 1)
    _imgimport_service_resume_job (self->service, self->job_id);
  _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "job-stalled", "%s", why);
  return FALSE;
}

static const ImgImportTaskVTable retry_task = { IMGIMPORT_TASK_VTABLE_INIT,
                                                .execute = execute_retry };

static gboolean
start_retries (ImgImportService *self, const char *job_id, GError **error)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new_linear ("end of a job");
  g_autoptr (ImgImportRun) run = NULL;
  Retry *retry = g_new0 (Retry, 1);

  retry->service = self;
  retry->job_id = g_strdup (job_id);
  if (!imgimport_flow_add_task (flow, "retry", &retry_task, retry, retry_free, error) ||
      !imgimport_flow_set_retry (flow, "retry", G_MAXUINT, RETRY_MS, RETRY_MAX_MS, error))
    return FALSE;
  run = imgimport_run_new (flow, job_id, NULL, NULL, error);
  return run != NULL && imgimport_run_start (run, self->engine, error);
}

/* Whether it was not stalled before. */
static gboolean
put (ImgImportService *self, Stalled *stalled)
{
  g_autofree char *key = NULL;
  Stalled *before = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_steal_extended (self->stalled, stalled->import->job_id, (gpointer *)&key,
                               (gpointer *)&before);
  g_hash_table_insert (self->stalled, g_strdup (stalled->import->job_id), stalled);
  g_mutex_unlock (&self->lock);
  if (before == NULL)
    return TRUE;
  stalled_free (before);
  return FALSE;
}

void
_imgimport_import_stall (ImgImportImport *self, const GError *cause, const char *task,
                         const GError *why)
{
  ImgImportService *service = self->service;
  g_autoptr (GError) error = NULL;
  Stalled *stalled;

  if (is_closing (service))
    {
      _imgimport_log (service->log, G_LOG_LEVEL_WARNING,
                      "job %s is left to a later start of the service: %s", self->job_id,
                      why->message);
      return;
    }
  stalled = g_new0 (Stalled, 1);
  stalled->import = _imgimport_import_ref (self);
  stalled->cause = g_error_copy (cause);
  stalled->task = g_strdup (task);
  stalled->why = g_strdup (why->message);
  if (!put (service, stalled))
    return;
  _imgimport_log (service->log, G_LOG_LEVEL_WARNING,
                  "job %s cannot be ended now, and will be later: %s", self->job_id, why->message);
  if (!start_retries (service, self->job_id, &error))
    _imgimport_log (service->log, G_LOG_LEVEL_WARNING,
                    "job %s is ended when it is asked for, or by a later start of the service: %s",
                    self->job_id, error->message);
}
