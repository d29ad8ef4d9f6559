/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

G_DEFINE_ENUM_TYPE (ImgImportTaskClass, imgimport_task_class,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_CLASS_ANY, "any"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_CLASS_NETWORK, "network"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_CLASS_DISK, "disk"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_TASK_CLASS_CPU, "cpu"))

static void
condition_clear (gpointer data)
{
  ImgImportCondition *self = data;

  if (self->destroy != NULL)
    self->destroy (self->user_data);
}

static void
condition_unref (ImgImportCondition *self)
{
  g_atomic_rc_box_release_full (self, condition_clear);
}

static void
options_clear (gpointer data)
{
  ImgImportTaskOptions *self = data;

  g_clear_pointer (&self->final_reasons, g_ptr_array_unref);
  g_clear_pointer (&self->alternatives, g_ptr_array_unref);
  g_clear_pointer (&self->condition, condition_unref);
}

void
_imgimport_task_options_unref (ImgImportTaskOptions *self)
{
  g_atomic_rc_box_release_full (self, options_clear);
}

static gpointer
copy_reason (gconstpointer reason, gpointer user_data)
{
  return g_strdup (reason);
}

/* Options that another flow has too are not changed but replaced. */
static ImgImportTaskOptions *
options_copy (const ImgImportTaskOptions *other)
{
  ImgImportTaskOptions *self = g_atomic_rc_box_new0 (ImgImportTaskOptions);

  *self = *other;
  if (self->final_reasons != NULL)
    self->final_reasons = g_ptr_array_copy (self->final_reasons, copy_reason, NULL);
  if (self->alternatives != NULL)
    g_ptr_array_ref (self->alternatives);
  if (self->condition != NULL)
    g_atomic_rc_box_acquire (self->condition);
  self->is_shared = FALSE;
  return self;
}

static ImgImportTaskOptions *
options_of (ImgImportFlow *self, guint32 task)
{
  ImgImportFlowTask *definition = _imgimport_flow_task (self, task);
  ImgImportTaskOptions *shared = definition->options;

  if (shared == NULL)
    definition->options = g_atomic_rc_box_new0 (ImgImportTaskOptions);
  else if (shared->is_shared)
    {
      definition->options = options_copy (shared);
      _imgimport_task_options_unref (shared);
    }
  return definition->options;
}

static ImgImportTaskOptions *
get_options (ImgImportFlow *self, const char *name, GError **error)
{
  guint32 index;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  index = _imgimport_flow_find_task (self, name, error);
  return index != IMGIMPORT_TASK_NONE ? options_of (self, index) : NULL;
}

static gboolean
refuse (ImgImportFlow *self, const char *task, const char *reason, const char *why, GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, reason, "flow “%s”: task “%s” %s",
                        self->name, task, why);
  return FALSE;
}

static gboolean
set_retry (ImgImportRetry *retry, guint attempts, guint delay_ms, guint max_delay_ms)
{
  retry->attempts = attempts;
  retry->delay_ms = delay_ms;
  retry->max_delay_ms = max_delay_ms;
  return TRUE;
}

gboolean
imgimport_flow_set_retry (ImgImportFlow *self, const char *task, guint attempts, guint delay_ms,
                          guint max_delay_ms, GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  if (attempts == 0)
    return refuse (self, task, "retry-invalid", "needs at least one attempt", error);
  return set_retry (&options->retry, attempts, delay_ms, max_delay_ms);
}

gboolean
imgimport_flow_set_revert_retry (ImgImportFlow *self, const char *task, guint attempts,
                                 guint delay_ms, guint max_delay_ms, GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  if (attempts == 0)
    return refuse (self, task, "retry-invalid", "needs at least one attempt", error);
  return set_retry (&options->revert_retry, attempts, delay_ms, max_delay_ms);
}

gboolean
imgimport_flow_set_retry_jitter (ImgImportFlow *self, const char *task, guint percent, guint64 seed,
                                 GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  if (percent > 100)
    return refuse (self, task, "retry-invalid", "cannot have a jitter of more than 100 %", error);
  options->retry.jitter_percent = percent;
  options->retry.seed = seed;
  return TRUE;
}

gboolean
imgimport_flow_set_retry_elapsed (ImgImportFlow *self, const char *task, guint elapsed_ms,
                                  GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  options->retry.elapsed_ms = elapsed_ms;
  return TRUE;
}

