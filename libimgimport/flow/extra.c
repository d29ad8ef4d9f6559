/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What few tasks of a run need, and what has to be done in time. */

#define ABANDONED "task-abandoned"
#define REVERT_LATE "revert-timed-out"

void
_imgimport_extra_free (gpointer data)
{
  ImgImportExtra *self = data;

  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->checkpoint, g_variant_unref);
  g_free (self);
}

ImgImportExtra *
_imgimport_run_peek_extra (ImgImportRun *self, guint32 task)
{
  return self->extras != NULL ? g_hash_table_lookup (self->extras, GUINT_TO_POINTER (task)) : NULL;
}

ImgImportExtra *
_imgimport_run_get_extra (ImgImportRun *self, guint32 task)
{
  ImgImportExtra *extra = _imgimport_run_peek_extra (self, task);

  if (extra != NULL)
    return extra;
  if (self->extras == NULL)
    self->extras = g_hash_table_new_full (NULL, NULL, NULL, _imgimport_extra_free);
  extra = g_new0 (ImgImportExtra, 1);
  extra->retry_after_us = -1;
  extra->first_us = G_MININT64;
  g_hash_table_insert (self->extras, GUINT_TO_POINTER (task), extra);
  return extra;
}

static void
add_alarm (ImgImportRun *self, ImgImportTimerKind kind, guint32 task, gint64 due_us)
{
  ImgImportTimer alarm = { .due_us = due_us, .run = self, .task = task, .kind = kind };

  if (kind == IMGIMPORT_TIMER_REVERT)
    alarm.attempt = _imgimport_run_get_extra (self, task)->n_reverts;
  else if (task != IMGIMPORT_TASK_NONE)
    alarm.attempt = self->slots[task].attempt;
  self->has_alarms = TRUE;
  _imgimport_pool_add_alarm (self->pool, &alarm);
}

static gint64
later_us (gint64 now_us, guint64 delay_ms)
{
  return delay_ms > (guint64)(G_MAXINT64 - now_us) / 1000 ? G_MAXINT64
                                                          : now_us + (gint64)delay_ms * 1000;
}

void
_imgimport_run_note_first (ImgImportRun *self, guint32 task)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_FIRST, .task = task };
  ImgImportExtra *extra;

  if (_imgimport_flow_task (self->flow, task)->options->retry.elapsed_ms == 0)
    return;
  extra = _imgimport_run_get_extra (self, task);
  if (extra->first_wall_us != 0)
    return;
  extra->first_wall_us = _imgimport_clock_wall_us (_imgimport_pool_get_clock (self->pool));
  record.number = (guint64)extra->first_wall_us;
  _imgimport_run_note (self, &record);
}

/* Another process may have made the first attempt. */
static gint64
first_us (ImgImportRun *self, const ImgImportExtra *extra, gint64 now_us)
{
  gint64 wall_us = _imgimport_clock_wall_us (_imgimport_pool_get_clock (self->pool));

  return now_us - (extra->first_wall_us != 0 ? MAX (wall_us - extra->first_wall_us, 0) : 0);
}

static void
arm_revert (ImgImportRun *self, guint32 task, guint timeout_ms)
{
  ImgImportExtra *extra = _imgimport_run_get_extra (self, task);

  extra->cancellable = g_cancellable_new ();
  add_alarm (self, IMGIMPORT_TIMER_REVERT, task,
             later_us (_imgimport_run_now_us (self), timeout_ms));
}

void
_imgimport_run_arm (ImgImportRun *self, guint32 task, gboolean reverting)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;
  ImgImportExtra *extra;
  gint64 now_us;

  if (reverting && options->revert_timeout_ms > 0)
    arm_revert (self, task, options->revert_timeout_ms);
  if (reverting ||
      (options->retry.elapsed_ms == 0 && options->timeout_ms == 0 && options->stall_ms == 0))
    return;
  extra = _imgimport_run_get_extra (self, task);
  now_us = _imgimport_run_now_us (self);
  if (extra->first_us == G_MININT64)
    extra->first_us = first_us (self, extra, now_us);
  extra->alive_us = now_us;
  if (options->timeout_ms == 0 && options->stall_ms == 0)
    return;
  extra->cancellable = g_cancellable_new ();
  if (options->timeout_ms > 0)
    add_alarm (self, IMGIMPORT_TIMER_TIMEOUT, task, later_us (now_us, options->timeout_ms));
  if (options->stall_ms > 0)
    add_alarm (self, IMGIMPORT_TIMER_STALL, task, later_us (now_us, options->stall_ms));
}

