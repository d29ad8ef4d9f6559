/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * Two arrays: threads of the engine put events into one, under the run's lock and that of the
 * queue, and go on; whoever watches takes them out of the other, on a thread of its own, and where
 * that is empty takes the first one as a whole. So the two sides meet once for many events.
 *
 * The reader is told of the first event only, by its descriptor, without a lock: this may wake it
 * up on the processor of the teller. Where an idle thread looks after the run that is left to it,
 * and is done once for all events since it looked last.
 */

#define QUEUE_MAX 4096
#define QUEUE_HURRY 1024

/* A run's share of a subscription. In a reference-counted box. */
struct _ImgImportWatchQueue
{
  int fd;
  gboolean is_untold; /* under the run's lock: the descriptor is to become readable */

  GMutex lock;          /* for the rest */
  GArray *incoming;     /* of ImgImportWatchEvent, at most QUEUE_MAX */
  gboolean is_readable; /* the descriptor is, or someone is about to make it so */
};

struct _ImgImportRunSubscription
{
  GObject parent_instance;
  ImgImportRun *run;
  ImgImportWatchQueue *queue; /* NULL: there is none yet */

  GMutex lock; /* for the rest; comes before that of the queue */
  GArray *taken;
  guint n_read; /* of `taken` */
};

G_DEFINE_FINAL_TYPE (ImgImportRunSubscription, imgimport_run_subscription, G_TYPE_OBJECT)

/* ---- queue ----------------------------------------------------------------------------------- */

static ImgImportWatchQueue *
queue_new (GError **error)
{
  ImgImportWatchQueue *self;
  int fd = _imgimport_fd_new_flag (error);

  if (fd < 0)
    return NULL;
  self = g_atomic_rc_box_new0 (ImgImportWatchQueue);
  self->fd = fd;
  g_mutex_init (&self->lock);
  self->incoming = g_array_new (FALSE, FALSE, sizeof (ImgImportWatchEvent));
  return self;
}

static void
queue_clear (gpointer data)
{
  ImgImportWatchQueue *self = data;

  _imgimport_fd_close (self->fd);
  g_array_unref (self->incoming);
  g_mutex_clear (&self->lock);
}

void
_imgimport_watch_queue_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, queue_clear);
}

gboolean
_imgimport_watch_queue_push (ImgImportWatchQueue *self, const ImgImportWatchEvent *event)
{
  gboolean hurry = event->kind == IMGIMPORT_RUN_EVENT_RUN;

  _imgimport_lock_short (&self->lock);
  if (self->incoming->len < QUEUE_MAX)
    g_array_append_vals (self->incoming, event, 1);
  else
    {
      ImgImportWatchEvent resync = *event;

      resync.kind = IMGIMPORT_RUN_EVENT_RESYNC;
      resync.task = IMGIMPORT_TASK_NONE;
      g_array_set_size (self->incoming, 0);
      g_array_append_val (self->incoming, resync);
    }
  hurry |= self->incoming->len >= QUEUE_HURRY;
  self->is_untold |= !self->is_readable;
  self->is_readable = TRUE;
  g_mutex_unlock (&self->lock);
  return hurry && self->is_untold;
}

ImgImportWatchQueue *
_imgimport_watch_queue_take_untold (ImgImportWatchQueue *self)
{
  if (!self->is_untold)
    return NULL;
  self->is_untold = FALSE;
  return g_atomic_rc_box_acquire (self);
}

void
_imgimport_watch_queue_tell (ImgImportWatchQueue *self)
{
  _imgimport_fd_set_flag (self->fd, TRUE);
}

/* Swaps what waits for an empty array. */
static GArray *
queue_take (ImgImportWatchQueue *self, GArray *empty)
{
  GArray *taken;

  _imgimport_lock_short (&self->lock);
  taken = self->incoming;
  self->incoming = empty;
  /* One who is about to make it readable will have done so for nothing, and the next look sees to
   * it. */
  if (taken->len == 0 && self->is_readable)
    self->is_readable = !_imgimport_fd_set_flag (self->fd, FALSE);
  g_mutex_unlock (&self->lock);
  return taken;
}

/* ---- subscription ---------------------------------------------------------------------------- */

static void
imgimport_run_subscription_finalize (GObject *object)
{
  ImgImportRunSubscription *self = IMGIMPORT_RUN_SUBSCRIPTION (object);

  if (self->run != NULL)
    {
      _imgimport_run_lock (self->run);
      g_ptr_array_remove_fast (self->run->watch.queues, self->queue);
      if (self->run->watch.queues->len == 0)
        g_clear_pointer (&self->run->watch.queues, g_ptr_array_unref);
      _imgimport_run_unlock (self->run);
      g_object_unref (self->run);
    }
  g_clear_pointer (&self->queue, _imgimport_watch_queue_unref);
  g_array_unref (self->taken);
  g_mutex_clear (&self->lock);
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
  g_mutex_init (&self->lock);
  self->taken = g_array_new (FALSE, FALSE, sizeof (ImgImportWatchEvent));
}

ImgImportRunSubscription *
imgimport_run_subscribe (ImgImportRun *self, GError **error)
{
  g_autoptr (ImgImportRunSubscription) subscription = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);

  subscription = g_object_new (IMGIMPORT_TYPE_RUN_SUBSCRIPTION, NULL);
  subscription->queue = queue_new (error);
  if (subscription->queue == NULL)
    return NULL;
  _imgimport_run_lock (self);
  if (self->watch.queues == NULL)
    self->watch.queues = g_ptr_array_new_with_free_func (_imgimport_watch_queue_unref);
  g_ptr_array_add (self->watch.queues, g_atomic_rc_box_acquire (subscription->queue));
  _imgimport_run_unlock (self);
  subscription->run = g_object_ref (self);
  return g_steal_pointer (&subscription);
}

int
imgimport_run_subscription_get_fd (ImgImportRunSubscription *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_RUN_SUBSCRIPTION (self), -1);

  return self->queue->fd;
}

/* With the lock held, where all that was taken is read. */
static void
take_waiting (ImgImportRunSubscription *self)
{
  g_array_set_size (self->taken, 0);
  self->n_read = 0;
  self->taken = queue_take (self->queue, self->taken);
}

gboolean
imgimport_run_subscription_next (ImgImportRunSubscription *self, ImgImportRunEvent *event)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportWatchEvent *next;

  g_return_val_if_fail (IMGIMPORT_IS_RUN_SUBSCRIPTION (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  locker = _imgimport_locker_new (&self->lock);
  if (self->n_read == self->taken->len)
    take_waiting (self);
  if (self->n_read == self->taken->len)
    return FALSE;
  next = &g_array_index (self->taken, ImgImportWatchEvent, self->n_read++);
  *event = (ImgImportRunEvent){ .kind = (ImgImportRunEventKind)next->kind,
                                .task_state = (ImgImportTaskState)next->task_state,
                                .attempt = next->attempt,
                                .run_state = (ImgImportRunState)next->run_state,
                                .progress = next->progress,
                                .time_us = next->time_us };
  if (next->task != IMGIMPORT_TASK_NONE)
    event->task = _imgimport_flow_task (self->run->flow, next->task)->name;
  /* The descriptor says at once that no further event waits. */
  if (self->n_read == self->taken->len)
    take_waiting (self);
  return TRUE;
}
