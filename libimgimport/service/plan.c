/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The flow of an import: one chain, a row a task. That no two tasks run at a time is what its
 * records (ImgImportKnown) and its backlog count on. */

#include "service/import-private.h"

typedef struct
{
  const char *name;
  const ImgImportTaskVTable *vtable;
  const char *inputs[4];
  const char *outputs[3];
} Row;

static const Row before_hooks[] = {
  { "claim", &_imgimport_task_claim, { NULL }, { NULL } },
  { "fetch",
    &_imgimport_task_fetch,
    { NULL },
    { IMGIMPORT_VALUE_SOURCE, IMGIMPORT_VALUE_ORIGINAL } },
};

static const Row after_hooks[] = {
  { "judge", &_imgimport_task_judge, { NULL }, { NULL } },
  { "deliver",
    &_imgimport_task_deliver,
    { IMGIMPORT_VALUE_SOURCE },
    { IMGIMPORT_VALUE_DELIVERIES, IMGIMPORT_VALUE_FAILED } },
  { "activate",
    &_imgimport_task_activate,
    { IMGIMPORT_VALUE_DELIVERIES, IMGIMPORT_VALUE_FAILED },
    { NULL } },
  { "cleanup",
    &_imgimport_task_cleanup,
    { IMGIMPORT_VALUE_SOURCE, IMGIMPORT_VALUE_ORIGINAL },
    { IMGIMPORT_VALUE_WARNING } },
  { "complete", &_imgimport_task_complete, { IMGIMPORT_VALUE_WARNING }, { NULL } },
};

#define PIVOT "activate"

static void
task_free (gpointer data)
{
  ImgImportImportTask *self = data;

  g_clear_pointer (&self->hook, _imgimport_plugin_unref);
  g_free (self->before);
  g_free (self);
}

static ImgImportImportTask *
task_new (ImgImportImport *import)
{
  ImgImportImportTask *self = g_new0 (ImgImportImportTask, 1);

  self->import = import;
  return self;
}

static gboolean
add_row (ImgImportFlow *flow, ImgImportImport *import, const Row *row, GError **error)
{
  gsize i;

  if (!imgimport_flow_add_task (flow, row->name, row->vtable, task_new (import), task_free, error))
    return FALSE;
  for (i = 0; i < G_N_ELEMENTS (row->inputs) && row->inputs[i] != NULL; i++)
    if (!imgimport_flow_add_input (flow, row->name, row->inputs[i], error))
      return FALSE;
  for (i = 0; i < G_N_ELEMENTS (row->outputs) && row->outputs[i] != NULL; i++)
    if (!imgimport_flow_add_output (flow, row->name, row->outputs[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
add_rows (ImgImportFlow *flow, ImgImportImport *import, const Row *rows, gsize n_rows,
          GError **error)
{
  gsize i;

  for (i = 0; i < n_rows; i++)
    if (!add_row (flow, import, &rows[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
add_hook (ImgImportFlow *flow, ImgImportImport *import, ImgImportHook *hook, GError **error)
{
  g_autofree char *name = g_strconcat (IMGIMPORT_TASK_HOOK, _imgimport_hook_get_name (hook), NULL);
  ImgImportImportTask *task = task_new (import);

  task->hook = _imgimport_plugin_ref (hook);
  task->before = g_strconcat (IMGIMPORT_VALUE_BEFORE, _imgimport_hook_get_name (hook), NULL);
  return imgimport_flow_add_task (flow, name, &_imgimport_task_hook, task, task_free, error) &&
         imgimport_flow_add_output (flow, name, task->before, error);
}

ImgImportFlow *
_imgimport_import_plan (ImgImportImport *self, GError **error)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new_linear ("import");
  ImgImportRegistry *hooks = self->service->hooks;
  guint i;

  if (!add_rows (flow, self, before_hooks, G_N_ELEMENTS (before_hooks), error))
    return NULL;
  for (i = 0; i < _imgimport_registry_get_size (hooks); i++)
    if (_imgimport_hook_has_metadata (_imgimport_registry_get (hooks, i)) &&
        !add_hook (flow, self, _imgimport_registry_get (hooks, i), error))
      return NULL;
  if (!add_rows (flow, self, after_hooks, G_N_ELEMENTS (after_hooks), error) ||
      !imgimport_flow_set_pivot (flow, PIVOT, error) ||
      !imgimport_flow_set_retry (flow, "complete", 5, 100, 2000, error))
    return NULL;
  return g_steal_pointer (&flow);
}
