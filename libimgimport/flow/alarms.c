/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* The pool's alarms, and how many tasks of a class may run at a time. */

/* The first alarm that is due; it is owned then. */
static gboolean
take_alarm (ImgImportPool *self, ImgImportTimer *alarm)
{
  if (self->alarms->len == 0 || g_array_index (self->alarms, ImgImportTimer, 0).due_us >
                                    _imgimport_clock_monotonic_us (self->clock))
    return FALSE;
  *alarm = _imgimport_timers_pop (self->alarms);
  return TRUE;
}

static void
go_off (const ImgImportTimer *alarm)
{
  _imgimport_run_alarm (alarm->run, alarm);
  g_object_unref (alarm->run);
}

static gpointer
alarm_main (gpointer data)
{
  ImgImportPool *self = data;
  ImgImportTimer alarm;

  g_mutex_lock (&self->lock);
  while (!self->is_closed)
    {
      if (take_alarm (self, &alarm))
        {
          g_mutex_unlock (&self->lock);
          go_off (&alarm);
          g_mutex_lock (&self->lock);
        }
      else if (self->alarms->len == 0)
        g_cond_wait (&self->alarm_cond, &self->lock);
      else
        _imgimport_clock_wait_until (self->clock, &self->alarm_cond, &self->lock,
                                     g_array_index (self->alarms, ImgImportTimer, 0).due_us);
    }
  g_mutex_unlock (&self->lock);
  _imgimport_pool_unref (self);
  return NULL;
}

/* Where there is no thread to be had, the next alarm asks for one again. */
void
_imgimport_pool_add_alarm (ImgImportPool *self, const ImgImportTimer *alarm)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  ImgImportTimer added = *alarm;

  added.serial = self->n_timers++;
  _imgimport_timers_push (self->alarms, &added);
  if (self->max_threads > 0 && !self->has_alarm_thread && !self->is_closed)
    self->has_alarm_thread = _imgimport_pool_add_thread_locked (self, alarm_main, NULL);
  if (g_array_index (self->alarms, ImgImportTimer, 0).serial != added.serial)
    return;
  if (self->max_threads > 0)
    g_cond_signal (&self->alarm_cond);
  else
    _imgimport_pool_signal_locked (self);
}

void
_imgimport_pool_forget_alarms (ImgImportPool *self, ImgImportRun *run)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  _imgimport_timers_remove_run (self->alarms, run);
}

gboolean
_imgimport_pool_poll_alarms (ImgImportPool *self)
{
  ImgImportTimer alarm;
  gboolean found;

  if (self->max_threads > 0)
    return FALSE;
  g_mutex_lock (&self->lock);
  found = take_alarm (self, &alarm);
  g_mutex_unlock (&self->lock);
  if (found)
    go_off (&alarm);
  return found;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static gboolean
is_free (const ImgImportPool *self, guint task_class)
{
  return self->limits[task_class] == 0 || self->n_running[task_class] < self->limits[task_class];
}

/* Gives as many parked tasks another try as there is room for. A task that finds the room taken is
 * parked again. */
static void
unpark_class (ImgImportPool *self, guint task_class)
{
  guint limit = self->limits[task_class];
  guint n_free = limit == 0 ? G_MAXUINT : limit - MIN (limit, self->n_running[task_class]);

  for (; n_free > 0 && self->parked[task_class].length > 0; n_free--)
    {
      ImgImportTimer *parked = g_queue_pop_head (&self->parked[task_class]);

      parked->serial = self->n_timers++;
      _imgimport_timers_push (self->timers, parked);
      g_object_unref (parked->run);
      g_free (parked);
      _imgimport_pool_attend_timers_locked (self);
    }
  _imgimport_pool_count_waiting (self);
}

void
_imgimport_pool_unpark_locked (ImgImportPool *self)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (self->parked); i++)
    if (self->parked[i].length > 0)
      unpark_class (self, i);
}

/* A task of the run that had been given another try may be gone too: others get it. */
void
_imgimport_pool_drop_parked_locked (ImgImportPool *self, ImgImportRun *run)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (self->parked); i++)
    {
      GList *link = self->parked[i].head;

      while (link != NULL)
        {
          GList *next = link->next;
          ImgImportTimer *parked = link->data;

          if (parked->run == run)
            {
              g_queue_delete_link (&self->parked[i], link);
              g_object_unref (run);
              g_free (parked);
            }
          link = next;
        }
    }
  _imgimport_pool_unpark_locked (self);
}

void
_imgimport_pool_set_limit (ImgImportPool *self, ImgImportTaskClass task_class, guint limit)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->limits[task_class] = limit;
  _imgimport_pool_unpark_locked (self);
}

gboolean
_imgimport_pool_acquire (ImgImportPool *self, ImgImportTaskClass task_class, ImgImportRun *run,
                         guint32 task)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  ImgImportTimer *parked;

  if (is_free (self, task_class))
    {
      self->n_running[task_class]++;
      return TRUE;
    }
  parked = g_new0 (ImgImportTimer, 1);
  parked->run = g_object_ref (run);
  parked->task = task;
  g_queue_push_tail (&self->parked[task_class], parked);
  return FALSE;
}

void
_imgimport_pool_release (ImgImportPool *self, ImgImportTaskClass task_class)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->n_running[task_class]--;
  _imgimport_pool_unpark_locked (self);
}

void
_imgimport_pool_unpark (ImgImportPool *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  _imgimport_pool_unpark_locked (self);
}