gboolean
imgimport_flow_add_final_reason (ImgImportFlow *self, const char *task, const char *reason,
                                 GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  g_return_val_if_fail (reason != NULL, FALSE);

  if (options == NULL)
    return FALSE;
  if (options->final_reasons == NULL)
    options->final_reasons = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (options->final_reasons, g_strdup (reason));
  return TRUE;
}

gboolean
imgimport_flow_set_alternatives (ImgImportFlow *self, const char *task, GVariant *values,
                                 GError **error)
{
  g_autoptr (GVariant) owned = NULL;
  ImgImportTaskOptions *options;
  gsize i;

  g_return_val_if_fail (values != NULL, FALSE);

  owned = g_variant_ref_sink (values);
  options = get_options (self, task, error);
  if (options == NULL)
    return FALSE;
  if (!g_variant_type_is_array (g_variant_get_type (owned)) || g_variant_n_children (owned) == 0)
    return refuse (self, task, "alternatives-invalid", "needs an array of at least one alternative",
                   error);
  g_clear_pointer (&options->alternatives, g_ptr_array_unref);
  options->alternatives = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  for (i = 0; i < g_variant_n_children (owned); i++)
    g_ptr_array_add (options->alternatives, g_variant_get_child_value (owned, i));
  return TRUE;
}

gboolean
imgimport_flow_set_timeout (ImgImportFlow *self, const char *task, guint timeout_ms, guint stall_ms,
                            GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  options->timeout_ms = timeout_ms;
  options->stall_ms = stall_ms;
  return TRUE;
}

gboolean
imgimport_flow_set_revert_timeout (ImgImportFlow *self, const char *task, guint timeout_ms,
                                   GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  options->revert_timeout_ms = timeout_ms;
  return TRUE;
}

gboolean
imgimport_flow_set_class (ImgImportFlow *self, const char *task, ImgImportTaskClass task_class,
                          GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  if ((guint)task_class > IMGIMPORT_TASK_CLASS_CPU)
    return refuse (self, task, "class-invalid", "cannot have a class that is not there", error);
  options->task_class = (guint8)task_class;
  return TRUE;
}

gboolean
imgimport_flow_set_weight (ImgImportFlow *self, const char *task, guint weight, GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  if (weight == 0)
    return refuse (self, task, "weight-invalid", "needs a weight of at least 1", error);
  options->weight = weight;
  return TRUE;
}

gboolean
imgimport_flow_set_optional (ImgImportFlow *self, const char *task, gboolean optional,
                             GError **error)
{
  ImgImportTaskOptions *options = get_options (self, task, error);

  if (options == NULL)
    return FALSE;
  options->optional = optional ? 1 : 0;
  return TRUE;
}

gboolean
imgimport_flow_set_condition (ImgImportFlow *self, const char *task, ImgImportConditionFunc func,
                              gpointer user_data, GDestroyNotify destroy, GError **error)
{
  ImgImportTaskOptions *options;
  guint32 index;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (task != NULL, FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  index = _imgimport_flow_find_open (self, task, error);
  if (index == IMGIMPORT_TASK_NONE)
    {
      if (destroy != NULL)
        destroy (user_data);
      return FALSE;
    }
  options = options_of (self, _imgimport_flow_get_entry (self, index));
  g_clear_pointer (&options->condition, condition_unref);
  options->condition = g_atomic_rc_box_new0 (ImgImportCondition);
  options->condition->func = func;
  options->condition->user_data = user_data;
  options->condition->destroy = destroy;
  return TRUE;
}

gboolean
imgimport_flow_set_deadline (ImgImportFlow *self, guint64 deadline_ms, GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);

  if (!_imgimport_flow_check_open (self, error))
    return FALSE;
  self->deadline_ms = deadline_ms;
  return TRUE;
}

gboolean
imgimport_flow_set_budget (ImgImportFlow *self, guint64 budget_ms, GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);

  if (!_imgimport_flow_check_open (self, error))
    return FALSE;
  self->budget_ms = budget_ms;
  return TRUE;
}

gboolean
imgimport_flow_set_cancel_grace (ImgImportFlow *self, guint grace_ms, GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);

  if (!_imgimport_flow_check_open (self, error))
    return FALSE;
  self->grace_ms = grace_ms;
  return TRUE;
}
