/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How an import ends: a job that its flow has not made a success becomes a failure, and the image
 * returns to where it can be imported from again, with its bytes unless they are to blame.
 */

#include "flow/timeline-private.h"
#include "service/import-private.h"

typedef struct
{
  ImgImportImport *import;
  const GError *cause;
  gboolean is_of_content;
  char *key; /* staged bytes to remove */
} Failure;

/* Bytes that are unsafe, not what they are said to be, or damaged, are not worth another try. What
 * a store that they are delivered to calls damaged, or the engine, is not they, unless they are
 * seen to have changed on the way. */
static gboolean
is_fault_of_content (const GError *cause, const char *task)
{
  static const char *const limits[] = { "virtual-size-limit", "unpack-ratio", "unpack-memory",
                                        "unpack-members", NULL };

  const char *reason = imgimport_error_get_reason (cause);

  if (task == NULL)
    return FALSE;
  if (g_str_equal (task, "deliver"))
    return g_str_equal (reason, "staging-changed");
  return g_error_matches (cause, IMGIMPORT_ERROR, IMGIMPORT_ERROR_CORRUPT) ||
         g_strv_contains (limits, reason);
}

static void
mark_stores (ImgImportImport *self, ImgImportImage *image)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  guint i;

  for (i = 0; self->stores != NULL && self->stores[i] != NULL; i++)
    _imgimport_image_merge_store_list (image, IMGIMPORT_PROPERTY_IMPORTING, self->stores[i], FALSE);
  locker = _imgimport_locker_new (&self->lock);
  for (i = 0; i < self->failed_stores->len; i++)
    _imgimport_image_merge_store_list (image, IMGIMPORT_PROPERTY_FAILED,
                                       self->failed_stores->pdata[i], TRUE);
}

/* Whether what was staged is still there to be imported again. */
static gboolean
can_return (const Failure *self, const ImgImportImageRecord *record)
{
  g_autoptr (GError) gone = NULL;

  if (record->claim.from != IMGIMPORT_STATUS_UPLOADING || record->staged.key == NULL ||
      self->is_of_content)
    return FALSE;
  if (_imgimport_store_stat (self->import->service->staging, record->staged.key, NULL, NULL, NULL,
                             &gone))
    return TRUE;
  return !g_error_matches (gone, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
}

static gboolean
release_image (Failure *self, ImgImportTxn *txn, GError **error)
{
  ImgImportImageRecord *record = _imgimport_txn_image (txn);
  ImgImportImage *image = record->image;
  gboolean returns;

  _imgimport_record_restore_original (txn);
  returns = can_return (self, record);
  mark_stores (self->import, image);
  if (image->status == IMGIMPORT_STATUS_IMPORTING)
    _imgimport_import_restore_properties (self->import, image);
  if (image->status == IMGIMPORT_STATUS_IMPORTING &&
      !_imgimport_image_set_status (
          image, returns ? IMGIMPORT_ACTION_IMPORT_RETURNED : IMGIMPORT_ACTION_IMPORT_FAILED,
          error))
    return FALSE;
  _imgimport_claim_clear (&record->claim);
  if (image->status == IMGIMPORT_STATUS_QUEUED && record->staged.key != NULL)
    {
      _imgimport_set_string (&self->key, record->staged.key);
      _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, image->id, self->key);
      _imgimport_staged_clear (&record->staged);
      _imgimport_image_clear_stage (image);
    }
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

/* An image that is or was active has been imported, whatever became of its flow. */
static gboolean
is_imported (ImgImportImport *self, const ImgImportImageRecord *held)
{
  return (held != NULL && held->image->status == IMGIMPORT_STATUS_ACTIVE) ||
         (self->run != NULL && imgimport_run_is_past_pivot (self->run));
}

void
_imgimport_import_keep_tasks (ImgImportImport *self, ImgImportJob *job, const char *done)
{
  g_autoptr (GPtrArray) timeline = NULL;
  g_autoptr (JsonNode) node = NULL;
  guint i;

  if (self->run == NULL)
    return;
  timeline = _imgimport_run_dup_timeline (self->run);
  for (i = 0; i < timeline->len; i++)
    if (g_strcmp0 (((ImgImportTimelineTask *)timeline->pdata[i])->name, done) == 0)
      ((ImgImportTimelineTask *)timeline->pdata[i])->state = IMGIMPORT_TASK_SUCCESS;
  node = json_node_init_array (json_node_alloc (), NULL);
  json_node_take_array (node, _imgimport_timeline_to_array (timeline));
  g_free (job->tasks);
  job->tasks = _imgimport_json_to_text (node);
}

static gboolean
end_job (const Failure *self, ImgImportTxn *txn, gboolean is_success, GError **error)
{
  ImgImportJob *job = _imgimport_txn_job (txn)->job;
  gint64 hours = self->import->service->config->task_time_to_live_hours;
  gint64 time_to_live_us = hours * 3600 * G_USEC_PER_SEC;
  gint64 now_us = _imgimport_txn_now (txn);

  _imgimport_import_overlay (self->import, job);
  _imgimport_import_keep_tasks (self->import, job, NULL);
  _imgimport_txn_job_changed (txn);
  if (!is_success)
    return _imgimport_job_fail (job, self->cause, now_us, time_to_live_us, error);
  _imgimport_job_add_warning (job, self->cause->message);
  return _imgimport_job_set_status (job, IMGIMPORT_JOB_SUCCESS, now_us, time_to_live_us, error);
}

static gboolean
fail_job (ImgImportTxn *txn, gpointer data, GError **error)
{
  Failure *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);
  gboolean is_held = record != NULL && _imgimport_import_check_claim (self->import, record, NULL);

  g_clear_pointer (&self->key, g_free);
  /* One that was taken over is the new owner's to end. */
  if (imgimport_job_is_finished (_imgimport_txn_job (txn)->job) ||
      !g_str_equal (_imgimport_txn_job (txn)->owner, self->import->service->owner))
    return TRUE;
  return end_job (self, txn, is_imported (self->import, is_held ? record : NULL), error) &&
         (!is_held || release_image (self, txn, error));
}

