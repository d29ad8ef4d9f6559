/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What a thread of the pool does, and what it does while there is nothing to do. */

/* How often a thread without work looks for some before it sleeps, and the time between. */
#define LOOKS_MAX 20
#define LOOK_US 50

/* It looks only where work came this soon the last time: one that is seldom needed would wake up
 * for nothing after each turn. */
#define SOON_US (LOOKS_MAX * LOOK_US / 2)

/* What a thread does that has found no work since it looked `n_looks` times. */
static void
rest_locked (ImgImportPool *self, guint n_looks)
{
  self->n_idle++;
  if (self->n_turns >= self->max_threads)
    g_cond_wait (&self->work_cond, &self->lock);
  else if (n_looks >= LOOKS_MAX)
    _imgimport_pool_wait_locked (self, &self->work_cond, G_MAXINT64);
  else
    {
      self->n_looking++;
      g_cond_wait_until (&self->work_cond, &self->lock, g_get_monotonic_time () + LOOK_US);
      self->n_looking--;
    }
  self->n_idle--;
}

/* For what is left when a thread has taken its work, or comes due meanwhile. Returns whether a
 * thread is to be woken: the wake-up may have been for another run than the one that was taken. */
static gboolean
attend_to_rest (ImgImportPool *self)
{
  if (self->n_idle == 0 && self->queue.length + self->timers->len > 0)
    _imgimport_pool_add_worker_locked (self, NULL);
  return _imgimport_pool_call_locked (self, TRUE);
}

gboolean
_imgimport_pool_call_locked (ImgImportPool *self, gboolean helps)
{
  if (self->is_called || self->n_turns >= self->max_threads ||
      self->queue.length <= (helps ? self->n_looking : 0))
    return FALSE;
  self->is_called = TRUE;
  return TRUE;
}

static gpointer
thread_main (gpointer data)
{
  ImgImportPool *self = data;
  ImgImportRun *run;
  guint32 task;
  guint n_looks = LOOKS_MAX;
  gint64 idle_since_us = 0;

  g_mutex_lock (&self->lock);
  while (!self->is_closed)
    {
      gboolean is_soon;
      gboolean avoids;

      self->is_called = FALSE;
      if (self->n_turns < self->max_threads && _imgimport_pool_take_work_locked (self, &run, &task))
        {
          gboolean calls;

          self->n_turns++;
          calls = attend_to_rest (self);
          g_mutex_unlock (&self->lock);
          if (calls)
            _imgimport_pool_call_worker (self);
          is_soon = g_get_monotonic_time () - idle_since_us < SOON_US;
          avoids = task == IMGIMPORT_TASK_NONE && _imgimport_run_avoid_crowd (run);
          if (!avoids)
            _imgimport_run_turn (run, task, FALSE);
          g_object_unref (run);
          n_looks = is_soon ? 0 : LOOKS_MAX;
          idle_since_us = g_get_monotonic_time ();
          g_mutex_lock (&self->lock);
          self->n_turns--;
          /* It looks again soon where no other does. The end may have been called meanwhile. */
          if (avoids && !self->is_closed)
            rest_locked (self, self->n_looking >= self->queue.length ? LOOKS_MAX : 0);
          continue;
        }
      rest_locked (self, n_looks);
      n_looks = MIN (n_looks + 1, LOOKS_MAX);
    }
  g_mutex_unlock (&self->lock);
  _imgimport_pool_unref (self);
  return NULL;
}

gboolean
_imgimport_pool_add_thread_locked (ImgImportPool *self, GThreadFunc func, GError **error)
{
  GError *local = NULL;
  GThread *thread = g_thread_try_new ("imgimport-flow", func, _imgimport_pool_ref (self), &local);

  if (thread == NULL)
    {
      _imgimport_pool_unref (self);
      _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "resources-exhausted",
                            "engine: no thread could be started: %s", local->message);
      g_error_free (local);
      return FALSE;
    }
  g_ptr_array_add (self->threads, thread);
  return TRUE;
}

guint
_imgimport_pool_count_workers_locked (ImgImportPool *self)
{
  return self->threads->len - (self->has_alarm_thread ? 1 : 0) - (self->has_teller ? 1 : 0);
}

gboolean
_imgimport_pool_add_worker_locked (ImgImportPool *self, GError **error)
{
  return self->is_closed || _imgimport_pool_count_workers_locked (self) >= self->max_threads ||
         _imgimport_pool_add_thread_locked (self, thread_main, error);
}
