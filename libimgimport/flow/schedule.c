/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* How many tasks a thread does in one turn while other work is queued. */
#define TURN_MAX 16

void
_imgimport_run_push (ImgImportRun *self, guint32 task)
{
  guint32 at = self->ready_head + self->n_ready++;

  _imgimport_run_watch_ready (self, task);
  self->ready[at < self->plan->n_tasks ? at : at - self->plan->n_tasks] = task;
}

static guint32
pop (ImgImportRun *self)
{
  guint32 task = self->ready[self->ready_head++];

  if (self->ready_head == self->plan->n_tasks)
    self->ready_head = 0;
  self->n_ready--;
  return task;
}

/* The next task that needs a thread. What has nothing to undo is undone here. */
static guint32
take_ready (ImgImportRun *self)
{
  while (self->n_ready > 0 && !self->is_suspending)
    {
      guint32 task = pop (self);

      if (self->phase == IMGIMPORT_PHASE_EXECUTING ||
          (_imgimport_flow_task (self->flow, task)->vtable.revert != NULL &&
           self->slots[task].attempt > 0))
        return task;
      _imgimport_run_set_reverted (self, task);
    }
  return IMGIMPORT_TASK_NONE;
}

static guint32
take (ImgImportRun *self)
{
  guint32 task = take_ready (self);

  while (task == IMGIMPORT_TASK_NONE && _imgimport_run_settle (self))
    task = take_ready (self);
  return task;
}

/* The delayed task of a timer, unless the run has gone another way. */
static guint32
take_delayed (ImgImportRun *self, guint32 task)
{
  gboolean goes_on =
      self->phase == IMGIMPORT_PHASE_EXECUTING || self->phase == IMGIMPORT_PHASE_REVERTING;

  if (goes_on && self->slots[task].delayed && !self->is_suspending)
    {
      self->slots[task].delayed = FALSE;
      self->n_delayed--;
      return task;
    }
  /* It may have been parked, and the room it was woken for is still there. */
  _imgimport_pool_unpark (self->pool);
  return IMGIMPORT_TASK_NONE;
}

static void
enqueue (ImgImportRun *self, gboolean helps)
{
  if (self->is_queued)
    return;
  self->is_queued = TRUE;
  self->calls_worker |= _imgimport_pool_enqueue (self->pool, self, helps);
}

/* Has other threads help this one, or go on without it. */
static void
share (ImgImportRun *self, gboolean helps)
{
  if (self->n_ready > 0 && !self->is_suspending)
    enqueue (self, helps);
}

void
_imgimport_run_wake (ImgImportRun *self)
{
  enqueue (self, FALSE);
}

/* Whether the task is to be run at all. Drops the lock meanwhile. */
static gboolean
ask_condition (ImgImportRun *self, guint32 index, const ImgImportCondition *condition)
{
  ImgImportTask task = { .run = self, .index = index };
  gboolean answer;

  self->slots[index].asked = TRUE;
  self->n_busy++;
  _imgimport_run_unlock (self);
  answer = condition->func (&task, condition->user_data);
  _imgimport_run_lock (self);
  self->n_busy--;
  if (answer || self->phase != IMGIMPORT_PHASE_EXECUTING)
    return answer;
  _imgimport_run_skip (self, index);
  return FALSE;
}

/* Whether a task with options may begin now; with a limited class it then has its place. */
static gboolean
admit (ImgImportRun *self, guint32 task, const ImgImportTaskOptions *options)
{
  ImgImportSlot *slot = &self->slots[task];
  ImgImportPhase phase = self->phase;

  if (options->condition != NULL && phase == IMGIMPORT_PHASE_EXECUTING && slot->attempt == 0 &&
      !slot->asked && !ask_condition (self, task, options->condition))
    return FALSE;
  if (self->phase != phase)
    return FALSE;
  if (self->is_suspending)
    {
      _imgimport_run_push (self, task);
      return FALSE;
    }
  if (options->task_class == IMGIMPORT_TASK_CLASS_ANY ||
      _imgimport_pool_acquire (self->pool, (ImgImportTaskClass)options->task_class, self, task))
    return TRUE;
  slot->delayed = TRUE;
  self->n_delayed++;
  return FALSE;
}

static guint64
attempt_number (ImgImportRun *self, guint32 task)
{
  const ImgImportExtra *extra = _imgimport_run_peek_extra (self, task);

  return self->slots[task].attempt | (extra != NULL ? (guint64)extra->alternative << 32 : 0);
}

/* Takes back what was written of a task that does not begin after all: a later run, which knows
 * only of the intent, would undo it when what it comes after is undone already. */
static void
withdraw (ImgImportRun *self, guint32 task)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_REVERTED, .task = task };

  if (--self->slots[task].attempt == 0 && self->phase == IMGIMPORT_PHASE_STOPPING)
    _imgimport_run_note (self, &record);
}

/* Claims a task for this thread and writes down what it is about to do. FALSE where the run has
 * gone another way meanwhile. */