static GError *
late_error (ImgImportRun *self, guint32 task, const char *reason)
{
  const char *name = _imgimport_flow_task (self->flow, task)->name;
  GError *error = NULL;

  if (g_str_equal (reason, ABANDONED))
    _imgimport_set_error (&error, IMGIMPORT_ERROR_TIMED_OUT, reason,
                          "task “%s”: it did not end within %u ms of being told to: what it still "
                          "does is not known",
                          name, self->flow->grace_ms);
  else if (g_str_equal (reason, REVERT_LATE))
    _imgimport_set_error (&error, IMGIMPORT_ERROR_TIMED_OUT, reason,
                          "revert of task “%s”: it was not done in time", name);
  else
    _imgimport_set_error (&error, IMGIMPORT_ERROR_TIMED_OUT, reason,
                          "task “%s”: its attempt %u was not done in time", name,
                          self->slots[task].attempt);
  return error;
}

void
_imgimport_run_disarm (ImgImportRun *self, guint32 task, ImgImportOutcome *outcome)
{
  ImgImportExtra *extra = _imgimport_run_peek_extra (self, task);
  const char *timed_out;

  if (extra == NULL)
    return;
  g_clear_object (&extra->cancellable);
  timed_out = g_steal_pointer (&extra->timed_out);
  if (timed_out == NULL || outcome->error == NULL ||
      (self->phase != IMGIMPORT_PHASE_EXECUTING && self->phase != IMGIMPORT_PHASE_REVERTING))
    return;
  g_clear_error (&outcome->error);
  outcome->error = late_error (self, task, timed_out);
}

/* When, by the wall clock, a time from now is over: what the journal says counts. */
static gint64
wall_deadline (ImgImportRun *self, ImgImportFlowRecordType type, guint64 delay_ms)
{
  gint64 wall_us = _imgimport_clock_wall_us (_imgimport_pool_get_clock (self->pool));
  ImgImportFlowRecord record = { .type = type, .task = IMGIMPORT_TASK_NONE };

  record.number = (guint64)later_us (wall_us, delay_ms);
  _imgimport_run_note (self, &record);
  return (gint64)record.number;
}

static void
add_wall_alarm (ImgImportRun *self, ImgImportTimerKind kind, gint64 due_wall_us)
{
  gint64 wall_us = _imgimport_clock_wall_us (_imgimport_pool_get_clock (self->pool));

  add_alarm (
      self, kind, IMGIMPORT_TASK_NONE,
      later_us (_imgimport_run_now_us (self), (guint64)MAX (due_wall_us - wall_us, 0) / 1000));
}

void
_imgimport_run_arm_deadline (ImgImportRun *self)
{
  if (self->flow->deadline_ms == 0 || self->is_past_pivot)
    return;
  if (self->deadline_wall_us == 0)
    self->deadline_wall_us =
        wall_deadline (self, IMGIMPORT_FLOW_RECORD_DEADLINE, self->flow->deadline_ms);
  add_wall_alarm (self, IMGIMPORT_TIMER_DEADLINE, self->deadline_wall_us);
}

void
_imgimport_run_arm_budget (ImgImportRun *self)
{
  if (self->flow->budget_ms == 0 || !self->is_past_pivot)
    return;
  if (self->budget_wall_us == 0)
    self->budget_wall_us =
        wall_deadline (self, IMGIMPORT_FLOW_RECORD_BUDGET, self->flow->budget_ms);
  add_wall_alarm (self, IMGIMPORT_TIMER_BUDGET, self->budget_wall_us);
}

static void
fire (ImgImportRun *self, GCancellable *cancellable)
{
  if (self->firing == NULL)
    self->firing = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->firing, g_object_ref (cancellable));
}

guint32
_imgimport_run_leave_started (ImgImportRun *self, guint32 task, const char *reason)
{
  ImgImportOutcome outcome = { late_error (self, task, reason), NULL };
  ImgImportExtra *extra = _imgimport_run_get_extra (self, task);

  gboolean is_undone = g_str_equal (reason, ABANDONED) && self->phase == IMGIMPORT_PHASE_STOPPING;

  extra->started = NULL;
  extra->timed_out = NULL;
  if (is_undone && task == self->plan->pivot)
    {
      /* It may have had its effect, or have it yet: what is before it must stand until it is known
       * whether it did. */
      _imgimport_run_interrupt (self, g_error_copy (outcome.error));
      is_undone = FALSE;
    }
  /* Nor can it be undone: it may still be at work. */
  return _imgimport_run_finish (self, task, is_undone, &outcome);
}

/* An attempt that nobody waits for on a thread is given up at once, but not while its start is
 * being called. */
static void
give_up (ImgImportRun *self, guint32 task, ImgImportExtra *extra, const char *reason)
{
  guint32 next;

  extra->timed_out = reason;
  if (extra->started == NULL || extra->started->is_starting)
    return;
  next = _imgimport_run_leave_started (self, task, reason);
  if (next != IMGIMPORT_TASK_NONE && self->phase == IMGIMPORT_PHASE_EXECUTING)
    _imgimport_run_push (self, next);
  _imgimport_run_wake (self);
}

