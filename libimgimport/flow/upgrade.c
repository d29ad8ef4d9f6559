/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * A definition is (u u a(sas)): the version, the place of the pivot, and for each task its name and
 * those of its outputs. An older one is put beside the flow by these names.
 */
#define DEFINITION_TYPE "(uua(sas))"

struct _ImgImportUpgrade
{
  ImgImportFlow *flow;
  GVariant *tasks;
  guint32 n_tasks;
  guint32 pivot; /* IMGIMPORT_TASK_NONE: none */
};

gboolean
imgimport_flow_set_version (ImgImportFlow *self, guint version, ImgImportUpgradeFunc upgrade,
                            gpointer user_data, GDestroyNotify destroy, GError **error)
{
  gboolean ok;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);

  ok = _imgimport_flow_check_open (self, error);
  if (ok && version == 0)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "version-invalid",
                            "flow “%s”: versions begin with 1", self->name);
      ok = FALSE;
    }
  if (!ok)
    {
      if (destroy != NULL)
        destroy (user_data);
      return FALSE;
    }
  if (self->upgrade_destroy != NULL)
    self->upgrade_destroy (self->upgrade_data);
  self->version = version;
  self->upgrade = upgrade;
  self->upgrade_data = user_data;
  self->upgrade_destroy = destroy;
  return TRUE;
}

GVariant *
_imgimport_flow_define (ImgImportFlow *self)
{
  const ImgImportPlan *plan = self->plan;
  GVariantBuilder builder;
  guint32 i;

  if (self->version == 0)
    return NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE (DEFINITION_TYPE));
  g_variant_builder_add (&builder, "u", self->version);
  g_variant_builder_add (&builder, "u", plan->pivot);
  g_variant_builder_open (&builder, G_VARIANT_TYPE ("a(sas)"));
  for (i = 0; i < plan->n_tasks; i++)
    {
      guint32 j;

      g_variant_builder_open (&builder, G_VARIANT_TYPE ("(sas)"));
      g_variant_builder_add (&builder, "s", _imgimport_flow_task (self, i)->name);
      g_variant_builder_open (&builder, G_VARIANT_TYPE ("as"));
      for (j = plan->output_start[i]; j < plan->output_start[i + 1]; j++)
        g_variant_builder_add (&builder, "s", plan->outputs[j]);
      g_variant_builder_close (&builder);
      g_variant_builder_close (&builder);
    }
  g_variant_builder_close (&builder);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

ImgImportUpgrade *
_imgimport_upgrade_new (ImgImportFlow *flow, GVariant *definition)
{
  ImgImportUpgrade *self;
  guint version;

  if (flow->upgrade == NULL || !g_variant_is_of_type (definition, G_VARIANT_TYPE (DEFINITION_TYPE)))
    return NULL;
  g_variant_get_child (definition, 0, "u", &version);
  if (!flow->upgrade (flow, version, flow->upgrade_data))
    return NULL;
  self = g_new0 (ImgImportUpgrade, 1);
  self->flow = flow;
  g_variant_get_child (definition, 1, "u", &self->pivot);
  self->tasks = g_variant_get_child_value (definition, 2);
  self->n_tasks = (guint32)g_variant_n_children (self->tasks);
  return self;
}

void
_imgimport_upgrade_free (ImgImportUpgrade *self)
{
  g_variant_unref (self->tasks);
  g_free (self);
}

gboolean
_imgimport_upgrade_is_plausible (const ImgImportUpgrade *self, const ImgImportFlowRecord *record)
{
  g_autofree const char **outputs = NULL;

  if (record->task >= self->n_tasks)
    return FALSE;
  if (record->type != IMGIMPORT_FLOW_RECORD_SUCCESS)
    return TRUE;
  g_variant_get_child (self->tasks, record->task, "(&s^a&s)", NULL, &outputs);
  return record->n_outputs == g_strv_length ((char **)outputs);
}

static gboolean
has_outputs (const ImgImportPlan *plan, guint32 task, const char *const *names)
{
  guint32 i;

  for (i = plan->output_start[task]; i < plan->output_start[task + 1]; i++)
    if (!g_strv_contains (names, plan->outputs[i]))
      return FALSE;
  return TRUE;
}

/* Where the pivot was passed, or may have been, another one would have undone what must stand; and
 * what had been done without one may be undone by now. */
gboolean
_imgimport_upgrade_keeps_pivot (const ImgImportUpgrade *self, const ImgImportFlowRecord *record)
{
  const ImgImportPlan *plan = self->flow->plan;
  g_autofree const char **outputs = NULL;
  gboolean was_pivot = record->task == self->pivot;
  gboolean is_pivot;
  const char *name;
  guint32 task;

  if (record->type != IMGIMPORT_FLOW_RECORD_BEGUN && record->type != IMGIMPORT_FLOW_RECORD_SUCCESS)
    return TRUE;
  g_variant_get_child (self->tasks, record->task, "(&s^a&s)", &name, &outputs);
  task = _imgimport_flow_find (self->flow, name, NULL);
  is_pivot = task != IMGIMPORT_TASK_NONE && task == plan->pivot;
  if (record->type == IMGIMPORT_FLOW_RECORD_BEGUN)
    return !was_pivot || is_pivot;
  return was_pivot == is_pivot && (!is_pivot || has_outputs (plan, task, outputs));
}

static GVariant *
find_output (const ImgImportFlowRecord *record, const char *const *names, const char *name)
{
  guint i;

  for (i = 0; i < record->n_outputs; i++)
    if (g_str_equal (names[i], name))
      return g_variant_ref (record->outputs[i]);
  return NULL;
}

/* The outputs in the order of this flow. Where one is missing, the task counts as begun. */
static void
arrange_outputs (const ImgImportPlan *plan, ImgImportFlowRecord *record, guint32 task,
                 const char *const *names)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  guint32 i;

  for (i = plan->output_start[task]; i < plan->output_start[task + 1]; i++)
    {
      GVariant *value = find_output (record, names, plan->outputs[i]);

      if (value == NULL)
        {
          record->type = IMGIMPORT_FLOW_RECORD_BEGUN;
          record->number = 1;
          return;
        }
      g_ptr_array_add (values, value);
    }
  _imgimport_flow_record_clear (record);
  record->n_outputs = values->len;
  record->outputs = (GVariant **)g_ptr_array_steal (values, NULL);
}

gboolean
_imgimport_upgrade_record (const ImgImportUpgrade *self, ImgImportFlowRecord *record)
{
  g_autofree const char **outputs = NULL;
  const char *name;
  guint32 task;

  if (record->task == IMGIMPORT_TASK_NONE)
    return TRUE;
  g_variant_get_child (self->tasks, record->task, "(&s^a&s)", &name, &outputs);
  task = _imgimport_flow_find (self->flow, name, NULL);
  if (task == IMGIMPORT_TASK_NONE)
    {
      /* What failed is gone; that the run has failed, or was not reverted as a whole, is not. */
      record->task = IMGIMPORT_TASK_NONE;
      if (record->type == IMGIMPORT_FLOW_RECORD_FAILURE)
        record->type = IMGIMPORT_FLOW_RECORD_RUN_FAILED;
      return record->type == IMGIMPORT_FLOW_RECORD_RUN_FAILED ||
             record->type == IMGIMPORT_FLOW_RECORD_REVERT_FAILED;
    }
  if (record->type == IMGIMPORT_FLOW_RECORD_SUCCESS)
    arrange_outputs (self->flow->plan, record, task, outputs);
  record->task = task;
  return TRUE;
}
