/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* Why a task is not running. */

#define NAMES_MAX 3

static gboolean
holds_up (const ImgImportRun *self, guint32 task)
{
  const ImgImportSlot *slot = &self->slots[task];

  return slot->state == IMGIMPORT_TASK_PENDING || slot->state == IMGIMPORT_TASK_RUNNING;
}

static char *
explain_waiting (ImgImportRun *self, guint32 task)
{
  const ImgImportPlan *plan = self->plan;
  GString *text = g_string_new ("waits for");
  guint n = 0;
  guint32 i;

  for (i = plan->before_start[task]; i < plan->before_start[task + 1]; i++)
    {
      if (!holds_up (self, plan->before[i]))
        continue;
      if (n < NAMES_MAX)
        g_string_append_printf (text, "%s “%s”", n > 0 ? "," : "",
                                _imgimport_flow_task (self->flow, plan->before[i])->name);
      n++;
    }
  if (n > NAMES_MAX)
    g_string_append_printf (text, " and %u more", n - NAMES_MAX);
  return g_string_free (text, FALSE);
}

static gint64
in_ms (ImgImportRun *self, gint64 due_us)
{
  return MAX (0, due_us - _imgimport_run_now_us (self)) / 1000;
}

/* It waits for the next attempt, for room, or, with no time to wait for, to take the room there is.
 */
static char *
explain_delayed (ImgImportRun *self, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;
  const ImgImportExtra *extra = _imgimport_run_peek_extra (self, task);
  gint64 due_us = _imgimport_pool_get_due (self->pool, self, task);

  if (due_us == G_MAXINT64)
    return g_strdup ("ready: waits until fewer tasks of its class run");
  if (due_us == 0)
    return g_strdup ("ready: waits for a thread");
  /* Attempts with alternatives before this one count too. */
  return g_strdup_printf ("attempt %u of %" G_GUINT64_FORMAT " in %" G_GINT64_FORMAT " ms",
                          self->slots[task].attempt + 1,
                          (guint64)extra->n_before + options->retry.attempts, in_ms (self, due_us));
}

/* Of a run that goes forward. */
static char *
explain_pending (ImgImportRun *self, guint32 task)
{
  if (self->slots[task].delayed)
    return explain_delayed (self, task);
  if (self->slots[task].waiting > 0)
    return explain_waiting (self, task);
  return g_strdup ("ready: waits for a thread");
}

static char *
explain_left (ImgImportRun *self, guint32 task)
{
  const ImgImportRunError *cause =
      self->errors->len > 0 ? &g_array_index (self->errors, ImgImportRunError, 0) : NULL;

  if (self->is_cancelled)
    return g_strdup ("the run was cancelled: it will not begin");
  if (self->phase == IMGIMPORT_PHASE_INTERRUPTING || self->state == IMGIMPORT_RUN_INTERRUPTED)
    return g_strdup_printf ("the run was interrupted before it was done: %s",
                            cause != NULL ? cause->error->message : "");
  if (cause == NULL)
    return g_strdup ("the run is over: it has not begun");
  if (cause->task == IMGIMPORT_TASK_NONE)
    return g_strdup_printf ("the run was ended: it will not begin: %s", cause->error->message);
  return g_strdup_printf ("task “%s” failed: it will not begin",
                          _imgimport_flow_task (self->flow, cause->task)->name);
}

static char *
explain_success (ImgImportRun *self, guint32 task)
{
  const ImgImportPlan *plan = self->plan;
  guint32 i;

  if (self->phase != IMGIMPORT_PHASE_REVERTING ||
      self->slots[task].intention != IMGIMPORT_INTENTION_REVERT)
    return g_strdup ("done");
  for (i = plan->after_start[task]; i < plan->after_start[task + 1]; i++)
    if (self->slots[task].waiting > 0 &&
        self->slots[plan->after[i]].intention == IMGIMPORT_INTENTION_REVERT &&
        self->slots[plan->after[i]].state != IMGIMPORT_TASK_REVERTED)
      return g_strdup_printf ("done: waits with its revert for that of “%s”",
                              _imgimport_flow_task (self->flow, plan->after[i])->name);
  if (self->slots[task].delayed)
    return g_strdup ("done: its revert waits until fewer tasks of its class run");
  return g_strdup ("done: its revert waits for a thread");
}

static char *
explain_reverting (ImgImportRun *self, guint32 task)
{
  gint64 due_us;

  if (!self->slots[task].delayed)
    return g_strdup ("it is being reverted");
  due_us = _imgimport_pool_get_due (self->pool, self, task);
  if (due_us == G_MAXINT64)
    return g_strdup ("its revert failed: waits until fewer tasks of its class run");
  return g_strdup_printf ("its revert failed: it is tried again in %" G_GINT64_FORMAT " ms",
                          in_ms (self, due_us));
}

/* It has not begun, or is to be tried again. */
static char *
explain_not_begun (ImgImportRun *self, guint32 task)
{
  if (self->state == IMGIMPORT_RUN_SUSPENDED)
    return g_strdup ("the run is suspended");
  if (self->is_suspending)
    return g_strdup ("the run is being suspended");
  if (self->phase == IMGIMPORT_PHASE_PENDING)
    return g_strdup ("the run has not been started");
  return self->phase == IMGIMPORT_PHASE_EXECUTING ? explain_pending (self, task)
                                                  : explain_left (self, task);
}

static char *
explain (ImgImportRun *self, guint32 task)
{
  switch (self->slots[task].state)
    {
    case IMGIMPORT_TASK_PENDING:
      return explain_not_begun (self, task);
    case IMGIMPORT_TASK_RUNNING:
      return g_strdup_printf ("it is running: attempt %u", self->slots[task].attempt);
    case IMGIMPORT_TASK_SUCCESS:
      return explain_success (self, task);
    case IMGIMPORT_TASK_FAILURE:
      return g_strdup_printf ("it failed in attempt %u", self->slots[task].attempt);
    case IMGIMPORT_TASK_REVERTING:
      return explain_reverting (self, task);
    case IMGIMPORT_TASK_REVERTED:
      return g_strdup ("it was reverted");
    case IMGIMPORT_TASK_REVERT_FAILED:
      return g_strdup ("its revert failed");
    case IMGIMPORT_TASK_SKIPPED:
      return g_strdup (self->slots[task].attempt > 0 ? "it is optional and failed"
                                                     : "its condition, or that of a task before "
                                                       "it, said that it is not to be run");
    default:
      return g_strdup ("its state is not known");
    }
}

char *
imgimport_run_explain (ImgImportRun *self, const char *task, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  guint32 index;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);
  g_return_val_if_fail (task != NULL, NULL);

  index = _imgimport_flow_find (self->flow, task, error);
  if (index == IMGIMPORT_TASK_NONE)
    return NULL;
  locker = _imgimport_locker_new (&self->lock);
  return explain (self, index);
}
