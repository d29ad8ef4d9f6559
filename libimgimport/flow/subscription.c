/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * Two queues: threads of the engine put events into one, under the run's lock and that of the
 * queue, and go on; whoever watches takes them out of the other, on a thread of its own, and where
 * that is empty takes the first one as a whole. So the two sides meet once for many events.
 */

#define QUEUE_MAX 4096

struct _ImgImportRunSubscription
{
  GObject parent_instance;
  ImgImportRun *run;

  GMutex lock;      /* for the next three */
  GArray *incoming; /* of ImgImportWatchEvent, at most QUEUE_MAX */
  gboolean is_readable;
  int fd; /* polls so */

  GMutex reader_lock; /* for the rest; comes before `lock` */
  GArray *taken;
  guint n_read; /* of `taken` */
};

G_DEFINE_FINAL_TYPE (ImgImportRunSubscription, imgimport_run_subscription, G_TYPE_OBJECT)

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
  _imgimport_fd_close (self->fd);
  g_array_unref (self->incoming);
  g_array_unref (self->taken);
  g_mutex_clear (&self->reader_lock);
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
  g_mutex_init (&self->reader_lock);
  self->incoming = g_array_new (FALSE, FALSE, sizeof (ImgImportWatchEvent));
  self->taken = g_array_new (FALSE, FALSE, sizeof (ImgImportWatchEvent));
  self->fd = -1;
}

ImgImportRunSubscription *
imgimport_run_subscribe (ImgImportRun *self, GError **error)
{
  g_autoptr (ImgImportRunSubscription) subscription = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), NULL);

  subscription = g_object_new (IMGIMPORT_TYPE_RUN_SUBSCRIPTION, NULL);
  subscription->fd = _imgimport_fd_new_flag (error);
  if (subscription->fd < 0)
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

  return self->fd;
}

void
_imgimport_run_subscription_push (ImgImportRunSubscription *self, const ImgImportWatchEvent *event)
{
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
  if (!self->is_readable)
    _imgimport_fd_set_flag (self->fd, TRUE);
  self->is_readable = TRUE;
  _imgimport_unlock (&self->lock);
}

/* With the reader's lock held, and all that was taken is read: takes what waits. */
static void
take_waiting (ImgImportRunSubscription *self)
{
  GArray *read = self->taken;

  g_array_set_size (read, 0);
  self->n_read = 0;
  _imgimport_lock_short (&self->lock);
  self->taken = self->incoming;
  self->incoming = read;
  if (self->taken->len == 0 && self->is_readable)
    {
      _imgimport_fd_set_flag (self->fd, FALSE);
      self->is_readable = FALSE;
    }
  _imgimport_unlock (&self->lock);
}

gboolean
imgimport_run_subscription_next (ImgImportRunSubscription *self, ImgImportRunEvent *event)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportWatchEvent *next;

  g_return_val_if_fail (IMGIMPORT_IS_RUN_SUBSCRIPTION (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  locker = _imgimport_locker_new (&self->reader_lock);
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
