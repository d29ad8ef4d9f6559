/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* Whether the task may have had an effect that has not been undone. */
static gboolean
needs_revert (const ImgImportSlot *slot)
{
  return slot->attempt > 0 && slot->state != IMGIMPORT_TASK_REVERTED &&
         slot->state != IMGIMPORT_TASK_REVERT_FAILED;
}

/* Only direct successors have to be counted: what executed had all its predecessors executed. Where
 * the flow was another then that need not be so, and what did not execute keeps its place. */
void
_imgimport_run_begin_revert (ImgImportRun *self)
{
  const ImgImportPlan *plan = self->plan;
  guint32 i;

  self->phase = IMGIMPORT_PHASE_REVERTING;
  self->state = IMGIMPORT_RUN_REVERTING;
  _imgimport_run_watch_state (self);
  self->n_left = 0;
  for (i = 0; i < plan->n_tasks; i++)
    {
      gboolean needed =
          needs_revert (&self->slots[i]) || (self->log.was_upgraded && self->slots[i].attempt == 0);

      self->slots[i].intention = needed ? IMGIMPORT_INTENTION_REVERT : IMGIMPORT_INTENTION_NONE;
      self->slots[i].waiting = 0;
      self->slots[i].delayed = FALSE;
      self->n_left += needed ? 1 : 0;
    }
  for (i = 0; i < plan->n_tasks; i++)
    {
      guint32 j;

      if (self->slots[i].intention != IMGIMPORT_INTENTION_REVERT)
        continue;
      for (j = plan->after_start[i]; j < plan->after_start[i + 1]; j++)
        self->slots[i].waiting +=
            self->slots[plan->after[j]].intention == IMGIMPORT_INTENTION_REVERT;
    }
  /* Of those that may be undone in any order, the last one first. */
  for (i = plan->n_tasks; i > 0; i--)
    if (self->slots[i - 1].intention == IMGIMPORT_INTENTION_REVERT &&
        self->slots[i - 1].waiting == 0)
      _imgimport_run_push (self, i - 1);
}

/* A task that could not be undone does not keep the others from being undone. */
static void
release_predecessors (ImgImportRun *self, guint32 task)
{
  const ImgImportPlan *plan = self->plan;
  guint32 i;

  self->n_left--;
  if (self->phase != IMGIMPORT_PHASE_REVERTING)
    return;
  for (i = plan->before_start[task]; i < plan->before_start[task + 1]; i++)
    {
      ImgImportSlot *slot = &self->slots[plan->before[i]];

      if (slot->intention == IMGIMPORT_INTENTION_REVERT && --slot->waiting == 0)
        _imgimport_run_push (self, plan->before[i]);
    }
}

void
_imgimport_run_set_reverted (ImgImportRun *self, guint32 task)
{
  if (self->slots[task].attempt > 0)
    {
      self->slots[task].state = IMGIMPORT_TASK_REVERTED;
      _imgimport_run_watch_task (self, task);
    }
  release_predecessors (self, task);
}

void
_imgimport_run_finish_revert (ImgImportRun *self, guint32 task, GError *error)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_REVERTED, .task = task };

  if (error != NULL &&
      (self->phase == IMGIMPORT_PHASE_INTERRUPTING || _imgimport_run_retry_revert (self, task)))
    {
      /* It was told to stop, and will be undone by a later run, or it is tried again. */
      _imgimport_run_watch_revert_failed (self, task);
      g_error_free (error);
      return;
    }
  if (error == NULL)
    {
      _imgimport_run_note (self, &record);
      _imgimport_run_set_reverted (self, task);
      return;
    }
  record.type = IMGIMPORT_FLOW_RECORD_REVERT_FAILED;
  record.error = error;
  _imgimport_run_note (self, &record);
  _imgimport_run_add_error (self, task, error);
  self->n_revert_failed++;
  self->slots[task].state = IMGIMPORT_TASK_REVERT_FAILED;
  _imgimport_run_watch_task (self, task);
  release_predecessors (self, task);
}
