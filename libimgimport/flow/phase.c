/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* A cancellable calls whoever listens to it. */
void
_imgimport_run_unlock (ImgImportRun *self)
{
  gboolean fire = self->fire;
  gboolean fire_late = self->fire_late;
  GCancellable *cancellable = self->cancellable;
  GCancellable *late_cancellable = self->late_cancellable;

  self->fire = FALSE;
  self->fire_late = FALSE;
  _imgimport_unlock (&self->lock);
  if (fire)
    g_cancellable_cancel (cancellable);
  if (fire_late)
    g_cancellable_cancel (late_cancellable);
}

void
_imgimport_run_add_error (ImgImportRun *self, guint32 task, GError *error)
{
  ImgImportRunError added = { error, task };

  g_array_append_val (self->errors, added);
}

/* Nothing that is ready or delayed will start. */
static void
drop_ready (ImgImportRun *self)
{
  self->n_ready = 0;
  if (self->n_delayed > 0)
    _imgimport_pool_forget_delayed (self->pool, self);
  self->n_delayed = 0;
}

void
_imgimport_run_stop (ImgImportRun *self)
{
  if (self->phase != IMGIMPORT_PHASE_EXECUTING)
    return;
  self->phase = IMGIMPORT_PHASE_STOPPING;
  self->fire = TRUE;
  drop_ready (self);
}

void
_imgimport_run_interrupt (ImgImportRun *self, GError *error)
{
  _imgimport_run_add_error (self, IMGIMPORT_TASK_NONE, error);
  if (self->phase == IMGIMPORT_PHASE_ENDING)
    return;
  self->phase = IMGIMPORT_PHASE_INTERRUPTING;
  self->fire = TRUE;
  self->fire_late = TRUE;
  drop_ready (self);
}

static void
end (ImgImportRun *self, ImgImportRunState state)
{
  self->phase = IMGIMPORT_PHASE_ENDING;
  self->state = _imgimport_run_flush (self) ? state : IMGIMPORT_RUN_INTERRUPTED;
  self->phase = IMGIMPORT_PHASE_ENDED;
  _imgimport_run_watch_state (self);
  self->reporter = g_thread_self ();
}

gboolean
_imgimport_run_settle (ImgImportRun *self)
{
  if (self->n_busy > 0)
    return FALSE;
  switch (self->phase)
    {
    case IMGIMPORT_PHASE_EXECUTING:
      if (self->n_left == 0)
        end (self, IMGIMPORT_RUN_SUCCESS);
      return FALSE;
    case IMGIMPORT_PHASE_STOPPING:
      _imgimport_run_begin_revert (self);
      return TRUE;
    case IMGIMPORT_PHASE_REVERTING:
      if (self->n_left == 0)
        end (self, self->n_revert_failed > 0 ? IMGIMPORT_RUN_PARTIALLY_REVERTED
                   : self->is_cancelled      ? IMGIMPORT_RUN_CANCELLED
                                             : IMGIMPORT_RUN_REVERTED);
      return FALSE;
    case IMGIMPORT_PHASE_INTERRUPTING:
      end (self, IMGIMPORT_RUN_INTERRUPTED);
      return FALSE;
    case IMGIMPORT_PHASE_PENDING:
    case IMGIMPORT_PHASE_ENDING:
    case IMGIMPORT_PHASE_ENDED:
      return FALSE;
    }
  return FALSE;
}

gboolean
_imgimport_run_report (ImgImportRun *self)
{
  ImgImportPool *pool;
  ImgImportEngine *engine;
  ImgImportRunFunc func;

  _imgimport_lock (&self->lock);
  if (self->reporter != g_thread_self () || self->engine == NULL)
    {
      _imgimport_unlock (&self->lock);
      return FALSE;
    }
  func = self->done_func;
  engine = g_steal_pointer (&self->engine);
  pool = self->pool;
  _imgimport_unlock (&self->lock);
  _imgimport_run_release (self);
  if (func != NULL)
    func (self, self->done_data);
  if (self->done_destroy != NULL)
    self->done_destroy (self->done_data);
  self->done_destroy = NULL;
  _imgimport_pool_detach (pool, self);
  g_object_unref (engine);
  _imgimport_lock (&self->lock);
  self->is_reported = TRUE;
  g_cond_broadcast (&self->cond);
  _imgimport_unlock (&self->lock);
  _imgimport_pool_signal (pool);
  return TRUE;
}
