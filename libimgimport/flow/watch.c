/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* So often within that time is again and again. */
#define TOLD_MANY 16
#define TOLD_US 1000

/* Threads of the engine note, under the run's lock, what can be seen of it. */

/* One moment for all that happens in one hold of the lock. */
static gint64
now_us (ImgImportRun *self)
{
  if (self->watch.now_us == 0 && self->pool != NULL)
    self->watch.now_us = _imgimport_run_now_us (self);
  return self->watch.now_us;
}

static void
publish (ImgImportRun *self, const ImgImportWatchEvent *event)
{
  ImgImportRunWatch *watch = &self->watch;
  guint i;

  for (i = 0; i < watch->queues->len; i++)
    watch->hurries |= _imgimport_watch_queue_push (g_ptr_array_index (watch->queues, i), event);
  if (!g_atomic_int_get (&watch->is_untold))
    g_atomic_int_set (&watch->is_untold, TRUE);
}

/* Where readers are told again and again, it is worth to have a thread that does it for many events
 * at once. */
static void
count_told (ImgImportRun *self)
{
  ImgImportRunWatch *watch = &self->watch;
  gint64 at_us;

  if (++watch->n_told % TOLD_MANY > 0 || self->pool == NULL)
    return;
  at_us = g_get_monotonic_time ();
  if (at_us - watch->told_us < TOLD_US)
    _imgimport_pool_ask_teller (self->pool);
  watch->told_us = at_us;
}

GPtrArray *
_imgimport_run_watch_take_untold (ImgImportRun *self, gboolean all)
{
  ImgImportRunWatch *watch = &self->watch;
  GPtrArray *untold;
  guint i;

  /* The order of the two looks counts: a thread that stops watching looks at what is untold after
   * that. */
  if (!g_atomic_int_get (&watch->is_untold) ||
      (!all && !watch->hurries && self->pool != NULL && _imgimport_pool_is_watched (self->pool)))
    return NULL;
  g_atomic_int_set (&watch->is_untold, FALSE);
  watch->hurries = FALSE;
  untold = g_ptr_array_new_with_free_func (_imgimport_watch_queue_unref);
  for (i = 0; watch->queues != NULL && i < watch->queues->len; i++)
    {
      ImgImportWatchQueue *queue =
          _imgimport_watch_queue_take_untold (g_ptr_array_index (watch->queues, i));

      if (queue != NULL)
        g_ptr_array_add (untold, queue);
    }
  if (!all && untold->len > 0)
    count_told (self);
  return untold;
}

void
_imgimport_watch_tell (GPtrArray *queues)
{
  guint i;

  for (i = 0; i < queues->len; i++)
    _imgimport_watch_queue_tell (g_ptr_array_index (queues, i));
  g_ptr_array_unref (queues);
}

void
_imgimport_run_watch_tell_all (ImgImportRun *self)
{
  GPtrArray *untold;

  _imgimport_run_lock (self);
  untold = _imgimport_run_watch_take_untold (self, TRUE);
  _imgimport_run_unlock (self);
  if (untold != NULL)
    _imgimport_watch_tell (untold);
}

static guint
weight_of (ImgImportRun *self, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;

  return options != NULL && options->weight > 0 ? options->weight : 1;
}

static gboolean
is_done (ImgImportRun *self, guint32 task)
{
  guint state = self->slots[task].state;

  return state == IMGIMPORT_TASK_SUCCESS || state == IMGIMPORT_TASK_SKIPPED ||
         (state == IMGIMPORT_TASK_FAILURE && self->is_past_pivot);
}

/* A run that goes on after a suspension has its times already. */
void
_imgimport_run_watch_start (ImgImportRun *self)
{
  ImgImportRunWatch *watch = &self->watch;
  guint32 i;

  watch->n_total = 0;
  watch->n_done = 0;
  for (i = 0; i < self->plan->n_tasks; i++)
    {
      watch->n_total += weight_of (self, i);
      watch->n_done += is_done (self, i) ? weight_of (self, i) : 0;
    }
  if (watch->started_us > 0)
    return;
  watch->started_us = now_us (self);
  watch->at_start = _imgimport_run_watch_progress (self);
  if (watch->is_off)
    return;
  watch->times = g_new0 (ImgImportTaskTimes, self->plan->n_tasks);
  watch->spans = g_array_new (FALSE, FALSE, sizeof (ImgImportSpan));
}

