/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

G_DEFINE_ENUM_TYPE (ImgImportTaskState, imgimport_task_state,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_PENDING, "pending"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_RUNNING, "running"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_SUCCESS, "success"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_FAILURE, "failure"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_REVERTING, "reverting"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_REVERTED, "reverted"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_REVERT_FAILED, "revert-failed"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_SKIPPED, "skipped"))

static const ImgImportFlowTask *
definition (ImgImportTask *self)
{
  return _imgimport_flow_task (self->run->flow, self->index);
}

static guint
count_outputs (ImgImportTask *self)
{
  const guint32 *start = self->run->plan->output_start + self->index;

  return start[1] - start[0];
}

const char *
imgimport_task_get_name (ImgImportTask *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return definition (self)->name;
}

guint
imgimport_task_get_attempt (ImgImportTask *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->attempt;
}

GVariant *
imgimport_task_get_input (ImgImportTask *self, const char *name)
{
  const ImgImportPlan *plan;
  guint32 i;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  plan = self->run->plan;
  for (i = plan->input_start[self->index]; i < plan->input_start[self->index + 1]; i++)
    if ((self->is_reverting || !plan->inputs[i].of_revert) &&
        g_str_equal (plan->inputs[i].name, name))
      return self->run->values[plan->inputs[i].value];
  return NULL;
}

static GVariant **
find_output (ImgImportTask *self, const char *name)
{
  const char **names = self->run->plan->outputs + self->run->plan->output_start[self->index];
  guint n_outputs = self->outputs != NULL ? count_outputs (self) : 0;
  guint i;

  for (i = 0; i < n_outputs; i++)
    if (g_str_equal (names[i], name))
      return self->outputs + i;
  return NULL;
}

GVariant *
imgimport_task_get_output (ImgImportTask *self, const char *name)
{
  GVariant **output;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  output = find_output (self, name);
  return output != NULL ? *output : NULL;
}

void
imgimport_task_set_output (ImgImportTask *self, const char *name, GVariant *value)
{
  g_autoptr (GVariant) owned = NULL;
  GVariant **output;

  g_return_if_fail (self != NULL);
  g_return_if_fail (name != NULL);
  g_return_if_fail (value != NULL);

  owned = g_variant_ref_sink (value);
  output = find_output (self, name);
  g_return_if_fail (output != NULL);
  g_return_if_fail (!self->is_reverting);

  self->is_recorded = FALSE;
  g_clear_pointer (output, g_variant_unref);
  *output = g_steal_pointer (&owned);
}

const GError *
imgimport_task_get_cause (ImgImportTask *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportRunError *first;

  g_return_val_if_fail (self != NULL, NULL);

  if (!self->is_reverting)
    return NULL;
  locker = _imgimport_locker_new (&self->run->lock);
  first =
      self->run->errors->len > 0 ? &g_array_index (self->run->errors, ImgImportRunError, 0) : NULL;
  return first != NULL && !first->is_warning ? first->error : NULL;
}

/* The name of the first output that was not set; NULL for none. */
static const char *
missing_output (ImgImportTask *self)
{
  const guint32 *start = self->run->plan->output_start + self->index;
  guint32 i;

  for (i = start[0]; i < start[1]; i++)
    if (self->outputs[i - start[0]] == NULL)
      return self->run->plan->outputs[i];
  return NULL;
}

/* NULL where it would be too large. */
static GByteArray *
success_record (ImgImportTask *self)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_SUCCESS, .task = self->index };

  record.outputs = self->outputs;
  record.n_outputs = count_outputs (self);
  return _imgimport_flow_record_append (&record, bytes) ? g_steal_pointer (&bytes) : NULL;
}

GBytes *
imgimport_task_dup_outcome_record (ImgImportTask *self)
{
  GByteArray *record;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (!self->is_reverting, NULL);
  g_return_val_if_fail (missing_output (self) == NULL, NULL);

  record = success_record (self);
  if (record == NULL)
    return NULL;
  self->is_recorded = TRUE;
  return g_byte_array_free_to_bytes (record);
}

/* What stands in the way of success after execute said TRUE. */
static void
check_success (ImgImportTask *self, ImgImportOutcome *outcome)
{
  const char *missing = missing_output (self);
  const char *name = definition (self)->name;

  if (missing != NULL)
    {
      _imgimport_set_error (&outcome->error, IMGIMPORT_ERROR_PLUGIN, "output-missing",
                            "task “%s”: it did not set its output “%s”", name, missing);
      return;
    }
  if (self->run->log.journal == NULL || self->is_recorded)
    return;
  outcome->record = success_record (self);
  if (outcome->record == NULL)
    _imgimport_set_error (&outcome->error, IMGIMPORT_ERROR_LIMIT, "output-too-large",
                          "task “%s”: its outputs do not fit into a journal record of 1 MiB", name);
}

static void
clear_outputs (ImgImportTask *self)
{
  guint n_outputs = count_outputs (self);
  guint i;

  for (i = 0; i < n_outputs; i++)
    g_clear_pointer (&self->outputs[i], g_variant_unref);
}

void
_imgimport_task_conclude (ImgImportTask *self, gboolean ok, ImgImportOutcome *outcome)
{
  if (ok)
    {
      g_clear_error (&outcome->error);
      check_success (self, outcome);
    }
  else
    _imgimport_error_normalize (&outcome->error, "task “%s”", definition (self)->name);
  if (outcome->error != NULL)
    clear_outputs (self);
}

void
_imgimport_task_execute (ImgImportTask *self, GCancellable *cancellable, ImgImportOutcome *outcome)
{
  const ImgImportFlowTask *task = definition (self);
  gboolean ok = task->vtable.execute (task->user_data, self, cancellable, &outcome->error);

  _imgimport_task_conclude (self, ok, outcome);
}

void
_imgimport_task_revert (ImgImportTask *self, GCancellable *cancellable, ImgImportOutcome *outcome)
{
  const ImgImportFlowTask *task = definition (self);

  if (task->vtable.revert (task->user_data, self, cancellable, &outcome->error))
    g_clear_error (&outcome->error);
  else
    _imgimport_error_normalize (&outcome->error, "revert of task “%s”", task->name);
}
