/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* Follows predecessors that are on or behind a cycle until one comes again: those since then are
 * the cycle. */
static void
set_cycle_error (const ImgImportPlan *self, ImgImportFlow *flow, const guint32 *waiting,
                 GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree gboolean *seen = g_new0 (gboolean, self->n_tasks);
  guint32 task = 0;
  guint32 first;
  guint n = 0;

  while (waiting[task] == 0)
    task++;
  while (!seen[task])
    {
      guint32 i = self->before_start[task];

      seen[task] = TRUE;
      while (waiting[self->before[i]] == 0)
        i++;
      task = self->before[i];
    }
  first = task;
  do
    {
      guint32 i = self->before_start[task];

      if (n++ < IMGIMPORT_NAMES_MAX)
        g_string_append_printf (names, "“%s” comes after ",
                                _imgimport_flow_task (flow, task)->name);
      while (waiting[self->before[i]] == 0)
        i++;
      task = self->before[i];
    }
  while (task != first);
  if (n > IMGIMPORT_NAMES_MAX)
    g_string_append_printf (names, "%u more, then ", n - IMGIMPORT_NAMES_MAX);
  g_string_append_printf (names, "“%s”", _imgimport_flow_task (flow, first)->name);
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-cycle",
                        "flow “%s”: its tasks form a cycle: %s", flow->name, names->str);
}

gboolean
_imgimport_plan_check_order (const ImgImportPlan *self, ImgImportFlow *flow, GError **error)
{
  g_autofree guint32 *waiting = g_new (guint32, self->n_tasks);
  g_autofree guint32 *order = g_new (guint32, self->n_tasks);
  guint32 n_ordered = 0;
  guint32 i;

  for (i = 0; i < self->n_tasks; i++)
    {
      waiting[i] = self->before_start[i + 1] - self->before_start[i];
      if (waiting[i] == 0)
        order[n_ordered++] = i;
    }
  for (i = 0; i < n_ordered; i++)
    {
      guint32 j;

      for (j = self->after_start[order[i]]; j < self->after_start[order[i] + 1]; j++)
        if (--waiting[self->after[j]] == 0)
          order[n_ordered++] = self->after[j];
    }
  if (n_ordered == self->n_tasks)
    return TRUE;
  set_cycle_error (self, flow, waiting, error);
  return FALSE;
}

/* Marks what can be reached from the pivot along the given rows. */
static void
mark_from_pivot (const ImgImportPlan *self, const guint32 *start, const guint32 *rows,
                 gboolean *marked)
{
  g_autofree guint32 *stack = g_new (guint32, self->n_tasks);
  guint32 depth = 0;

  stack[depth++] = self->pivot;
  marked[self->pivot] = TRUE;
  while (depth > 0)
    {
      guint32 task = stack[--depth];
      guint32 i;

      for (i = start[task]; i < start[task + 1]; i++)
        if (!marked[rows[i]])
          {
            marked[rows[i]] = TRUE;
            stack[depth++] = rows[i];
          }
    }
}

static gboolean
is_optional (ImgImportFlow *flow, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (flow, task)->options;

  return options != NULL && options->optional;
}

gboolean
_imgimport_plan_check_pivot (const ImgImportPlan *self, ImgImportFlow *flow, GError **error)
{
  g_autofree gboolean *before = NULL;
  g_autofree gboolean *after = NULL;
  g_autoptr (GString) names = NULL;
  guint n = 0;
  guint32 i;

  if (self->pivot == IMGIMPORT_TASK_NONE)
    return TRUE;
  if (is_optional (flow, self->pivot))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-pivot",
                            "flow “%s”: its pivot “%s” cannot be optional", flow->name,
                            _imgimport_flow_task (flow, self->pivot)->name);
      return FALSE;
    }
  before = g_new0 (gboolean, self->n_tasks);
  after = g_new0 (gboolean, self->n_tasks);
  mark_from_pivot (self, self->before_start, self->before, before);
  mark_from_pivot (self, self->after_start, self->after, after);
  names = g_string_new (NULL);
  for (i = 0; i < self->n_tasks; i++)
    if (!before[i] && !after[i] && n++ < IMGIMPORT_NAMES_MAX)
      g_string_append_printf (names, "%s“%s”", n == 1 ? "" : ", ",
                              _imgimport_flow_task (flow, i)->name);
  if (n == 0)
    return TRUE;
  if (n > IMGIMPORT_NAMES_MAX)
    g_string_append_printf (names, " and %u more", n - IMGIMPORT_NAMES_MAX);
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-pivot",
                        "flow “%s”: neither before nor after its pivot “%s” come: %s", flow->name,
                        _imgimport_flow_task (flow, self->pivot)->name, names->str);
  return FALSE;
}
