/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* judge: the verdict on the sealed object, after all hooks and before any delivery. */

#include "service/import-private.h"

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  const ImgImportConfig *config = import->service->config;
  const ImgImportFormatPolicy policy = {
    .require_match = config->require_format_match,
    .gpt_nonfatal = (const char *const *)config->gpt_nonfatal,
    .max_virtual_size = config->max_virtual_size,
  };
  g_autoptr (ImgImportImageRecord) record = NULL;
  ImgImportVerdict verdict = { NULL, IMGIMPORT_SIZE_UNKNOWN };

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  record = _imgimport_import_load (import, error);
  if (record == NULL)
    return FALSE;
  if (!_imgimport_facts_judge (record->staged.facts, &policy, record->image->disk_format,
                               record->image->container_format, &verdict, error))
    return FALSE;
  imgimport_task_set_output (task, IMGIMPORT_VALUE_VIRTUAL_SIZE,
                             g_variant_new_uint64 (verdict.virtual_size));
  return TRUE;
}

const ImgImportTaskVTable _imgimport_task_judge = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute,
};
