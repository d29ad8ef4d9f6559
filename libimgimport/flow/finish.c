/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What comes of an attempt. */

/* Makes ready what waited for the task only; answers one of them for this thread. */
static guint32
release_successors (ImgImportRun *self, guint32 task)
{
  const ImgImportPlan *plan = self->plan;
  guint32 next = IMGIMPORT_TASK_NONE;
  guint32 i;

  for (i = plan->after_start[task]; i < plan->after_start[task + 1]; i++)
    {
      guint32 successor = plan->after[i];

      /* It may be skipped, or done already where the flow was another then. */
      if (--self->slots[successor].waiting > 0 ||
          self->slots[successor].state != IMGIMPORT_TASK_PENDING)
        continue;
      if (next == IMGIMPORT_TASK_NONE)
        next = successor;
      else
        _imgimport_run_push (self, successor);
    }
  return next;
}

static guint32
succeed (ImgImportRun *self, guint32 task, const GByteArray *record)
{
  self->slots[task].state = IMGIMPORT_TASK_SUCCESS;
  _imgimport_run_watch_task (self, task);
  self->n_left--;
  if (record != NULL)
    _imgimport_run_note_bytes (self, record);
  if (task == self->plan->pivot)
    {
      /* A cancellation that came too late for the pivot has no effect. */
      _imgimport_run_pass_pivot (self);
      self->log.is_durable |= record != NULL;
      if (self->phase == IMGIMPORT_PHASE_STOPPING)
        self->phase = IMGIMPORT_PHASE_EXECUTING;
      _imgimport_run_arm_budget (self);
    }
  if (self->phase != IMGIMPORT_PHASE_EXECUTING)
    return IMGIMPORT_TASK_NONE;
  return release_successors (self, task);
}

static gboolean
is_optional (ImgImportRun *self, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;

  return options != NULL && options->optional;
}

/* A task that is not tried again. Takes `error`. */
static guint32
fail_for_good (ImgImportRun *self, guint32 task, GError *error)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_FAILURE,
                                 .task = task,
                                 .error = error };
  gboolean optional = is_optional (self, task);

  if (optional)
    record.type = IMGIMPORT_FLOW_RECORD_SKIPPED;
  self->slots[task].state = optional ? IMGIMPORT_TASK_SKIPPED : IMGIMPORT_TASK_FAILURE;
  _imgimport_run_watch_task (self, task);
  self->n_left--;
  if (self->phase == IMGIMPORT_PHASE_STOPPING && imgimport_error_is_cancelled (error))
    {
      g_error_free (error);
      return IMGIMPORT_TASK_NONE;
    }
  _imgimport_run_note (self, &record);
  _imgimport_run_add_error (self, task, error);
  if (self->is_past_pivot || (optional && self->phase == IMGIMPORT_PHASE_EXECUTING))
    return release_successors (self, task);
  if (!optional)
    _imgimport_run_stop (self);
  return IMGIMPORT_TASK_NONE;
}

/* Takes `error`. */
static guint32
fail (ImgImportRun *self, guint32 task, GError *error)
{
  if (self->phase == IMGIMPORT_PHASE_INTERRUPTING || _imgimport_run_retry (self, task, error))
    {
      /* Begun, and not finished: it will be executed again. */
      self->slots[task].state = IMGIMPORT_TASK_PENDING;
      _imgimport_run_watch_task (self, task);
      g_error_free (error);
      return IMGIMPORT_TASK_NONE;
    }
  if (self->is_giving_up && imgimport_error_is_cancelled (error))
    {
      g_error_free (error);
      self->slots[task].state = IMGIMPORT_TASK_PENDING;
      _imgimport_run_watch_task (self, task);
      return _imgimport_run_give_up (self, task);
    }
  return fail_for_good (self, task, error);
}

guint32
_imgimport_run_give_up (ImgImportRun *self, guint32 task)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_FAILURE, .task = task };

  _imgimport_set_error (&record.error, IMGIMPORT_ERROR_TIMED_OUT, "budget-exhausted",
                        "task “%s”: the time for what comes after the pivot is used up",
                        _imgimport_flow_task (self->flow, task)->name);
  _imgimport_run_note (self, &record);
  self->slots[task].state = IMGIMPORT_TASK_FAILURE;
  _imgimport_run_watch_task (self, task);
  self->n_left--;
  _imgimport_run_add_error (self, task, record.error);
  return release_successors (self, task);
}

void
_imgimport_run_skip (ImgImportRun *self, guint32 task)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_SKIPPED, .task = task };

  _imgimport_run_note (self, &record);
  _imgimport_run_mark_skipped (self, task);
}

/* What comes after it has not begun, for it waits for this; or it is done, where the flow was
 * another then. */
void
_imgimport_run_mark_skipped (ImgImportRun *self, guint32 task)
{
  const ImgImportPlan *plan = self->plan;
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_array_append_val (stack, task);
  while (stack->len > 0)
    {
      task = g_array_index (stack, guint32, stack->len - 1);
      g_array_set_size (stack, stack->len - 1);
      if (self->slots[task].state != IMGIMPORT_TASK_PENDING)
        continue;
      self->slots[task].state = IMGIMPORT_TASK_SKIPPED;
      _imgimport_run_watch_task (self, task);
      self->n_left--;
      g_array_append_vals (stack, plan->after + plan->after_start[task],
                           plan->after_start[task + 1] - plan->after_start[task]);
    }
}

void
_imgimport_run_leave_class (ImgImportRun *self, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;

  if (options != NULL && options->task_class != IMGIMPORT_TASK_CLASS_ANY)
    _imgimport_pool_release (self->pool, (ImgImportTaskClass)options->task_class);
}

guint32
_imgimport_run_finish (ImgImportRun *self, guint32 task, gboolean reverting,
                       ImgImportOutcome *outcome)
{
  guint32 next = IMGIMPORT_TASK_NONE;

  self->n_busy--;
  self->crowd.n_finished++;
  if (_imgimport_flow_task (self->flow, task)->options != NULL)
    {
      _imgimport_run_leave_class (self, task);
      _imgimport_run_disarm (self, task, outcome);
    }
  if (reverting)
    _imgimport_run_finish_revert (self, task, outcome->error);
  else if (outcome->error != NULL)
    next = fail (self, task, outcome->error);
  else
    next = succeed (self, task, outcome->record);
  g_clear_pointer (&outcome->record, g_byte_array_unref);
  return next;
}
