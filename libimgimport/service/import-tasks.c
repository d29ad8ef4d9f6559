/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tasks of an import share. */

#include "service/import-private.h"

/* How often the record of a job is looked at for a cancellation. */
#define LOOK_US G_USEC_PER_SEC

static gboolean
check_not_cancelled (ImgImportImport *self, const ImgImportJob *job, GError **error)
{
  if (!job->cancel_requested || imgimport_run_is_past_pivot (self->run))
    return TRUE;
  imgimport_run_cancel (self->run);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "image %s: the import was cancelled",
               self->image_id);
  return FALSE;
}

/* Not in every short task: a commit with the job finds it anyway. */
static gboolean
look_for_cancel (ImgImportImport *self, GError **error)
{
  gint64 now_us = _imgimport_clock_monotonic_us (self->service->clock);
  g_autoptr (ImgImportJobRecord) record = NULL;

  if (self->looked_us != 0 && now_us - self->looked_us < LOOK_US)
    return TRUE;
  record = _imgimport_job_record_load (self->service, self->job_id, error);
  if (record == NULL)
    return FALSE;
  self->looked_us = now_us;
  return check_not_cancelled (self, record->job, error);
}

gboolean
_imgimport_import_enter (ImgImportImport *self, ImgImportTask *task, GError **error)
{
  g_mutex_lock (&self->lock);
  self->is_begun = TRUE;
  self->phase = g_intern_string (imgimport_task_get_name (task));
  self->bytes = 0;
  self->total = IMGIMPORT_SIZE_UNKNOWN;
  g_mutex_unlock (&self->lock);
  _imgimport_import_publish (self);

  return imgimport_run_is_past_pivot (self->run) || look_for_cancel (self, error);
}

gboolean
_imgimport_import_check_claim (ImgImportImport *self, const ImgImportImageRecord *record,
                               GError **error)
{
  const ImgImportClaim *claim = &record->claim;

  /* The owner too: whoever takes a job over goes on under its epoch. */
  if (claim->kind == IMGIMPORT_CLAIM_IMPORT && claim->epoch == self->epoch &&
      g_strcmp0 (claim->job, self->job_id) == 0 &&
      g_strcmp0 (claim->owner, self->service->owner) == 0)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "claim-lost",
                        "image %s: the import was ended by somebody else", self->image_id);
  return FALSE;
}

ImgImportImageRecord *
_imgimport_import_load (ImgImportImport *self, GError **error)
{
  if (self->known.image == NULL)
    self->known.image = _imgimport_image_record_load (self->service, self->image_id, error);
  if (self->known.image == NULL || !_imgimport_import_check_claim (self, self->known.image, error))
    return NULL;
  return _imgimport_image_record_copy (self->known.image);
}

ImgImportCall *
_imgimport_import_call (ImgImportImport *self, const ImgImportImageRecord *record)
{
  return _imgimport_call_new (record->image, self->context, self->request->text, self->job_id,
                              record->staged.key, self->service->log);
}

typedef struct
{
  ImgImportImport *import;
  ImgImportTxnFunc func;
  gpointer data;
} Guarded;

static gboolean
guarded (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Guarded *self = data;
  const ImgImportJobRecord *job = _imgimport_txn_job (txn);

  return _imgimport_import_check_claim (self->import, _imgimport_txn_image (txn), error) &&
         (job == NULL || check_not_cancelled (self->import, job->job, error)) &&
         self->func (txn, self->data, error);
}

gboolean
_imgimport_import_txn (ImgImportImport *self, gboolean with_job, gboolean durable,
                       ImgImportTxnFunc func, gpointer data, GError **error)
{
  Guarded guard = { self, func, data };
  const ImgImportTxnSpec spec = { .image_id = self->image_id,
                                  .job_id = with_job ? self->job_id : NULL,
                                  .journal = self->job_id,
                                  .durable = durable,
                                  .known = &self->known };

  return _imgimport_txn_run_spec (self->service, &spec, guarded, &guard, error);
}

gboolean
_imgimport_import_undo (ImgImportImport *self, ImgImportTxnFunc func, gpointer data, GError **error)
{
  GError *cause = NULL;

  if (_imgimport_import_txn (self, FALSE, FALSE, func, data, &cause))
    return TRUE;
  if (!_imgimport_claim_is_gone (cause))
    {
      g_propagate_error (error, cause);
      return FALSE;
    }
  g_error_free (cause);
  return TRUE;
}

void
_imgimport_import_add_failed_store (ImgImportImport *self, const char *store)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  g_ptr_array_add (self->failed_stores, g_strdup (store));
}