static void
end_attempt (ImgImportRun *self, guint32 task, ImgImportExtra *extra, const char *reason)
{
  fire (self, extra->cancellable);
  give_up (self, task, extra, reason);
}

static void
task_alarm (ImgImportRun *self, const ImgImportTimer *alarm)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, alarm->task)->options;
  const ImgImportSlot *slot = &self->slots[alarm->task];
  ImgImportExtra *extra = _imgimport_run_peek_extra (self, alarm->task);
  gint64 due_us;

  if (slot->state != IMGIMPORT_TASK_RUNNING || slot->attempt != alarm->attempt ||
      extra->cancellable == NULL || extra->timed_out != NULL)
    return;
  if (alarm->kind == IMGIMPORT_TIMER_TIMEOUT)
    {
      end_attempt (self, alarm->task, extra, "task-timed-out");
      return;
    }
  due_us = later_us (extra->alive_us, options->stall_ms);
  if (due_us > _imgimport_run_now_us (self))
    add_alarm (self, IMGIMPORT_TIMER_STALL, alarm->task, due_us);
  else
    end_attempt (self, alarm->task, extra, "task-stalled");
}

static void
revert_alarm (ImgImportRun *self, const ImgImportTimer *alarm)
{
  ImgImportExtra *extra = _imgimport_run_peek_extra (self, alarm->task);

  if (self->slots[alarm->task].state != IMGIMPORT_TASK_REVERTING || extra->cancellable == NULL ||
      extra->n_reverts != alarm->attempt)
    return;
  fire (self, extra->cancellable);
  extra->timed_out = REVERT_LATE;
}

void
_imgimport_run_arm_grace (ImgImportRun *self)
{
  if (self->flow->grace_ms == 0 || self->n_busy == 0)
    return;
  self->grace_us = later_us (_imgimport_run_now_us (self), self->flow->grace_ms);
  add_alarm (self, IMGIMPORT_TIMER_GRACE, IMGIMPORT_TASK_NONE, self->grace_us);
}

/* One that came before the last time that something was told to stop does not count. */
static void
grace_alarm (ImgImportRun *self)
{
  gboolean is_told = self->phase == IMGIMPORT_PHASE_STOPPING ||
                     self->phase == IMGIMPORT_PHASE_INTERRUPTING || self->is_giving_up;
  guint32 i;

  if (!is_told || self->extras == NULL || _imgimport_run_now_us (self) < self->grace_us)
    return;
  for (i = 0; i < self->plan->n_tasks; i++)
    {
      ImgImportExtra *extra = _imgimport_run_peek_extra (self, i);

      if (extra != NULL && extra->started != NULL)
        give_up (self, i, extra, ABANDONED);
    }
}

static void
deadline_alarm (ImgImportRun *self)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_RUN_FAILED,
                                 .task = IMGIMPORT_TASK_NONE };

  if (self->phase != IMGIMPORT_PHASE_EXECUTING || self->is_past_pivot || self->is_suspending)
    return;
  _imgimport_set_error (&record.error, IMGIMPORT_ERROR_TIMED_OUT, "flow-deadline",
                        "run “%s”: it was not done within %" G_GUINT64_FORMAT " ms", self->id,
                        self->flow->deadline_ms);
  _imgimport_run_note (self, &record);
  _imgimport_run_add_error (self, IMGIMPORT_TASK_NONE, record.error);
  _imgimport_run_stop (self);
  _imgimport_run_wake (self);
}

static void
budget_alarm (ImgImportRun *self)
{
  if (self->phase != IMGIMPORT_PHASE_EXECUTING || self->is_suspending)
    return;
  self->is_giving_up = TRUE;
  self->fire_late = TRUE;
  _imgimport_run_arm_grace (self);
  _imgimport_run_push_delayed (self);
  _imgimport_run_wake (self);
}

void
_imgimport_run_alarm (ImgImportRun *self, const ImgImportTimer *alarm)
{
  _imgimport_run_lock (self);
  switch (alarm->kind)
    {
    case IMGIMPORT_TIMER_TIMEOUT:
    case IMGIMPORT_TIMER_STALL:
      task_alarm (self, alarm);
      break;
    case IMGIMPORT_TIMER_DEADLINE:
      deadline_alarm (self);
      break;
    case IMGIMPORT_TIMER_BUDGET:
      budget_alarm (self);
      break;
    case IMGIMPORT_TIMER_REVERT:
      revert_alarm (self, alarm);
      break;
    case IMGIMPORT_TIMER_GRACE:
      grace_alarm (self);
      break;
    case IMGIMPORT_TIMER_READY:
      break;
    }
  _imgimport_run_unlock (self);
}