static gboolean
begin (ImgImportRun *self, guint32 task, gboolean reverting)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_BEGUN, .task = task };
  ImgImportSlot *slot = &self->slots[task];
  ImgImportPhase phase = self->phase;

  self->n_busy++;
  if (!reverting)
    {
      slot->attempt++;
      record.number = attempt_number (self, task);
      _imgimport_run_note (self, &record);
      self->log.is_durable |= !self->log.is_begun;
      self->log.is_begun = TRUE;
    }
  _imgimport_run_flush (self);
  if (self->phase == phase)
    {
      slot->state = reverting ? IMGIMPORT_TASK_REVERTING : IMGIMPORT_TASK_RUNNING;
      _imgimport_run_watch_task (self, task);
      return TRUE;
    }
  self->n_busy--;
  if (!reverting)
    withdraw (self, task);
  return FALSE;
}

/* The cancellable of an attempt: of its own where it has a timeout. */
static GCancellable *
cancellable_of (ImgImportRun *self, guint32 task, gboolean reverting)
{
  const ImgImportExtra *extra =
      self->extras != NULL ? _imgimport_run_peek_extra (self, task) : NULL;

  if (extra != NULL && extra->cancellable != NULL)
    return extra->cancellable;
  return reverting || self->is_past_pivot ? self->late_cancellable : self->cancellable;
}

/* Drops the lock meanwhile. */
static guint32
start_task (ImgImportRun *self, guint32 index, GCancellable *cancellable)
{
  ImgImportOutcome outcome = { NULL, NULL };
  ImgImportTask *task = _imgimport_task_new_started (self, index);
  ImgImportExtra *extra = _imgimport_run_get_extra (self, index);
  g_autoptr (GCancellable) kept = g_object_ref (cancellable);
  gboolean is_over;

  extra->started = task;
  task->is_starting = TRUE;
  _imgimport_run_unlock (self);
  is_over = !_imgimport_task_start (task, kept, &outcome);
  _imgimport_run_lock (self);
  task->is_starting = FALSE;
  if (is_over || task->is_answered)
    return _imgimport_task_end_started (task, is_over ? &outcome : &task->answer);
  if (extra->timed_out != NULL && !_imgimport_run_is_awaited (self, index, extra->timed_out))
    return _imgimport_run_leave_started (self, index, extra->timed_out);
  return IMGIMPORT_TASK_NONE;
}

/* Drops the lock meanwhile. Answers what this thread should go on with. */
static guint32
do_task (ImgImportRun *self, guint32 index)
{
  const ImgImportFlowTask *definition = _imgimport_flow_task (self->flow, index);
  ImgImportTask task = { .run = self, .index = index };
  ImgImportOutcome outcome = { NULL, NULL };
  GCancellable *cancellable;

  task.is_reverting = self->phase == IMGIMPORT_PHASE_REVERTING;
  if (self->is_giving_up)
    return _imgimport_run_give_up (self, index);
  if (definition->options != NULL && !admit (self, index, definition->options))
    return IMGIMPORT_TASK_NONE;
  if (definition->options != NULL && !task.is_reverting)
    _imgimport_run_note_first (self, index);
  if (!begin (self, index, task.is_reverting))
    {
      if (definition->options != NULL)
        _imgimport_run_leave_class (self, index);
      return IMGIMPORT_TASK_NONE;
    }
  if (definition->options != NULL)
    _imgimport_run_arm (self, index, task.is_reverting);
  cancellable = cancellable_of (self, index, task.is_reverting);
  if (definition->vtable.start != NULL && !task.is_reverting)
    return start_task (self, index, cancellable);
  task.attempt = self->slots[index].attempt;
  task.outputs = self->values + self->plan->output_start[index];
  _imgimport_run_unlock (self);
  if (task.is_reverting)
    _imgimport_task_revert (&task, cancellable, &outcome);
  else
    _imgimport_task_execute (&task, cancellable, &outcome);
  _imgimport_run_lock (self);
  return _imgimport_run_finish (self, index, task.is_reverting, &outcome);
}

/* The last of a turn: what was done is written, others go on with what is ready. */
static void
leave (ImgImportRun *self, guint32 next)
{
  if (next != IMGIMPORT_TASK_NONE && self->phase == IMGIMPORT_PHASE_EXECUTING)
    _imgimport_run_push (self, next);
  if (self->phase != IMGIMPORT_PHASE_ENDING && self->phase != IMGIMPORT_PHASE_ENDED)
    _imgimport_run_flush (self);
  while ((self->n_ready == 0 || self->is_suspending) && _imgimport_run_settle (self))
    continue;
  share (self, self->crowd.is_full);
}

gboolean
_imgimport_run_turn (ImgImportRun *self, guint32 due, gboolean single)
{
  guint32 next = IMGIMPORT_TASK_NONE;
  guint n_done = 0;
  guint32 task;

  _imgimport_run_lock (self);
  self->crowd.n_turns++;
  if (due == IMGIMPORT_TASK_NONE)
    self->is_queued = FALSE;
  task = due == IMGIMPORT_TASK_NONE ? take (self) : take_delayed (self, due);
  while (task != IMGIMPORT_TASK_NONE)
    {
      share (self, TRUE);
      next = do_task (self, task);
      n_done++;
      if (single || self->is_suspending ||
          (n_done >= TURN_MAX && _imgimport_pool_is_contended (self->pool, self)) ||
          _imgimport_run_leaves_crowd (self, n_done))
        break;
      task = next != IMGIMPORT_TASK_NONE ? next : take (self);
      next = IMGIMPORT_TASK_NONE;
    }
  self->crowd.n_turns--;
  leave (self, next);
  _imgimport_run_unlock (self);
  return _imgimport_run_report (self) || n_done > 0;
}
