/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* judge: the verdict on the sealed object, after all hooks and before any delivery. */

#include "service/import-private.h"

gboolean
_imgimport_import_judge (ImgImportImport *self, const ImgImportImageRecord *record,
                         guint64 *virtual_size, GError **error)
{
  ImgImportVerdict verdict = { NULL, IMGIMPORT_SIZE_UNKNOWN };

  if (!_imgimport_facts_judge (record->staged.facts, self->service->config->format_policy,
                               record->image->disk_format, record->image->container_format,
                               &verdict, error))
    return FALSE;
  *virtual_size = verdict.virtual_size;
  return TRUE;
}

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  g_autoptr (ImgImportImageRecord) record = NULL;
  guint64 virtual_size;

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  record = _imgimport_import_load (import, error);
  return record != NULL && _imgimport_import_judge (import, record, &virtual_size, error);
}

const ImgImportTaskVTable _imgimport_task_judge = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute,
};
