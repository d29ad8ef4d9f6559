/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What few tasks of a run need, and until when what has to be done. */

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
  /* While the intent was being written all were told to stop. */
  if (self->is_giving_up)
    _imgimport_run_fire (self, extra->cancellable);
  if (options->timeout_ms > 0)
    add_alarm (self, IMGIMPORT_TIMER_TIMEOUT, task, later_us (now_us, options->timeout_ms));
  if (options->stall_ms > 0)
    add_alarm (self, IMGIMPORT_TIMER_STALL, task, later_us (now_us, options->stall_ms));
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

void
_imgimport_run_arm_grace (ImgImportRun *self)
{
  if (self->flow->grace_ms == 0 || self->n_busy == 0)
    return;
  self->grace_us = later_us (_imgimport_run_now_us (self), self->flow->grace_ms);
  add_alarm (self, IMGIMPORT_TIMER_GRACE, IMGIMPORT_TASK_NONE, self->grace_us);
}

gboolean
_imgimport_run_arm_stall (ImgImportRun *self, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;
  gint64 due_us = later_us (_imgimport_run_get_extra (self, task)->alive_us, options->stall_ms);

  if (due_us <= _imgimport_run_now_us (self))
    return FALSE;
  add_alarm (self, IMGIMPORT_TIMER_STALL, task, due_us);
  return TRUE;
}
