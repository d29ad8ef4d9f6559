/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* claim: the job is processing, the image importing. Its undoing is the end of a failed job. */

#include "service/import-private.h"

static gboolean
begin (ImgImportTxn *txn, gpointer data, GError **error)
{
  ImgImportImport *self = data;
  ImgImportImage *image = _imgimport_txn_image (txn)->image;
  ImgImportJob *job = _imgimport_txn_job (txn)->job;
  gsize i;

  /* Called again after a crash between its commit and the journal's word of it. */
  if (image->status == IMGIMPORT_STATUS_IMPORTING)
    return TRUE;
  if (!_imgimport_image_set_status (image, IMGIMPORT_ACTION_IMPORT, error) ||
      !_imgimport_job_set_status (job, IMGIMPORT_JOB_PROCESSING, _imgimport_txn_now (txn), -1,
                                  error))
    return FALSE;
  for (i = 0; self->stores[i] != NULL; i++)
    {
      _imgimport_image_merge_store_list (image, IMGIMPORT_PROPERTY_IMPORTING, self->stores[i],
                                         TRUE);
      _imgimport_image_merge_store_list (image, IMGIMPORT_PROPERTY_FAILED, self->stores[i], FALSE);
    }
  _imgimport_txn_image_changed (txn);
  _imgimport_txn_job_changed (txn);
  return TRUE;
}

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;

  return _imgimport_import_enter (import, task, error) &&
         _imgimport_import_txn (import, TRUE, FALSE, begin, import, error);
}

const ImgImportTaskVTable _imgimport_task_claim = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute,
};
