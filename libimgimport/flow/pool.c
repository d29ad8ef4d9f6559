/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

#include <unistd.h>

ImgImportPool *
_imgimport_pool_new (guint threads, ImgImportClock *clock)
{
  ImgImportPool *self = g_new0 (ImgImportPool, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->pid = (guint64)getpid ();
  self->max_threads = threads;
  self->clock = _imgimport_clock_ref (clock);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_cond_init (&self->work_cond);
  g_cond_init (&self->tell_cond);
  g_cond_init (&self->alarm_cond);
  g_queue_init (&self->queue);
  g_queue_init (&self->active);
  self->timers = g_array_new (FALSE, FALSE, sizeof (ImgImportTimer));
  self->alarms = g_array_new (FALSE, FALSE, sizeof (ImgImportTimer));
  self->threads = g_ptr_array_new ();
  return self;
}

ImgImportPool *
_imgimport_pool_ref (ImgImportPool *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
_imgimport_pool_unref (ImgImportPool *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_array_unref (self->timers);
  g_array_unref (self->alarms);
  g_ptr_array_unref (self->threads);
  _imgimport_clock_unref (self->clock);
  g_cond_clear (&self->alarm_cond);
  g_cond_clear (&self->tell_cond);
  g_cond_clear (&self->work_cond);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
_imgimport_pool_is_forked (ImgImportPool *self)
{
  return self->pid != (guint64)getpid ();
}

gboolean
_imgimport_pool_has_threads (ImgImportPool *self)
{
  return self->max_threads > 0;
}

ImgImportClock *
_imgimport_pool_get_clock (ImgImportPool *self)
{
  return self->clock;
}

void
_imgimport_pool_signal_locked (ImgImportPool *self)
{
  self->n_events++;
  g_cond_broadcast (&self->cond);
  g_cond_broadcast (&self->work_cond);
}

void
_imgimport_pool_attend_timers_locked (ImgImportPool *self)
{
  if (self->n_idle == 0)
    _imgimport_pool_add_worker_locked (self, NULL);
  _imgimport_pool_signal_locked (self);
}

void
_imgimport_pool_signal (ImgImportPool *self)
{
  g_mutex_lock (&self->lock);
  self->n_events++;
  g_mutex_unlock (&self->lock);
  g_cond_broadcast (&self->cond);
}

void
_imgimport_pool_count_waiting (ImgImportPool *self)
{
  g_atomic_int_set (&self->n_waiting, (gint)(self->queue.length + self->timers->len));
}

static void
unlink_run (GQueue *queue, GList *link)
{
  g_queue_unlink (queue, link);
  link->data = NULL;
}

static ImgImportRun *
take_first (ImgImportPool *self)
{
  ImgImportRun *run = self->queue.head->data;

  unlink_run (&self->queue, self->queue.head);
  _imgimport_pool_count_waiting (self);
  return run;
}

gboolean
_imgimport_pool_take_work_locked (ImgImportPool *self, ImgImportRun **run, guint32 *task)
{
  *task = IMGIMPORT_TASK_NONE;
  if (self->timers->len > 0 && g_array_index (self->timers, ImgImportTimer, 0).due_us <=
                                   _imgimport_clock_monotonic_us (self->clock))
    {
      ImgImportTimer timer = _imgimport_timers_pop (self->timers);

      _imgimport_pool_count_waiting (self);
      *run = timer.run;
      *task = timer.task;
      return TRUE;
    }
  if (self->queue.length == 0)
    return FALSE;
  *run = take_first (self);
  return TRUE;
}

void
_imgimport_pool_wait_locked (ImgImportPool *self, GCond *cond, gint64 deadline_us)
{
  if (self->max_threads == 0 && self->alarms->len > 0)
    deadline_us = MIN (deadline_us, g_array_index (self->alarms, ImgImportTimer, 0).due_us);
  if (self->timers->len > 0 && (self->max_threads == 0 || cond == &self->work_cond))
    deadline_us = MIN (deadline_us, g_array_index (self->timers, ImgImportTimer, 0).due_us);
  if (deadline_us == G_MAXINT64)
    g_cond_wait (cond, &self->lock);
  else
    _imgimport_clock_wait_until (self->clock, cond, &self->lock, deadline_us);
}

gboolean
_imgimport_pool_attach (ImgImportPool *self, ImgImportRun *run, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  if (_imgimport_pool_is_forked (self))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "forked",
                            "run “%s”: its engine is that of the parent process", run->id);
      return FALSE;
    }
  locker = _imgimport_locker_new (&self->lock);
  if (self->is_stopped)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "engine-stopped",
                            "run “%s”: its engine has been stopped", run->id);
      return FALSE;
    }
  if (_imgimport_pool_count_workers_locked (self) == 0 &&
      !_imgimport_pool_add_worker_locked (self, error))
    return FALSE;
  run->active_link.data = g_object_ref (run);
  g_queue_push_tail_link (&self->active, &run->active_link);
  return TRUE;
}