double
_imgimport_run_watch_progress (ImgImportRun *self)
{
  const ImgImportRunWatch *watch = &self->watch;
  double done = (double)watch->n_done;
  GHashTableIter iter;
  gpointer task;
  gpointer extra;

  if (watch->n_total == 0)
    return self->phase == IMGIMPORT_PHASE_ENDED ? 1.0 : 0.0;
  if (self->extras != NULL)
    {
      g_hash_table_iter_init (&iter, self->extras);
      while (g_hash_table_iter_next (&iter, &task, &extra))
        if (self->slots[GPOINTER_TO_UINT (task)].state == IMGIMPORT_TASK_RUNNING)
          done += ((ImgImportExtra *)extra)->progress * weight_of (self, GPOINTER_TO_UINT (task));
    }
  return done / (double)watch->n_total;
}

void
_imgimport_run_watch_ready (ImgImportRun *self, guint32 task)
{
  if (self->watch.times != NULL)
    self->watch.times[task].ready_us = now_us (self);
}

static void
take_begin (ImgImportRun *self, guint32 task, gint64 at_us)
{
  ImgImportTaskTimes *times = &self->watch.times[task];

  if (times->ready_us > 0)
    times->queued_us += at_us - times->ready_us;
  times->ready_us = 0;
  times->begun_us = at_us;
  if (times->first_us == 0)
    times->first_us = at_us;
}

static void
take_end (ImgImportRun *self, guint32 task, gint64 at_us)
{
  ImgImportTaskTimes *times = &self->watch.times[task];
  const ImgImportSlot *slot = &self->slots[task];
  gboolean reverted =
      slot->state >= IMGIMPORT_TASK_REVERTING && slot->state <= IMGIMPORT_TASK_REVERT_FAILED;
  ImgImportSpan span = { times->begun_us, at_us, task, reverted ? 0 : slot->attempt };

  if (times->begun_us == 0)
    return;
  times->running_us += at_us - times->begun_us;
  times->begun_us = 0;
  times->last_us = at_us;
  g_array_append_val (self->watch.spans, span);
}

void
_imgimport_run_watch_revert_failed (ImgImportRun *self, guint32 task)
{
  if (self->watch.times != NULL)
    take_end (self, task, now_us (self));
}

void
_imgimport_run_watch_task (ImgImportRun *self, guint32 task)
{
  const ImgImportSlot *slot = &self->slots[task];
  gboolean begins =
      slot->state == IMGIMPORT_TASK_RUNNING || slot->state == IMGIMPORT_TASK_REVERTING;
  ImgImportWatchEvent event = { .kind = IMGIMPORT_RUN_EVENT_TASK };

  if (is_done (self, task))
    self->watch.n_done += weight_of (self, task);
  if (self->watch.times == NULL && self->watch.queues == NULL)
    return;
  event.time_us = now_us (self);
  if (self->watch.times != NULL && begins)
    take_begin (self, task, event.time_us);
  else if (self->watch.times != NULL)
    take_end (self, task, event.time_us);
  if (self->watch.queues == NULL)
    return;
  event.task = task;
  event.task_state = slot->state;
  event.attempt = slot->attempt;
  event.run_state = (guint8)self->state;
  publish (self, &event);
}

void
_imgimport_run_watch_step (ImgImportRun *self, guint32 task, double before, double after)
{
  ImgImportWatchEvent event = { .kind = IMGIMPORT_RUN_EVENT_PROGRESS, .progress = after };

  if (self->watch.queues == NULL || (int)(before * 100) == (int)(after * 100))
    return;
  event.time_us = _imgimport_run_now_us (self);
  event.task = task;
  event.task_state = self->slots[task].state;
  event.attempt = self->slots[task].attempt;
  event.run_state = (guint8)self->state;
  publish (self, &event);
}

void
_imgimport_run_watch_state (ImgImportRun *self)
{
  ImgImportWatchEvent event = { .kind = IMGIMPORT_RUN_EVENT_RUN,
                                .task = IMGIMPORT_TASK_NONE,
                                .run_state = (guint8)self->state };

  if (self->watch.queues == NULL)
    return;
  event.time_us = now_us (self);
  publish (self, &event);
}

void
_imgimport_run_watch_clear (ImgImportRun *self)
{
  g_free (self->watch.times);
  g_clear_pointer (&self->watch.spans, g_array_unref);
  g_clear_pointer (&self->watch.queues, g_ptr_array_unref);
}
