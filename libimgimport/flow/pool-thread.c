/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* What a thread of the pool does, and what it does while there is nothing to do. */

/* How often a thread without work looks for some before it sleeps, and how long it waits between.
 */
#define LOOKS_MAX 20
#define LOOK_US 50

/* The runs whose readers are to be told of events; NULL for none. */
static GPtrArray *
find_untold (ImgImportPool *self)
{
  GPtrArray *runs = NULL;
  GList *link;

  for (link = self->active.head; link != NULL; link = link->next)
    {
      ImgImportRun *run = link->data;

      if (!g_atomic_int_get (&run->watch.is_untold))
        continue;
      if (runs == NULL)
        runs = g_ptr_array_new_with_free_func (g_object_unref);
      g_ptr_array_add (runs, g_object_ref (run));
    }
  return runs;
}

/* Drops the lock where there is something to do; returns whether there was. */
static gboolean
tell_readers (ImgImportPool *self)
{
  GPtrArray *runs = find_untold (self);
  guint i;

  if (runs == NULL)
    return FALSE;
  _imgimport_unlock (&self->lock);
  for (i = 0; i < runs->len; i++)
    _imgimport_run_watch_tell_all (g_ptr_array_index (runs, i));
  g_ptr_array_unref (runs);
  _imgimport_lock (&self->lock);
  return TRUE;
}

/* What a thread does that has found no work since it looked `n_looks` times. Returns how often it
 * has now. */
static guint
rest_locked (ImgImportPool *self, guint n_looks)
{
  if (n_looks < LOOKS_MAX)
    {
      self->n_idle++;
      g_atomic_int_inc (&self->n_watching);
      _imgimport_cond_wait_until (&self->work_cond, &self->lock, g_get_monotonic_time () + LOOK_US);
      g_atomic_int_add (&self->n_watching, -1);
      self->n_idle--;
      return tell_readers (self) ? 0 : n_looks + 1;
    }
  if (!self->needs_watcher)
    {
      self->n_idle++;
      _imgimport_pool_wait_locked (self, &self->work_cond, G_MAXINT64);
      self->n_idle--;
    }
  n_looks = self->needs_watcher ? 0 : LOOKS_MAX;
  self->needs_watcher = FALSE;
  return n_looks;
}

static gpointer
thread_main (gpointer data)
{
  ImgImportPool *self = data;
  ImgImportRun *run;
  guint32 task;
  guint n_looks = LOOKS_MAX;

  _imgimport_lock (&self->lock);
  while (!self->is_closed)
    {
      if (_imgimport_pool_take_work_locked (self, &run, &task))
        {
          _imgimport_unlock (&self->lock);
          _imgimport_run_turn (run, task, FALSE);
          g_object_unref (run);
          n_looks = 0;
          _imgimport_lock (&self->lock);
          continue;
        }
      n_looks = rest_locked (self, n_looks);
    }
  _imgimport_pool_leave_thread (self);
  return NULL;
}

void
_imgimport_pool_leave_thread (ImgImportPool *self)
{
  g_ptr_array_remove_fast (self->threads, g_thread_self ());
  _imgimport_pool_signal_locked (self);
  _imgimport_unlock (&self->lock);
  _imgimport_pool_unref (self);
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
  g_thread_unref (thread);
  return TRUE;
}

gboolean
_imgimport_pool_add_worker_locked (ImgImportPool *self, GError **error)
{
  guint n_threads = self->threads->len - (self->has_alarm_thread ? 1 : 0);

  return n_threads >= self->max_threads ||
         _imgimport_pool_add_thread_locked (self, thread_main, error);
}

gboolean
_imgimport_pool_is_watched (ImgImportPool *self)
{
  return g_atomic_int_get (&self->n_watching) > 0;
}

void
_imgimport_pool_ask_watcher (ImgImportPool *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (self->max_threads == 0)
    return;
  self->needs_watcher = TRUE;
  if (self->n_idle == 0)
    _imgimport_pool_add_worker_locked (self, NULL);
  g_cond_signal (&self->work_cond);
}
