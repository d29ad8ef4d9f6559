/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What few tasks of a run need, and what has to be done in time. */

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
  g_hash_table_insert (self->extras, GUINT_TO_POINTER (task), extra);
  return extra;
}

static void
add_alarm (ImgImportRun *self, ImgImportTimerKind kind, guint32 task, gint64 due_us)
{
  ImgImportTimer alarm = { .due_us = due_us, .run = self, .task = task, .kind = kind };

  if (task != IMGIMPORT_TASK_NONE)
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
_imgimport_run_arm (ImgImportRun *self, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;
  ImgImportExtra *extra;
  gint64 now_us;

  if (options->retry.elapsed_ms == 0 && options->timeout_ms == 0 && options->stall_ms == 0)
    return;
  extra = _imgimport_run_get_extra (self, task);
  now_us = _imgimport_run_now_us (self);
  extra->first_us = extra->first_us != 0 ? extra->first_us : now_us;
  extra->alive_us = now_us;
  if (options->timeout_ms == 0 && options->stall_ms == 0)
    return;
  g_set_object (&extra->cancellable, NULL);
  extra->cancellable = g_cancellable_new ();
  if (options->timeout_ms > 0)
    add_alarm (self, IMGIMPORT_TIMER_TIMEOUT, task, later_us (now_us, options->timeout_ms));
  if (options->stall_ms > 0)
    add_alarm (self, IMGIMPORT_TIMER_STALL, task, later_us (now_us, options->stall_ms));
}

static GError *
late_error (ImgImportRun *self, guint32 task, const char *reason)
{
  GError *error = NULL;

  _imgimport_set_error (&error, IMGIMPORT_ERROR_TIMED_OUT, reason,
                        "task “%s”: its attempt %u was not done in time",
                        _imgimport_flow_task (self->flow, task)->name, self->slots[task].attempt);
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
  if (timed_out == NULL || outcome->error == NULL || self->phase != IMGIMPORT_PHASE_EXECUTING)
    return;
  g_clear_error (&outcome->error);
  outcome->error = late_error (self, task, timed_out);
}

void
_imgimport_run_arm_deadline (ImgImportRun *self)
{
  ImgImportClock *clock = _imgimport_pool_get_clock (self->pool);
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_DEADLINE,
                                 .task = IMGIMPORT_TASK_NONE };
  gint64 wall_us;

  if (self->flow->deadline_ms == 0 || self->is_past_pivot)
    return;
  wall_us = _imgimport_clock_wall_us (clock);
  if (self->deadline_wall_us == 0)
    {
      self->deadline_wall_us = later_us (wall_us, self->flow->deadline_ms);
      record.number = (guint64)self->deadline_wall_us;
      _imgimport_run_note (self, &record);
    }
  add_alarm (self, IMGIMPORT_TIMER_DEADLINE, IMGIMPORT_TASK_NONE,
             later_us (_imgimport_run_now_us (self),
                       (guint64)MAX (self->deadline_wall_us - wall_us, 0) / 1000));
}

void
_imgimport_run_arm_budget (ImgImportRun *self)
{
  if (self->flow->budget_ms > 0 && self->is_past_pivot)
    add_alarm (self, IMGIMPORT_TIMER_BUDGET, IMGIMPORT_TASK_NONE,
               later_us (_imgimport_run_now_us (self), self->flow->budget_ms));
}

static void
fire (ImgImportRun *self, GCancellable *cancellable)
{
  if (self->firing == NULL)
    self->firing = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->firing, g_object_ref (cancellable));
}

/* An attempt that nobody waits for on a thread is given up at once. */
static void
end_attempt (ImgImportRun *self, guint32 task, ImgImportExtra *extra, const char *reason)
{
  ImgImportOutcome outcome = { NULL, NULL };
  guint32 next;

  fire (self, extra->cancellable);
  extra->timed_out = reason;
  if (extra->started == NULL)
    return;
  extra->started = NULL;
  outcome.error = late_error (self, task, reason);
  next = _imgimport_run_finish (self, task, FALSE, &outcome);
  if (next != IMGIMPORT_TASK_NONE && self->phase == IMGIMPORT_PHASE_EXECUTING)
    _imgimport_run_push (self, next);
  _imgimport_run_wake (self);
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
    case IMGIMPORT_TIMER_READY:
      break;
    }
  _imgimport_run_unlock (self);
}