/* What a task or plug-in says of its part does not always name the image. */
static GError *
dup_named (ImgImportImport *self, const GError *cause)
{
  GError *named = g_error_copy (cause);

  if (strstr (named->message, self->image_id) == NULL)
    _imgimport_error_prefix (&named, "image %s", self->image_id);
  return named;
}

gboolean
_imgimport_import_fail (ImgImportImport *self, const GError *cause, const char *task,
                        GError **error)
{
  g_autoptr (GError) named = dup_named (self, cause);
  Failure failure = { self, named, is_fault_of_content (cause, task), NULL };
  g_autofree char *key = NULL;
  g_autoptr (GError) gone = NULL;
  gboolean ok;

  _imgimport_import_set_ending (self);
  ok = _imgimport_txn_run (self->service, self->image_id, self->job_id, FALSE, fail_job, &failure,
                           &gone);
  key = failure.key;
  if (!ok && g_error_matches (gone, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND))
    return _imgimport_txn_run (self->service, NULL, self->job_id, FALSE, fail_job, &failure, error);
  if (!ok)
    {
      g_propagate_error (error, g_steal_pointer (&gone));
      return FALSE;
    }
  if (key != NULL && !_imgimport_object_remove (self->service, IMGIMPORT_STAGING_ID, key, &gone))
    _imgimport_log (self->service->log, G_LOG_LEVEL_WARNING,
                    "image %s: staged bytes are left to a later start: %s", self->image_id,
                    gone->message);
  return TRUE;
}

/* ---- the end of the run ---------------------------------------------------------------------- */

static GError *
dup_cause (ImgImportImport *self, const char **task)
{
  const GError *cause = imgimport_run_get_error (self->run, 0, task);

  if (self->interruption != NULL)
    return g_error_copy (self->interruption);
  if (cause != NULL && imgimport_run_get_state (self->run) != IMGIMPORT_RUN_CANCELLED)
    return g_error_copy (cause);
  return g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "image %s: the import was cancelled",
                      self->image_id);
}

void
_imgimport_import_forget (ImgImportImport *self, ImgImportTxn *txn)
{
  guint i;

  for (i = 0; i < self->removed->len; i++)
    _imgimport_txn_drop_object (txn, IMGIMPORT_STAGING_ID, self->removed->pdata[i]);
  _imgimport_txn_drop_run (txn, self->job_id);
  _imgimport_txn_journal_forget (txn, self->job_id);
}

static gboolean
forget (ImgImportTxn *txn, gpointer data, GError **error)
{
  _imgimport_import_forget (data, txn);
  return TRUE;
}