void
_imgimport_pool_detach (ImgImportPool *self, ImgImportRun *run)
{
  gboolean queued;

  g_mutex_lock (&self->lock);
  queued = run->queue_link.data != NULL;
  if (queued)
    unlink_run (&self->queue, &run->queue_link);
  _imgimport_pool_count_waiting (self);
  unlink_run (&self->active, &run->active_link);
  g_mutex_unlock (&self->lock);
  if (queued)
    g_object_unref (run);
  g_object_unref (run);
}

/* FALSE where it is in the queue: a turn that was due when the run was suspended may come after it
 * was resumed. */
static gboolean
link_run (ImgImportPool *self, ImgImportRun *run)
{
  if (run->queue_link.data != NULL)
    return FALSE;
  run->queue_link.data = g_object_ref (run);
  g_queue_push_tail_link (&self->queue, &run->queue_link);
  _imgimport_pool_count_waiting (self);
  return TRUE;
}

gboolean
_imgimport_pool_enqueue (ImgImportPool *self, ImgImportRun *run, gboolean helps)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (!link_run (self, run))
    return FALSE;
  self->n_events++;
  /* A thread that was woken is idle until it runs: each queued run needs one of its own. Where no
   * thread can be added, those there are will come to it. */
  if (self->queue.length > self->n_idle)
    _imgimport_pool_add_worker_locked (self, NULL);
  if (self->max_threads == 0)
    g_cond_broadcast (&self->cond);
  return _imgimport_pool_call_locked (self, helps);
}

/* Of a run that comes first nobody else is kept waiting; and only of the run that it waits for may
 * a task take the caller's time. What a fork has copied of a run is the parent's to do. */
void
_imgimport_pool_help (ImgImportPool *self, ImgImportRun *run)
{
  if (_imgimport_pool_is_forked (self))
    return;
  g_mutex_lock (&self->lock);
  if (self->n_turns >= self->max_threads || self->queue.head == NULL ||
      self->queue.head->data != run)
    {
      g_mutex_unlock (&self->lock);
      return;
    }
  take_first (self);
  self->n_turns++;
  g_mutex_unlock (&self->lock);
  _imgimport_run_turn (run, IMGIMPORT_TASK_NONE, FALSE);
  g_object_unref (run);
  g_mutex_lock (&self->lock);
  self->n_turns--;
  /* Threads that found no turn to take have slept past all timers. */
  if (self->timers->len > 0)
    g_cond_broadcast (&self->work_cond);
  else if (self->queue.length > 0)
    g_cond_signal (&self->work_cond);
  g_mutex_unlock (&self->lock);
}

void
_imgimport_pool_put_back (ImgImportPool *self, ImgImportRun *run)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  link_run (self, run);
}

void
_imgimport_pool_call_worker (ImgImportPool *self)
{
  g_cond_signal (&self->work_cond);
}

void
_imgimport_pool_delay (ImgImportPool *self, ImgImportRun *run, guint32 task, gint64 due_us)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  ImgImportTimer timer = { due_us, self->n_timers++, run, task, 0, IMGIMPORT_TIMER_READY };

  _imgimport_timers_push (self->timers, &timer);
  _imgimport_pool_count_waiting (self);
  _imgimport_pool_attend_timers_locked (self);
}

void
_imgimport_pool_forget_delayed (ImgImportPool *self, ImgImportRun *run)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  _imgimport_timers_remove_run (self->timers, run);
  _imgimport_pool_drop_parked_locked (self, run);
  _imgimport_pool_count_waiting (self);
}

gint64
_imgimport_pool_get_due (ImgImportPool *self, ImgImportRun *run, guint32 task)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  guint i;

  for (i = 0; i < self->timers->len; i++)
    {
      const ImgImportTimer *timer = &g_array_index (self->timers, ImgImportTimer, i);

      if (timer->run == run && timer->task == task)
        return timer->due_us;
    }
  return G_MAXINT64;
}

gboolean
_imgimport_pool_is_contended (ImgImportPool *self, const ImgImportRun *run)
{
  return g_atomic_int_get (&self->n_waiting) > (run->is_queued ? 1 : 0);
}

gboolean
_imgimport_pool_iterate (ImgImportPool *self)
{
  gboolean done = FALSE;

  while (!done)
    {
      g_autoptr (ImgImportRun) run = NULL;
      guint32 task;

      if (_imgimport_pool_poll_alarms (self))
        return TRUE;
      g_mutex_lock (&self->lock);
      _imgimport_pool_take_work_locked (self, &run, &task);
      g_mutex_unlock (&self->lock);
      if (run == NULL)
        return FALSE;
      done = _imgimport_run_turn (run, task, TRUE);
    }
  return TRUE;
}

guint64
_imgimport_pool_get_events (ImgImportPool *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->n_events;
}

void
_imgimport_pool_sleep (ImgImportPool *self, guint64 seen, gint64 deadline_us)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (self->n_events == seen)
    _imgimport_pool_wait_locked (self, &self->cond, deadline_us);
}
