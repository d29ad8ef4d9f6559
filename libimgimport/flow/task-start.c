/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* Tasks that go on without a thread. */

ImgImportTask *
_imgimport_task_new_started (ImgImportRun *run, guint32 index)
{
  const guint32 *start = run->plan->output_start + index;
  ImgImportTask *self = g_new0 (ImgImportTask, 1);

  self->run = g_object_ref (run);
  self->index = index;
  self->is_started = TRUE;
  self->attempt = run->slots[index].attempt;
  self->outputs = g_new0 (GVariant *, start[1] - start[0] + 1);
  return self;
}

gboolean
_imgimport_task_start (ImgImportTask *self, GCancellable *cancellable, ImgImportOutcome *outcome)
{
  const ImgImportFlowTask *task = _imgimport_flow_task (self->run->flow, self->index);

  if (task->vtable.start (task->user_data, self, cancellable, &outcome->error))
    {
      /* The task may be gone. */
      g_clear_error (&outcome->error);
      return TRUE;
    }
  _imgimport_task_conclude (self, FALSE, outcome);
  return FALSE;
}

/* Gives the outputs to the run. */
static void
hand_over (ImgImportTask *self)
{
  const guint32 *start = self->run->plan->output_start + self->index;
  guint32 i;

  for (i = start[0]; i < start[1]; i++)
    {
      g_clear_pointer (&self->run->values[i], g_variant_unref);
      self->run->values[i] = g_steal_pointer (&self->outputs[i - start[0]]);
    }
}

static void
free_started (ImgImportTask *self)
{
  const guint32 *start = self->run->plan->output_start + self->index;
  guint32 i;

  for (i = 0; i < start[1] - start[0]; i++)
    g_clear_pointer (&self->outputs[i], g_variant_unref);
  g_free (self->outputs);
  g_object_unref (self->run);
  g_free (self);
}

guint32
_imgimport_task_end_started (ImgImportTask *self, ImgImportOutcome *outcome)
{
  ImgImportRun *run = self->run;
  ImgImportExtra *extra = _imgimport_run_peek_extra (run, self->index);
  guint32 next = IMGIMPORT_TASK_NONE;

  if (extra->started == self)
    {
      extra->started = NULL;
      hand_over (self);
      next = _imgimport_run_finish (run, self->index, FALSE, outcome);
    }
  else
    {
      g_clear_error (&outcome->error);
      g_clear_pointer (&outcome->record, g_byte_array_unref);
    }
  free_started (self);
  return next;
}

void
imgimport_task_complete (ImgImportTask *self, GError *error)
{
  ImgImportOutcome outcome = { error, NULL };
  g_autoptr (ImgImportRun) run = NULL;
  guint32 next;

  g_return_if_fail (self != NULL);

  run = g_object_ref (self->run);
  _imgimport_task_conclude (self, error == NULL, &outcome);
  _imgimport_run_lock (run);
  if (self->is_starting)
    {
      /* No other slot of the task may be called before start has returned. */
      self->is_answered = TRUE;
      self->answer = outcome;
      _imgimport_run_unlock (run);
      return;
    }
  next = _imgimport_task_end_started (self, &outcome);
  if (next != IMGIMPORT_TASK_NONE && run->phase == IMGIMPORT_PHASE_EXECUTING)
    _imgimport_run_push (run, next);
  if (run->phase < IMGIMPORT_PHASE_ENDING)
    _imgimport_run_wake (run);
  _imgimport_run_unlock (run);
}
