/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* How a caller stops a run, and lets it go on. */

/* It may be about to be suspended: its last records are being written. */
static gboolean
is_cancellable (ImgImportRun *self)
{
  gboolean pending = self->phase == IMGIMPORT_PHASE_PENDING && self->state == IMGIMPORT_RUN_PENDING;
  gboolean suspended =
      self->phase >= IMGIMPORT_PHASE_ENDING && self->suspended_phase == IMGIMPORT_PHASE_EXECUTING;

  return (pending || suspended || self->phase == IMGIMPORT_PHASE_EXECUTING) &&
         !self->is_cancelled && !self->is_past_pivot && self->n_left > 0;
}

gboolean
imgimport_run_cancel (ImgImportRun *self)
{
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_CANCELLED,
                                 .task = IMGIMPORT_TASK_NONE };

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);

  _imgimport_run_lock (self);
  if (!is_cancellable (self))
    {
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  self->is_cancelled = TRUE;
  /* One that has been suspended stays so, also for a thread that comes to it late. */
  if (self->phase < IMGIMPORT_PHASE_ENDING)
    self->is_suspending = FALSE;
  record.error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "run “%s” was cancelled", self->id);
  _imgimport_run_note (self, &record);
  _imgimport_run_add_error (self, IMGIMPORT_TASK_NONE, record.error);
  if (self->phase == IMGIMPORT_PHASE_EXECUTING)
    {
      _imgimport_run_stop (self);
      _imgimport_run_wake (self);
    }
  _imgimport_run_unlock (self);
  return TRUE;
}

gboolean
_imgimport_run_suspend_in (ImgImportRun *self, ImgImportPool *pool)
{
  gboolean runs;

  _imgimport_run_lock (self);
  runs = (pool == NULL || pool == self->pool) && !self->is_suspending &&
         (self->phase == IMGIMPORT_PHASE_EXECUTING || self->phase == IMGIMPORT_PHASE_STOPPING ||
          self->phase == IMGIMPORT_PHASE_REVERTING);
  if (runs)
    {
      self->is_suspending = TRUE;
      _imgimport_run_wake (self);
    }
  _imgimport_run_unlock (self);
  return runs;
}

gboolean
imgimport_run_suspend (ImgImportRun *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);

  return _imgimport_run_suspend_in (self, NULL);
}

/* What the run was on its way to; a cancellation that came meanwhile counts. */
static ImgImportPhase
going_on (ImgImportRun *self)
{
  if (self->suspended_phase != IMGIMPORT_PHASE_EXECUTING || !self->is_cancelled)
    return self->suspended_phase;
  self->n_ready = 0;
  return IMGIMPORT_PHASE_STOPPING;
}

gboolean
imgimport_run_resume (ImgImportRun *self, ImgImportEngine *engine, GError **error)
{
  ImgImportRunState state;
  gboolean ok;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);
  g_return_val_if_fail (IMGIMPORT_IS_ENGINE (engine), FALSE);

  _imgimport_run_lock (self);
  if (!self->is_reported || self->suspended_phase == IMGIMPORT_PHASE_ENDED)
    {
      g_mutex_unlock (&self->lock);
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "run-not-suspended",
                            "run “%s”: it is not suspended", self->id);
      return FALSE;
    }
  state = self->state;
  self->state = self->suspended_phase == IMGIMPORT_PHASE_REVERTING ? IMGIMPORT_RUN_REVERTING
                                                                   : IMGIMPORT_RUN_RUNNING;
  self->is_suspending = FALSE;
  self->is_queued = FALSE;
  self->is_reported = FALSE;
  self->reporter = NULL;
  ok = _imgimport_run_attach (self, engine, going_on (self), error);
  if (ok)
    self->suspended_phase = IMGIMPORT_PHASE_ENDED;
  else
    {
      /* It stays suspended, also for a thread that comes to it late. */
      self->is_suspending = TRUE;
      self->state = state;
      self->is_reported = TRUE;
    }
  _imgimport_run_unlock (self);
  _imgimport_run_report (self);
  return ok;
}
