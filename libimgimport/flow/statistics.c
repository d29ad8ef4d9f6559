/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/timeline-private.h"

/* What the times of a run say. */

void
imgimport_run_set_statistics (ImgImportRun *self, gboolean enabled)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_if_fail (IMGIMPORT_IS_RUN (self));

  locker = _imgimport_locker_new (&self->lock);
  self->watch.is_off = !enabled;
}

/* A time after the start of the run; negative for none. */
static gint64
since_start (const ImgImportRun *self, gint64 at_us)
{
  return at_us > 0 ? at_us - self->watch.started_us : -1;
}

gboolean
imgimport_run_get_task_statistics (ImgImportRun *self, const char *task,
                                   ImgImportTaskStatistics *statistics, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportTaskTimes *times;
  guint32 index;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);
  g_return_val_if_fail (task != NULL, FALSE);
  g_return_val_if_fail (statistics != NULL, FALSE);

  index = _imgimport_flow_find (self->flow, task, error);
  if (index == IMGIMPORT_TASK_NONE)
    return FALSE;
  locker = _imgimport_locker_new (&self->lock);
  *statistics = (ImgImportTaskStatistics){ .attempts = self->slots[index].attempt,
                                           .started_us = -1,
                                           .ended_us = -1 };
  if (self->watch.times == NULL)
    return TRUE;
  times = &self->watch.times[index];
  statistics->queued_us = times->queued_us;
  statistics->running_us = times->running_us;
  statistics->started_us = since_start (self, times->first_us);
  statistics->ended_us = since_start (self, times->last_us);
  return TRUE;
}

double
imgimport_run_get_progress (ImgImportRun *self, double *per_second, gint64 *remaining_ms)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  double fraction;
  double rate = 0;
  gint64 elapsed_us = 0;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), 0);

  locker = _imgimport_locker_new (&self->lock);
  fraction = _imgimport_run_watch_progress (self);
  if (self->pool != NULL)
    elapsed_us = _imgimport_clock_monotonic_us (_imgimport_pool_get_clock (self->pool)) -
                 self->watch.started_us;
  if (elapsed_us > 0)
    rate = (fraction - self->watch.at_start) * G_USEC_PER_SEC / (double)elapsed_us;
  if (per_second != NULL)
    *per_second = rate;
  if (remaining_ms != NULL)
    {
      *remaining_ms = -1;
      if (fraction >= 1.0)
        *remaining_ms = 0;
      else if (rate > 0 && self->phase == IMGIMPORT_PHASE_EXECUTING)
        *remaining_ms = (gint64)MIN ((1.0 - fraction) / rate * 1000.0, 1e15);
    }
  return fraction;
}

/* ---- timeline -------------------------------------------------------------------------------- */

static void
add_task (ImgImportRun *self, guint32 index, ImgImportTimeline *timeline)
{
  const ImgImportPlan *plan = self->plan;
  const ImgImportSlot *slot = &self->slots[index];
  ImgImportTimelineTask *task =
      _imgimport_timeline_add (timeline, _imgimport_flow_task (self->flow, index)->name);

  task->state = (ImgImportTaskState)slot->state;
  task->attempts = slot->attempt;
  g_array_append_vals (task->after, plan->before + plan->before_start[index],
                       plan->before_start[index + 1] - plan->before_start[index]);
}

static void
add_span (ImgImportRun *self, const ImgImportSpan *span, ImgImportTimeline *timeline)
{
  ImgImportTimelineTask *task = g_ptr_array_index (timeline, span->task);
  gint64 start_us = since_start (self, span->begun_us);
  gint64 end_us = since_start (self, span->ended_us);

  _imgimport_timeline_add_span (task, start_us, end_us - start_us, span->attempt == 0);
  if (task->start_us < 0)
    task->start_us = start_us;
  if (span->attempt > 0)
    task->duration_us = end_us - task->start_us;
}

/* What is being executed or reverted lasts until now. */
static void
add_open_span (ImgImportRun *self, guint32 index, gint64 now_us, ImgImportTimeline *timeline)
{
  const ImgImportSlot *slot = &self->slots[index];
  ImgImportSpan span = { self->watch.times[index].begun_us, now_us, index, slot->attempt };

  if (span.begun_us == 0)
    return;
  if (slot->state == IMGIMPORT_TASK_REVERTING)
    span.attempt = 0;
  add_span (self, &span, timeline);
}

ImgImportTimeline *
_imgimport_run_dup_timeline (ImgImportRun *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  ImgImportTimeline *timeline = _imgimport_timeline_new ();
  gint64 now_us;
  guint32 i;

  for (i = 0; i < self->plan->n_tasks; i++)
    add_task (self, i, timeline);
  if (self->watch.times == NULL)
    return timeline;
  for (i = 0; i < self->watch.spans->len; i++)
    add_span (self, &g_array_index (self->watch.spans, ImgImportSpan, i), timeline);
  now_us = _imgimport_clock_monotonic_us (_imgimport_pool_get_clock (self->pool));
  for (i = 0; i < self->plan->n_tasks; i++)
    add_open_span (self, i, now_us, timeline);
  return timeline;
}

char *
imgimport_run_to_dot (ImgImportRun *self)
{
  g_autoptr (GPtrArray) timeline = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);

  timeline = _imgimport_run_dup_timeline (self);
  return _imgimport_timeline_to_dot (timeline, self->id);
}

char *
imgimport_run_to_trace (ImgImportRun *self)
{
  g_autoptr (GPtrArray) timeline = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);

  timeline = _imgimport_run_dup_timeline (self);
  return _imgimport_timeline_to_trace (timeline, self->id);
}
