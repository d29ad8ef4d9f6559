/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * Threads of the engine put events into queues, under the run's lock, and go on; whoever watches
 * takes them out on a thread of its own.
 */

#define QUEUE_MAX 4096

struct _ImgImportRunSubscription
{
  GObject parent_instance;
  ImgImportRun *run;
  ImgImportMailbox mailbox; /* under the run's lock: of ImgImportRunEvent */
};

G_DEFINE_FINAL_TYPE (ImgImportRunSubscription, imgimport_run_subscription, G_TYPE_OBJECT)

static void
publish (ImgImportRun *self, const ImgImportRunEvent *event)
{
  guint i;

  for (i = 0; i < self->watch.subscriptions->len; i++)
    {
      ImgImportRunSubscription *subscription = g_ptr_array_index (self->watch.subscriptions, i);
      ImgImportRunEvent *copy = g_memdup2 (event, sizeof *event);

      if (!_imgimport_mailbox_is_full (&subscription->mailbox))
        {
          _imgimport_mailbox_push (&subscription->mailbox, copy);
          continue;
        }
      copy->kind = IMGIMPORT_RUN_EVENT_RESYNC;
      copy->task = NULL;
      _imgimport_mailbox_replace (&subscription->mailbox, copy, g_free);
    }
}

static gint64
now_us (ImgImportRun *self)
{
  return self->pool != NULL ? _imgimport_clock_monotonic_us (_imgimport_pool_get_clock (self->pool))
                            : 0;
}

/* ---- what the engine tells ------------------------------------------------------------------- */

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
      slot->state == IMGIMPORT_TASK_REVERTED || slot->state == IMGIMPORT_TASK_REVERT_FAILED;
  ImgImportSpan span = { times->begun_us, at_us, task, reverted ? 0 : slot->attempt };

  if (times->begun_us == 0)
    return;
  times->running_us += at_us - times->begun_us;
  times->begun_us = 0;
  times->last_us = at_us;
  g_array_append_val (self->watch.spans, span);
}

void
_imgimport_run_watch_task (ImgImportRun *self, guint32 task)
{
  const ImgImportSlot *slot = &self->slots[task];
  gboolean begins =
      slot->state == IMGIMPORT_TASK_RUNNING || slot->state == IMGIMPORT_TASK_REVERTING;
  ImgImportRunEvent event = { .kind = IMGIMPORT_RUN_EVENT_TASK };

  if (is_done (self, task))
    self->watch.n_done += weight_of (self, task);
  if (self->watch.times == NULL && self->watch.subscriptions == NULL)
    return;
  event.time_us = now_us (self);
  if (self->watch.times != NULL && begins)
    take_begin (self, task, event.time_us);
  else if (self->watch.times != NULL)
    take_end (self, task, event.time_us);
  if (self->watch.subscriptions == NULL)
    return;
  event.task = _imgimport_flow_task (self->flow, task)->name;
  event.task_state = (ImgImportTaskState)slot->state;
  event.attempt = slot->attempt;
  event.run_state = self->state;
  publish (self, &event);
}

void
_imgimport_run_watch_step (ImgImportRun *self, guint32 task, double before, double after)
{
  ImgImportRunEvent event = { .kind = IMGIMPORT_RUN_EVENT_PROGRESS, .progress = after };

  if (self->watch.subscriptions == NULL || (int)(before * 100) == (int)(after * 100))
    return;
  event.time_us = now_us (self);
  event.task = _imgimport_flow_task (self->flow, task)->name;
  event.task_state = (ImgImportTaskState)self->slots[task].state;
  event.attempt = self->slots[task].attempt;
  event.run_state = self->state;
  publish (self, &event);
}

void
_imgimport_run_watch_state (ImgImportRun *self)
{
  ImgImportRunEvent event = { .kind = IMGIMPORT_RUN_EVENT_RUN, .run_state = self->state };

  if (self->watch.subscriptions == NULL)
    return;
  event.time_us = now_us (self);
  publish (self, &event);
}

void
_imgimport_run_watch_clear (ImgImportRun *self)
{
  g_free (self->watch.times);
  g_clear_pointer (&self->watch.spans, g_array_unref);
  g_clear_pointer (&self->watch.subscriptions, g_ptr_array_unref);
}

/* ---- subscriptions --------------------------------------------------------------------------- */

static void
imgimport_run_subscription_finalize (GObject *object)
{
  ImgImportRunSubscription *self = IMGIMPORT_RUN_SUBSCRIPTION (object);

  if (self->run != NULL)
    {
      _imgimport_lock (&self->run->lock);
      g_ptr_array_remove_fast (self->run->watch.subscriptions, self);
      if (self->run->watch.subscriptions->len == 0)
        g_clear_pointer (&self->run->watch.subscriptions, g_ptr_array_unref);
      _imgimport_unlock (&self->run->lock);
      g_object_unref (self->run);
    }
  _imgimport_mailbox_clear (&self->mailbox, g_free);
  G_OBJECT_CLASS (imgimport_run_subscription_parent_class)->finalize (object);
}

static void
imgimport_run_subscription_class_init (ImgImportRunSubscriptionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_run_subscription_finalize;
}

static void
imgimport_run_subscription_init (ImgImportRunSubscription *self)
{
  self->mailbox.fd = -1;
}

ImgImportRunSubscription *
imgimport_run_subscribe (ImgImportRun *self, GError **error)
{
  g_autoptr (ImgImportRunSubscription) subscription = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);

  subscription = g_object_new (IMGIMPORT_TYPE_RUN_SUBSCRIPTION, NULL);
  if (!_imgimport_mailbox_init (&subscription->mailbox, QUEUE_MAX, error))
    return NULL;
  _imgimport_lock (&self->lock);
  if (self->watch.subscriptions == NULL)
    self->watch.subscriptions = g_ptr_array_new ();
  g_ptr_array_add (self->watch.subscriptions, subscription);
  _imgimport_unlock (&self->lock);
  subscription->run = g_object_ref (self);
  return g_steal_pointer (&subscription);
}

int
imgimport_run_subscription_get_fd (ImgImportRunSubscription *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_RUN_SUBSCRIPTION (self), -1);

  return self->mailbox.fd;
}

gboolean
imgimport_run_subscription_next (ImgImportRunSubscription *self, ImgImportRunEvent *event)
{
  g_autofree ImgImportRunEvent *taken = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN_SUBSCRIPTION (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  _imgimport_lock (&self->run->lock);
  taken = _imgimport_mailbox_pop (&self->mailbox);
  _imgimport_unlock (&self->run->lock);
  if (taken == NULL)
    return FALSE;
  *event = *taken;
  return TRUE;
}
