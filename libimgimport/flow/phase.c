/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

static void
add_own_cancellables (ImgImportRun *self, GPtrArray *firing)
{
  GHashTableIter iter;
  gpointer extra;

  g_hash_table_iter_init (&iter, self->extras);
  while (g_hash_table_iter_next (&iter, NULL, &extra))
    if (((ImgImportExtra *)extra)->cancellable != NULL)
      g_ptr_array_add (firing, g_object_ref (((ImgImportExtra *)extra)->cancellable));
}

/* Those that are to be fired; NULL for none. */
static GPtrArray *
take_firing (ImgImportRun *self)
{
  GPtrArray *firing = g_steal_pointer (&self->firing);

  if (!self->fire && !self->fire_late)
    return firing;
  if (firing == NULL)
    firing = g_ptr_array_new_with_free_func (g_object_unref);
  if (self->fire)
    g_ptr_array_add (firing, g_object_ref (self->cancellable));
  if (self->fire_late)
    g_ptr_array_add (firing, g_object_ref (self->late_cancellable));
  if (self->extras != NULL)
    add_own_cancellables (self, firing);
  self->fire = FALSE;
  self->fire_late = FALSE;
  return firing;
}

void
_imgimport_run_lock (ImgImportRun *self)
{
  self->crowd.n_waits += _imgimport_lock_short (&self->lock) ? 1 : 0;
  self->watch.now_us = 0;
}

void
_imgimport_run_call_worker (ImgImportRun *self)
{
  if (self->calls_worker)
    _imgimport_pool_call_worker (self->pool);
  self->calls_worker = FALSE;
}

/* Who waits for the end of the run is woken before those who read of it, unless its done function
 * may do so first. */
static gboolean
tells_later (const ImgImportRun *self)
{
  return self->phase == IMGIMPORT_PHASE_ENDED && !self->is_reported && self->done_func == NULL;
}

/* A cancellable calls whoever listens to it. */
void
_imgimport_run_unlock (ImgImportRun *self)
{
  g_autoptr (ImgImportPool) called = NULL;
  GPtrArray *firing = NULL;
  GPtrArray *untold = NULL;
  guint i;

  if (self->calls_worker)
    called = _imgimport_pool_ref (self->pool);
  self->calls_worker = FALSE;
  if (self->fire || self->fire_late || self->firing != NULL)
    firing = take_firing (self);
  if (g_atomic_int_get (&self->watch.is_untold) && !tells_later (self))
    untold = _imgimport_run_watch_take_untold (self, FALSE);
  g_mutex_unlock (&self->lock);
  if (called != NULL)
    _imgimport_pool_call_worker (called);
  if (untold != NULL)
    _imgimport_watch_tell (untold);
  if (firing == NULL)
    return;
  for (i = 0; i < firing->len; i++)
    g_cancellable_cancel (g_ptr_array_index (firing, i));
  g_ptr_array_unref (firing);
}

static guint
count_causes (const ImgImportRun *self)
{
  guint n = self->errors->len;

  while (n > 0 && g_array_index (self->errors, ImgImportRunError, n - 1).is_warning)
    n--;
  return n;
}

void
_imgimport_run_add_error (ImgImportRun *self, guint32 task, GError *error)
{
  ImgImportRunError added = { error, task, FALSE };

  added.is_warning = task != IMGIMPORT_TASK_NONE &&
                     (self->is_past_pivot || self->slots[task].state == IMGIMPORT_TASK_SKIPPED);
  if (added.is_warning)
    g_array_append_val (self->errors, added);
  else
    g_array_insert_val (self->errors, count_causes (self), added);
}