/* Its last task has done it in the commit that made the job a success. */
gboolean
_imgimport_import_forget_run (ImgImportImport *self, GError **error)
{
  return self->is_forgotten ||
         _imgimport_txn_run (self->service, NULL, NULL, FALSE, forget, self, error);
}

/* Why it ends unless its flow has made the job final; NULL where it has. `*task`: whose error. */
static GError *
dup_reason (ImgImportImport *self, const char **task)
{
  ImgImportRunState state = imgimport_run_get_state (self->run);
  GError *cause;

  *task = NULL;
  /* With an error, past the pivot, it may be its last task that could not end the job. */
  if (state == IMGIMPORT_RUN_SUCCESS && imgimport_run_get_n_errors (self->run) == 0)
    return NULL;
  cause = dup_cause (self, task);
  if (self->interruption != NULL)
    *task = self->blamed;
  return cause;
}

/* Makes the job final, if its flow has not. */
static gboolean
finish_job (ImgImportImport *self, const GError *cause, const char *task, GError **error)
{
  const GError *why;

  if (cause == NULL)
    return TRUE;
  if (imgimport_run_get_state (self->run) != IMGIMPORT_RUN_INTERRUPTED)
    return _imgimport_import_fail (self, cause, task, error);
  why = imgimport_run_get_error (self->run, 0, NULL);
  _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "job-stalled", "%s",
                        why != NULL ? why->message : "interrupted");
  return FALSE;
}

static gboolean
check_final (ImgImportImport *self, GError **error)
{
  g_autoptr (ImgImportJobRecord) record = NULL;

  /* The import's own last word of it, which nobody takes back. */
  if (self->known.job != NULL && imgimport_job_is_finished (self->known.job->job))
    return TRUE;
  record = _imgimport_job_record_load (self->service, self->job_id, error);
  if (record == NULL || imgimport_job_is_finished (record->job))
    return record != NULL;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "claim-lost",
                        "job %s was taken over by somebody else", self->job_id);
  return FALSE;
}

void
_imgimport_import_give_up (ImgImportImport *self, const GError *cause)
{
  g_autofree char *stall = _imgimport_service_dup_stall (self->service, self->job_id);
  g_autoptr (GError) error = NULL;

  /* What its run did is still to be undone, which the next attempt may be able to; but none will
   * where the method is not to be had. */
  if (stall != NULL && self->method != NULL &&
      !g_error_matches (cause, IMGIMPORT_ERROR, IMGIMPORT_ERROR_CORRUPT))
    return;
  if (_imgimport_import_fail (self, cause, NULL, &error) &&
      _imgimport_import_forget_run (self, &error))
    _imgimport_service_drop_stalled (self->service, self->job_id);
  else
    _imgimport_import_stall (self, cause, NULL, error);
}

void
_imgimport_import_end (ImgImportRun *run, gpointer user_data)
{
  ImgImportImport *self = user_data;
  ImgImportService *service = self->service;
  const char *task;
  g_autoptr (GError) cause = dup_reason (self, &task);
  g_autoptr (GError) error = NULL;

  /* A job that cannot be made final now keeps its journal. */
  if (finish_job (self, cause, task, &error) && check_final (self, &error) &&
      _imgimport_import_forget_run (self, &error))
    _imgimport_service_drop_stalled (service, self->job_id);
  else
    _imgimport_import_stall (self, cause != NULL ? cause : error, task, error);

  g_mutex_lock (&service->lock);
  g_hash_table_remove (service->imports, self->job_id);
  g_cond_broadcast (&service->cond);
  g_mutex_unlock (&service->lock);
}

/* ---- an end before the beginning ------------------------------------------------------------- */

/* With the run's lock held. A thread that has claimed the first task is about to call it. */
static gboolean
has_begun (ImgImportImport *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->run->n_busy > 0 || self->is_begun;
}

gboolean
_imgimport_import_is_begun (ImgImportImport *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->run->lock);

  return has_begun (self);
}

void
_imgimport_import_leave (ImgImportImport *self)
{
  ImgImportRun *run = self->run;

  g_mutex_lock (&run->lock);
  if (run->phase > IMGIMPORT_PHASE_PENDING && run->phase < IMGIMPORT_PHASE_ENDING &&
      !has_begun (self))
    {
      GError *error = NULL;

      _imgimport_set_error (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed",
                            "the service was closed before the import began");
      _imgimport_run_interrupt (run, error);
      _imgimport_run_settle (run);
    }
  _imgimport_run_unlock (run);
  _imgimport_run_report (run);
}
