/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What the caller may ask of a run: waiting for it, and what came of it. */

/* Whether the run is in a final state and those who are to know of it know: the thread that is
 * telling them need not wait for itself. */
static gboolean
is_over (ImgImportRun *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->is_reported || self->reporter == g_thread_self ();
}

gint64
_imgimport_deadline_after (gint64 now_us, gint64 timeout_ms)
{
  if (timeout_ms < 0 || timeout_ms > (G_MAXINT64 - now_us) / 1000)
    return G_MAXINT64;
  return now_us + timeout_ms * 1000;
}

/* Why a wait has come to its end. */
typedef enum
{
  WAIT_OVER,
  WAIT_LATE,
  WAIT_MOVED /* the run has been started, or resumed on another engine */
} WaitEnd;

static gboolean
is_at (ImgImportRun *self, const ImgImportPool *pool)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->pool == pool;
}

/* Drives an engine that has no threads. */
static WaitEnd
iterate_until_over (ImgImportRun *self, ImgImportPool *pool, gint64 timeout_ms)
{
  ImgImportClock *clock = _imgimport_pool_get_clock (pool);
  gint64 deadline_us =
      _imgimport_deadline_after (_imgimport_clock_monotonic_us (clock), timeout_ms);

  for (;;)
    {
      guint64 seen = _imgimport_pool_get_events (pool);

      if (is_over (self))
        return WAIT_OVER;
      if (!is_at (self, pool))
        return WAIT_MOVED;
      if (_imgimport_clock_monotonic_us (clock) >= deadline_us)
        return WAIT_LATE;
      if (!_imgimport_pool_iterate (pool))
        _imgimport_pool_sleep (pool, seen, deadline_us);
    }
}

/* `pool` is where the run is, as far as the caller knows; NULL: it has not been started. */
static WaitEnd
sleep_until_over (ImgImportRun *self, const ImgImportPool *pool, gint64 deadline_us)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  gboolean is_late = FALSE;

  while (!self->is_reported && self->reporter != g_thread_self ())
    {
      if (self->pool != pool)
        return WAIT_MOVED;
      if (is_late)
        return WAIT_LATE;
      if (deadline_us == G_MAXINT64)
        g_cond_wait (&self->cond, &self->lock);
      else
        is_late = !g_cond_wait_until (&self->cond, &self->lock, deadline_us);
    }
  return WAIT_OVER;
}

/* Resuming the run may give it another. */
static ImgImportPool *
ref_pool (ImgImportRun *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->pool != NULL ? _imgimport_pool_ref (self->pool) : NULL;
}

gboolean
imgimport_run_wait (ImgImportRun *self, gint64 timeout_ms)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 deadline_us = _imgimport_deadline_after (now_us, timeout_ms);
  WaitEnd end = WAIT_MOVED;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);

  while (end == WAIT_MOVED)
    {
      g_autoptr (ImgImportPool) pool = ref_pool (self);
      gint64 left_ms = timeout_ms;

      if (timeout_ms > 0)
        left_ms = MAX (0, timeout_ms - (g_get_monotonic_time () - now_us) / 1000);
      if (pool != NULL && timeout_ms < 0)
        _imgimport_pool_help (pool, self);
      if (pool != NULL && !_imgimport_pool_has_threads (pool))
        end = iterate_until_over (self, pool, left_ms);
      else
        end = sleep_until_over (self, pool, deadline_us);
    }
  return end == WAIT_OVER;
}

ImgImportRunState
imgimport_run_get_state (ImgImportRun *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), IMGIMPORT_RUN_PENDING);

  locker = _imgimport_locker_new (&self->lock);
  return self->phase == IMGIMPORT_PHASE_PENDING ? IMGIMPORT_RUN_PENDING : self->state;
}

gboolean
imgimport_run_is_past_pivot (ImgImportRun *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);

  locker = _imgimport_locker_new (&self->lock);
  return self->is_past_pivot;
}

gboolean
imgimport_run_get_task_state (ImgImportRun *self, const char *task, ImgImportTaskState *state,
                              GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  guint32 index;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);
  g_return_val_if_fail (task != NULL, FALSE);
  g_return_val_if_fail (state != NULL, FALSE);

  index = _imgimport_flow_find (self->flow, task, error);
  if (index == IMGIMPORT_TASK_NONE)
    return FALSE;
  locker = _imgimport_locker_new (&self->lock);
  *state = (ImgImportTaskState)self->slots[index].state;
  return TRUE;
}

static const ImgImportFlowPort *
find_output (ImgImportRun *self, const char *name)
{
  gpointer index;

  return g_hash_table_lookup_extended (self->flow->providers, name, NULL, &index)
             ? &g_array_index (self->flow->outputs, ImgImportFlowPort, GPOINTER_TO_UINT (index))
             : NULL;
}

GVariant *
imgimport_run_get_output (ImgImportRun *self, const char *name)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportFlowPort *port;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  port = find_output (self, name);
  locker = _imgimport_locker_new (&self->lock);
  if (port == NULL || self->phase != IMGIMPORT_PHASE_ENDED ||
      self->slots[port->task].state != IMGIMPORT_TASK_SUCCESS)
    return NULL;
  return g_variant_ref (self->values[port->value]);
}

GVariant *
_imgimport_run_dup_value (ImgImportRun *self, const char *name)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  const ImgImportFlowPort *port = find_output (self, name);
  GVariant *value = port != NULL ? self->values[port->value] : NULL;

  return value != NULL ? g_variant_ref (value) : NULL;
}

guint
imgimport_run_get_n_errors (ImgImportRun *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), 0);

  locker = _imgimport_locker_new (&self->lock);
  return self->phase == IMGIMPORT_PHASE_ENDED ? self->errors->len : 0;
}

guint
imgimport_run_get_n_warnings (ImgImportRun *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  guint n = 0;
  guint i;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), 0);

  locker = _imgimport_locker_new (&self->lock);
  for (i = 0; self->phase == IMGIMPORT_PHASE_ENDED && i < self->errors->len; i++)
    n += g_array_index (self->errors, ImgImportRunError, i).is_warning ? 1 : 0;
  return n;
}

char **
imgimport_run_dup_debts (ImgImportRun *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (ImgImportLocker) locker = NULL;
  guint32 i;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);

  locker = _imgimport_locker_new (&self->lock);
  for (i = 0;
       self->is_past_pivot && self->phase == IMGIMPORT_PHASE_ENDED && i < self->plan->n_tasks; i++)
    if (self->slots[i].state == IMGIMPORT_TASK_FAILURE)
      g_ptr_array_add (names, g_strdup (_imgimport_flow_task (self->flow, i)->name));
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_steal (names, NULL);
}

const GError *
imgimport_run_get_error (ImgImportRun *self, guint index, const char **task)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportRunError *found;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);

  if (task != NULL)
    *task = NULL;
  locker = _imgimport_locker_new (&self->lock);
  if (self->phase != IMGIMPORT_PHASE_ENDED || index >= self->errors->len)
    return NULL;
  found = &g_array_index (self->errors, ImgImportRunError, index);
  if (task != NULL && found->task != IMGIMPORT_TASK_NONE)
    *task = _imgimport_flow_task (self->flow, found->task)->name;
  return found->error;
}
