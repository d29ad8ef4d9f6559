/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define QUEUE_MAX 256

/* One lock for the bus and all its queues: nothing under it waits or calls out. */
struct _ImgImportBus
{
  gatomicrefcount refs;
  GMutex lock;
  GPtrArray *subscriptions; /* borrowed: each takes itself out before it goes */
};

struct _ImgImportSubscription
{
  GObject parent_instance;

  ImgImportBus *bus;
  char *image_id; /* NULL: all */
  GQueue queue;   /* under the bus's lock: of ImgImportEvent */
  int fd;         /* an eventfd, 1 while the queue is not empty */
};

G_DEFINE_FINAL_TYPE (ImgImportSubscription, imgimport_subscription, G_TYPE_OBJECT)

/* ---- the bus --------------------------------------------------------------------------------- */

ImgImportBus *
_imgimport_bus_new (void)
{
  ImgImportBus *self = g_new0 (ImgImportBus, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->subscriptions = g_ptr_array_new ();
  return self;
}

void
_imgimport_bus_unref (ImgImportBus *self)
{
  if (!_imgimport_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->subscriptions);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* ---- a queue, under the lock ----------------------------------------------------------------- */

/* Neither can fail: the counter goes from 0 to 1 and back only. */
static void
set_readable (ImgImportSubscription *self, gboolean readable)
{
  guint64 one = 1;
  gssize done;

  do
    done = readable ? write (self->fd, &one, sizeof one) : read (self->fd, &one, sizeof one);
  while (done < 0 && errno == EINTR);
}

static void
append (ImgImportSubscription *self, ImgImportEvent *event)
{
  g_queue_push_tail (&self->queue, event);
  if (self->queue.length == 1)
    set_readable (self, TRUE);
}

static gboolean
is_same_progress (ImgImportEvent *a, ImgImportEvent *b)
{
  return imgimport_event_get_kind (a) == IMGIMPORT_EVENT_PROGRESS &&
         g_strcmp0 (imgimport_event_get_image_id (a), imgimport_event_get_image_id (b)) == 0 &&
         g_strcmp0 (imgimport_event_get_job_id (a), imgimport_event_get_job_id (b)) == 0 &&
         g_strcmp0 (imgimport_event_get_phase (a), imgimport_event_get_phase (b)) == 0;
}

/* Progress that waits makes room for the newer one, which stands where it was published. */
static gboolean
coalesce (ImgImportSubscription *self, ImgImportEvent *event)
{
  GList *l;

  if (imgimport_event_get_kind (event) != IMGIMPORT_EVENT_PROGRESS)
    return FALSE;
  for (l = self->queue.tail; l != NULL; l = l->prev)
    if (is_same_progress (l->data, event))
      {
        g_object_unref (l->data);
        g_queue_delete_link (&self->queue, l);
        g_queue_push_tail (&self->queue, g_object_ref (event));
        return TRUE;
      }
  return FALSE;
}

static void
enqueue (ImgImportSubscription *self, ImgImportEvent *event)
{
  if (self->image_id != NULL &&
      g_strcmp0 (self->image_id, imgimport_event_get_image_id (event)) != 0)
    return;
  if (coalesce (self, event))
    return;
  if (self->queue.length < QUEUE_MAX)
    {
      append (self, g_object_ref (event));
      return;
    }
  g_queue_clear_full (&self->queue, g_object_unref);
  g_queue_push_tail (&self->queue, _imgimport_event_new_resync ()); /* readable it is already */
}

void
_imgimport_bus_publish (ImgImportBus *self, ImgImportEvent *event)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  guint i;

  for (i = 0; i < self->subscriptions->len; i++)
    enqueue (self->subscriptions->pdata[i], event);
}

/* ---- a subscription -------------------------------------------------------------------------- */

static void
imgimport_subscription_finalize (GObject *object)
{
  ImgImportSubscription *self = IMGIMPORT_SUBSCRIPTION (object);

  if (self->bus != NULL)
    {
      _imgimport_lock (&self->bus->lock);
      g_ptr_array_remove_fast (self->bus->subscriptions, self);
      _imgimport_unlock (&self->bus->lock);
      _imgimport_bus_unref (self->bus);
    }
  g_queue_clear_full (&self->queue, g_object_unref);
  _imgimport_fd_close (self->fd);
  g_free (self->image_id);
  G_OBJECT_CLASS (imgimport_subscription_parent_class)->finalize (object);
}

static void
imgimport_subscription_class_init (ImgImportSubscriptionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_subscription_finalize;
}

static void
imgimport_subscription_init (ImgImportSubscription *self)
{
  self->fd = -1;
  g_queue_init (&self->queue);
}

ImgImportSubscription *
_imgimport_bus_subscribe (ImgImportBus *self, const char *image_id, GError **error)
{
  g_autoptr (ImgImportSubscription) subscription = g_object_new (IMGIMPORT_TYPE_SUBSCRIPTION, NULL);
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  if (fd < 0)
    {
      _imgimport_set_error_errno (error, errno, "cannot subscribe to events");
      return NULL;
    }
  subscription->fd = fd;
  subscription->image_id = g_strdup (image_id);
  g_atomic_ref_count_inc (&self->refs);
  subscription->bus = self;
  _imgimport_lock (&self->lock);
  g_ptr_array_add (self->subscriptions, subscription);
  _imgimport_unlock (&self->lock);
  return g_steal_pointer (&subscription);
}

int
imgimport_subscription_get_fd (ImgImportSubscription *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_SUBSCRIPTION (self), -1);

  return self->fd;
}

ImgImportEvent *
imgimport_subscription_next (ImgImportSubscription *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  ImgImportEvent *event;

  g_return_val_if_fail (IMGIMPORT_IS_SUBSCRIPTION (self), NULL);

  locker = _imgimport_locker_new (&self->bus->lock);
  event = g_queue_pop_head (&self->queue);
  if (event != NULL && self->queue.length == 0)
    set_readable (self, FALSE);
  return event;
}
