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
  while (self->n_ready > 0)
    {
      guint32 task = pop (self);

      if (self->phase == IMGIMPORT_PHASE_EXECUTING ||
          _imgimport_flow_task (self->flow, task)->vtable.revert != NULL)
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
  if (self->phase != IMGIMPORT_PHASE_EXECUTING || !self->slots[task].delayed)
    return IMGIMPORT_TASK_NONE;
  self->slots[task].delayed = FALSE;
  self->n_delayed--;
  return task;
}

/* Has other threads help. */
static void
share (ImgImportRun *self)
{
  if (self->n_ready == 0 || self->is_queued)
    return;
  self->is_queued = TRUE;
  _imgimport_pool_enqueue (self->pool, self);
}

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

      if (--self->slots[successor].waiting > 0)
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
      self->is_past_pivot = TRUE;
      self->is_cancelled = FALSE;
      g_array_set_size (self->errors, 0);
      self->log.is_durable |= record != NULL;
      if (self->phase == IMGIMPORT_PHASE_STOPPING)
        self->phase = IMGIMPORT_PHASE_EXECUTING;
    }
  if (self->phase != IMGIMPORT_PHASE_EXECUTING)
    return IMGIMPORT_TASK_NONE;
  return release_successors (self, task);
}

static gint64
retry_delay_us (const ImgImportFlowTask *task, guint attempt)
{
  guint64 delay_ms = task->delay_ms;
  guint i;

  for (i = 1; i < attempt && delay_ms > 0 && delay_ms < task->max_delay_ms; i++)
    delay_ms *= 2;
  return (gint64)MIN (delay_ms, task->max_delay_ms) * 1000;
}

static gboolean
retry (ImgImportRun *self, guint32 task, const GError *error)
{
  const ImgImportFlowTask *definition = _imgimport_flow_task (self->flow, task);
  ImgImportSlot *slot = &self->slots[task];
  gint64 delay_us;

  if (self->phase != IMGIMPORT_PHASE_EXECUTING || slot->attempt >= definition->attempts ||
      !imgimport_error_is_retryable (error))
    return FALSE;
  slot->state = IMGIMPORT_TASK_PENDING;
  _imgimport_run_watch_task (self, task);
  delay_us = retry_delay_us (definition, slot->attempt);
  if (delay_us == 0)
    {
      _imgimport_run_push (self, task);
      return TRUE;
    }
  slot->delayed = TRUE;
  self->n_delayed++;
  _imgimport_pool_delay (self->pool, self, task,
                         _imgimport_clock_monotonic_us (_imgimport_pool_get_clock (self->pool)) +
                             delay_us);
  return TRUE;
}

/* Takes `error`. */
static guint32
fail (ImgImportRun *self, guint32 task, GError *error)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_FAILURE,
                                 .task = task,
                                 .error = error };
  ImgImportSlot *slot = &self->slots[task];

  if (self->phase == IMGIMPORT_PHASE_INTERRUPTING || retry (self, task, error))
    {
      /* Begun, and not finished: it will be executed again. */
      slot->state = IMGIMPORT_TASK_PENDING;
      _imgimport_run_watch_task (self, task);
      g_error_free (error);
      return IMGIMPORT_TASK_NONE;
    }
  slot->state = IMGIMPORT_TASK_FAILURE;
  _imgimport_run_watch_task (self, task);
  self->n_left--;
  if (self->phase == IMGIMPORT_PHASE_STOPPING && imgimport_error_is_cancelled (error))
    {
      g_error_free (error);
      return IMGIMPORT_TASK_NONE;
    }
  _imgimport_run_note (self, &record);
  _imgimport_run_add_error (self, task, error);
  if (self->is_past_pivot)
    return release_successors (self, task);
  _imgimport_run_stop (self);
  return IMGIMPORT_TASK_NONE;
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
      record.number = ++slot->attempt;
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
    slot->attempt--;
  return FALSE;
}

/* Drops the lock meanwhile. Answers what this thread should go on with. */
static guint32
do_task (ImgImportRun *self, guint32 index)
{
  ImgImportTask task = { .run = self, .index = index };
  ImgImportOutcome outcome = { NULL, NULL };
  GCancellable *cancellable = self->is_past_pivot ? self->late_cancellable : self->cancellable;
  guint32 next = IMGIMPORT_TASK_NONE;

  task.is_reverting = self->phase == IMGIMPORT_PHASE_REVERTING;
  if (!begin (self, index, task.is_reverting))
    return IMGIMPORT_TASK_NONE;
  task.attempt = self->slots[index].attempt;
  _imgimport_run_unlock (self);
  if (task.is_reverting)
    _imgimport_task_revert (&task, self->late_cancellable, &outcome);
  else
    _imgimport_task_execute (&task, cancellable, &outcome);
  _imgimport_lock (&self->lock);
  self->n_busy--;
  if (task.is_reverting)
    _imgimport_run_finish_revert (self, index, outcome.error);
  else if (outcome.error != NULL)
    next = fail (self, index, outcome.error);
  else
    next = succeed (self, index, outcome.record);
  g_clear_pointer (&outcome.record, g_byte_array_unref);
  return next;
}

/* The last of a turn: what was done is written, others go on with what is ready. */
static void
leave (ImgImportRun *self, guint32 next)
{
  if (next != IMGIMPORT_TASK_NONE && self->phase == IMGIMPORT_PHASE_EXECUTING)
    _imgimport_run_push (self, next);
  if (self->phase != IMGIMPORT_PHASE_ENDING && self->phase != IMGIMPORT_PHASE_ENDED)
    _imgimport_run_flush (self);
  while (self->n_ready == 0 && _imgimport_run_settle (self))
    continue;
  share (self);
}

gboolean
_imgimport_run_turn (ImgImportRun *self, guint32 due, gboolean single)
{
  guint32 next = IMGIMPORT_TASK_NONE;
  guint n_done = 0;
  guint32 task;

  _imgimport_lock (&self->lock);
  if (due == IMGIMPORT_TASK_NONE)
    self->is_queued = FALSE;
  task = due == IMGIMPORT_TASK_NONE ? take (self) : take_delayed (self, due);
  while (task != IMGIMPORT_TASK_NONE)
    {
      share (self);
      next = do_task (self, task);
      n_done++;
      if (single || (n_done >= TURN_MAX && _imgimport_pool_is_contended (self->pool)))
        break;
      task = next != IMGIMPORT_TASK_NONE ? next : take (self);
      next = IMGIMPORT_TASK_NONE;
    }
  leave (self, next);
  _imgimport_run_unlock (self);
  return _imgimport_run_report (self) || n_done > 0;
}
