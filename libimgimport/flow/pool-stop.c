/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* How a pool comes to its end. */

static GPtrArray *
copy_active (ImgImportPool *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *runs = g_ptr_array_new_with_free_func (g_object_unref);
  GList *link;

  self->is_stopped = TRUE;
  for (link = self->active.head; link != NULL; link = link->next)
    g_ptr_array_add (runs, g_object_ref (link->data));
  return runs;
}

/* Meanwhile it may have been suspended, and resumed elsewhere. */
static void
stop_run (ImgImportPool *self, ImgImportRun *run)
{
  _imgimport_run_lock (run);
  if (run->pool == self && run->phase != IMGIMPORT_PHASE_ENDING &&
      run->phase != IMGIMPORT_PHASE_ENDED)
    {
      GError *error = NULL;

      _imgimport_set_error (&error, IMGIMPORT_ERROR_UNAVAILABLE, "engine-stopped",
                            "run “%s”: its engine has been stopped", run->id);
      _imgimport_run_interrupt (run, error);
      _imgimport_run_settle (run);
    }
  _imgimport_run_unlock (run);
  _imgimport_run_report (run);
}

static gboolean
is_idle (ImgImportPool *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->active.length == 0;
}

/* A pool without threads is driven meanwhile: what ends, or is late, needs a turn to be taken note
 * of. */
static gboolean
await_idle (ImgImportPool *self, gint64 deadline_us)
{
  for (;;)
    {
      guint64 seen = _imgimport_pool_get_events (self);

      if (is_idle (self))
        return TRUE;
      if (_imgimport_clock_monotonic_us (self->clock) >= deadline_us)
        return FALSE;
      if (self->max_threads > 0 || !_imgimport_pool_iterate (self))
        _imgimport_pool_sleep (self, seen, deadline_us);
    }
}

void
_imgimport_pool_stop (ImgImportPool *self)
{
  g_autoptr (GPtrArray) runs = copy_active (self);
  guint i;

  for (i = 0; i < runs->len; i++)
    stop_run (self, g_ptr_array_index (runs, i));
  await_idle (self, G_MAXINT64);
}

gboolean
_imgimport_pool_drain (ImgImportPool *self, gint64 timeout_ms)
{
  g_autoptr (GPtrArray) runs = copy_active (self);
  gint64 deadline_us =
      _imgimport_deadline_after (_imgimport_clock_monotonic_us (self->clock), timeout_ms);
  guint i;

  for (i = 0; i < runs->len; i++)
    _imgimport_run_suspend_in (g_ptr_array_index (runs, i), self);
  return await_idle (self, deadline_us);
}

/* Tells the threads to end and takes them over. */
static GPtrArray *
dismiss_threads (ImgImportPool *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *threads = self->threads;

  self->is_closed = TRUE;
  self->threads = g_ptr_array_new ();
  self->has_alarm_thread = FALSE;
  self->has_teller = FALSE;
  _imgimport_pool_signal_locked (self);
  g_cond_broadcast (&self->alarm_cond);
  g_cond_broadcast (&self->tell_cond);
  return threads;
}

void
_imgimport_pool_close (ImgImportPool *self)
{
  g_autoptr (GPtrArray) threads = dismiss_threads (self);
  guint i;

  for (i = 0; i < threads->len; i++)
    {
      GThread *thread = g_ptr_array_index (threads, i);

      if (thread == g_thread_self ())
        g_thread_unref (thread);
      else
        g_thread_join (thread);
    }
}
