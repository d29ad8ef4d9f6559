/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What is late: what becomes of it. */

#define ABANDONED "task-abandoned"
#define REVERT_LATE "revert-timed-out"

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

void
_imgimport_run_fire (ImgImportRun *self, GCancellable *cancellable)
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
  if (task == self->plan->pivot && self->phase != IMGIMPORT_PHASE_INTERRUPTING)
    {
      /* It may have had its effect, or have it yet: what is before it must stand until it is known
       * whether it did. */
      _imgimport_run_interrupt (self, g_error_copy (outcome.error));
      is_undone = FALSE;
    }
  /* Nor can it be undone: it may still be at work. */
  return _imgimport_run_finish (self, task, is_undone, &outcome);
}

gboolean
_imgimport_run_is_awaited (ImgImportRun *self, guint32 task, const char *reason)
{
  return task == self->plan->pivot && self->flow->grace_ms > 0 && !g_str_equal (reason, ABANDONED);
}

static void
leave_and_go_on (ImgImportRun *self, guint32 task, const char *reason)
{
  guint32 next = _imgimport_run_leave_started (self, task, reason);

  if (next != IMGIMPORT_TASK_NONE && self->phase == IMGIMPORT_PHASE_EXECUTING)
    _imgimport_run_push (self, next);
  _imgimport_run_wake (self);
}

/* An attempt that nobody waits for on a thread is given up at once, but not while its start is
 * being called. */
static void
give_up (ImgImportRun *self, guint32 task, ImgImportExtra *extra, const char *reason)
{
  extra->timed_out = reason;
  if (extra->started == NULL)
    return;
  if (!_imgimport_run_is_awaited (self, task, reason))
    {
      if (!extra->started->is_starting)
        leave_and_go_on (self, task, reason);
    }
  else if (self->phase == IMGIMPORT_PHASE_EXECUTING)
    _imgimport_run_arm_grace (self);
}

static void
end_attempt (ImgImportRun *self, guint32 task, ImgImportExtra *extra, const char *reason)
{
  _imgimport_run_fire (self, extra->cancellable);
  give_up (self, task, extra, reason);
}

static void
task_alarm (ImgImportRun *self, const ImgImportTimer *alarm)
{
  const ImgImportSlot *slot = &self->slots[alarm->task];
  ImgImportExtra *extra = _imgimport_run_peek_extra (self, alarm->task);

  if (slot->state != IMGIMPORT_TASK_RUNNING || slot->attempt != alarm->attempt ||
      extra->cancellable == NULL || extra->timed_out != NULL)
    return;
  if (alarm->kind == IMGIMPORT_TIMER_TIMEOUT)
    end_attempt (self, alarm->task, extra, "task-timed-out");
  else if (!_imgimport_run_arm_stall (self, alarm->task))
    end_attempt (self, alarm->task, extra, "task-stalled");
}

static void
revert_alarm (ImgImportRun *self, const ImgImportTimer *alarm)
{
  ImgImportExtra *extra = _imgimport_run_peek_extra (self, alarm->task);

  if (self->slots[alarm->task].state != IMGIMPORT_TASK_REVERTING || extra->cancellable == NULL ||
      extra->n_reverts != alarm->attempt)
    return;
  _imgimport_run_fire (self, extra->cancellable);
  extra->timed_out = REVERT_LATE;
}

/* The pivot is past its time. */
static gboolean
is_pivot_late (ImgImportRun *self)
{
  const ImgImportExtra *extra = _imgimport_run_peek_extra (self, self->plan->pivot);

  return extra != NULL && extra->timed_out != NULL;
}

/* One that came before the last time that something was told to stop does not count. */
static void
grace_alarm (ImgImportRun *self)
{
  gboolean is_told = self->phase == IMGIMPORT_PHASE_STOPPING ||
                     self->phase == IMGIMPORT_PHASE_INTERRUPTING || self->is_giving_up ||
                     is_pivot_late (self);
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