void
_imgimport_run_pass_pivot (ImgImportRun *self)
{
  guint n_causes = count_causes (self);

  self->is_past_pivot = TRUE;
  self->is_cancelled = FALSE;
  if (n_causes > 0)
    g_array_remove_range (self->errors, 0, n_causes);
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

gint64
_imgimport_run_now_us (ImgImportRun *self)
{
  return _imgimport_clock_monotonic_us (_imgimport_pool_get_clock (self->pool));
}

void
_imgimport_run_delay (ImgImportRun *self, guint32 task, gint64 delay_us)
{
  if (delay_us == 0)
    {
      _imgimport_run_push (self, task);
      return;
    }
  self->slots[task].delayed = TRUE;
  self->n_delayed++;
  _imgimport_pool_delay (self->pool, self, task, _imgimport_run_now_us (self) + delay_us);
}

void
_imgimport_run_push_delayed (ImgImportRun *self)
{
  guint32 i;

  if (self->n_delayed == 0)
    return;
  _imgimport_pool_forget_delayed (self->pool, self);
  self->n_delayed = 0;
  for (i = 0; i < self->plan->n_tasks; i++)
    if (self->slots[i].delayed)
      {
        self->slots[i].delayed = FALSE;
        _imgimport_run_push (self, i);
      }
}

void
_imgimport_run_stop (ImgImportRun *self)
{
  if (self->phase != IMGIMPORT_PHASE_EXECUTING)
    return;
  self->phase = IMGIMPORT_PHASE_STOPPING;
  self->fire = TRUE;
  _imgimport_run_arm_grace (self);
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
  _imgimport_run_arm_grace (self);
  drop_ready (self);
}

static void
end (ImgImportRun *self, ImgImportRunState state)
{
  if (self->has_alarms)
    _imgimport_pool_forget_alarms (self->pool, self);
  self->has_alarms = FALSE;
  self->phase = IMGIMPORT_PHASE_ENDING;
  self->state = _imgimport_run_flush (self) ? state : IMGIMPORT_RUN_INTERRUPTED;
  self->phase = IMGIMPORT_PHASE_ENDED;
  _imgimport_run_watch_state (self);
  self->reporter = g_thread_self ();
}

/* What is delayed counts as ready once the run goes on. */
static gboolean
suspend (ImgImportRun *self)
{
  ImgImportPhase phase = self->phase;

  if (!self->is_suspending || self->n_left == 0 || phase == IMGIMPORT_PHASE_INTERRUPTING ||
      phase >= IMGIMPORT_PHASE_ENDING)
    return FALSE;
  _imgimport_run_push_delayed (self);
  self->suspended_phase = phase;
  end (self, IMGIMPORT_RUN_SUSPENDED);
  /* Without its journal it cannot go on. */
  if (self->state != IMGIMPORT_RUN_SUSPENDED)
    self->suspended_phase = IMGIMPORT_PHASE_ENDED;
  return TRUE;
}

gboolean
_imgimport_run_settle (ImgImportRun *self)
{
  if (self->n_busy > 0 || suspend (self))
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
  g_autoptr (ImgImportPool) pool = NULL;
  ImgImportEngine *engine;
  ImgImportRunFunc func;
  gboolean is_final;
  gboolean release;

  g_mutex_lock (&self->lock);
  if (self->reporter != g_thread_self () || self->engine == NULL)
    {
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  func = self->done_func;
  engine = g_steal_pointer (&self->engine);
  pool = _imgimport_pool_ref (self->pool);
  is_final = self->state != IMGIMPORT_RUN_SUSPENDED;
  release = is_final && self->log.is_claimed;
  self->log.is_claimed &= !release;
  g_mutex_unlock (&self->lock);
  if (release)
    _imgimport_journal_release (self->log.journal, self->id);
  if (func != NULL)
    func (self, self->done_data);
  if (is_final && self->done_destroy != NULL)
    self->done_destroy (self->done_data);
  if (is_final)
    self->done_destroy = NULL;
  /* Who has waited for all runs of the engine and drops it then waits for its threads too. */
  g_object_unref (engine);
  _imgimport_pool_detach (pool, self);
  g_mutex_lock (&self->lock);
  self->is_reported = TRUE;
  g_mutex_unlock (&self->lock);
  g_cond_broadcast (&self->cond);
  _imgimport_run_watch_tell_all (self);
  _imgimport_pool_signal (pool);
  return TRUE;
}
