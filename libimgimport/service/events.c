/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

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
  char *image_id;           /* NULL: all */
  char *ended_job;          /* only the end of this; NULL: all */
  ImgImportMailbox mailbox; /* under the bus's lock: of ImgImportEvent */
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
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->subscriptions);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* ---- a queue, under the lock ----------------------------------------------------------------- */

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
  for (l = self->mailbox.items.tail; l != NULL; l = l->prev)
    if (is_same_progress (l->data, event))
      {
        g_object_unref (l->data);
        g_queue_delete_link (&self->mailbox.items, l);
        g_queue_push_tail (&self->mailbox.items, g_object_ref (event));
        return TRUE;
      }
  return FALSE;
}

static gboolean
is_end_of (ImgImportEvent *event, const char *job_id)
{
  const char *status = imgimport_event_get_status (event);

  return imgimport_event_get_kind (event) == IMGIMPORT_EVENT_JOB &&
         g_strcmp0 (imgimport_event_get_job_id (event), job_id) == 0 &&
         (g_strcmp0 (status, imgimport_job_status_to_string (IMGIMPORT_JOB_SUCCESS)) == 0 ||
          g_strcmp0 (status, imgimport_job_status_to_string (IMGIMPORT_JOB_FAILURE)) == 0);
}

static gboolean
wants (const ImgImportSubscription *self, ImgImportEvent *event)
{
  if (self->ended_job != NULL)
    return is_end_of (event, self->ended_job);
  return self->image_id == NULL ||
         g_strcmp0 (self->image_id, imgimport_event_get_image_id (event)) == 0;
}

static void
enqueue (ImgImportSubscription *self, ImgImportEvent *event)
{
  if (!wants (self, event))
    return;
  if (coalesce (self, event))
    return;
  if (_imgimport_mailbox_is_full (&self->mailbox))
    _imgimport_mailbox_replace (&self->mailbox, _imgimport_event_new_resync (), g_object_unref);
  else
    _imgimport_mailbox_push (&self->mailbox, g_object_ref (event));
}

void
_imgimport_bus_publish (ImgImportBus *self, ImgImportEvent *event)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  guint i;

  for (i = 0; i < self->subscriptions->len; i++)
    enqueue (self->subscriptions->pdata[i], event);
}

gboolean
_imgimport_bus_is_heard (ImgImportBus *self, ImgImportEventKind kind)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  guint i;

  for (i = 0; i < self->subscriptions->len; i++)
    {
      const ImgImportSubscription *subscription = self->subscriptions->pdata[i];

      if (subscription->ended_job == NULL || kind == IMGIMPORT_EVENT_JOB)
        return TRUE;
    }
  return FALSE;
}

/* ---- a subscription -------------------------------------------------------------------------- */

static void
imgimport_subscription_finalize (GObject *object)
{
  ImgImportSubscription *self = IMGIMPORT_SUBSCRIPTION (object);

  if (self->bus != NULL)
    {
      g_mutex_lock (&self->bus->lock);
      g_ptr_array_remove_fast (self->bus->subscriptions, self);
      g_mutex_unlock (&self->bus->lock);
      _imgimport_bus_unref (self->bus);
    }
  _imgimport_mailbox_clear (&self->mailbox, g_object_unref);
  g_free (self->image_id);
  g_free (self->ended_job);
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
  self->mailbox.fd = -1;
}

static ImgImportSubscription *
subscribe (ImgImportBus *self, const char *image_id, const char *ended_job, GError **error)
{
  g_autoptr (ImgImportSubscription) subscription = g_object_new (IMGIMPORT_TYPE_SUBSCRIPTION, NULL);

  if (!_imgimport_mailbox_init (&subscription->mailbox, QUEUE_MAX, error))
    return NULL;
  subscription->image_id = g_strdup (image_id);
  subscription->ended_job = g_strdup (ended_job);
  g_atomic_ref_count_inc (&self->refs);
  subscription->bus = self;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->subscriptions, subscription);
  g_mutex_unlock (&self->lock);
  return g_steal_pointer (&subscription);
}

ImgImportSubscription *
_imgimport_bus_subscribe (ImgImportBus *self, const char *image_id, GError **error)
{
  return subscribe (self, image_id, NULL, error);
}

ImgImportSubscription *
_imgimport_bus_subscribe_end (ImgImportBus *self, const char *job_id, GError **error)
{
  return subscribe (self, NULL, job_id, error);
}

int
imgimport_subscription_get_fd (ImgImportSubscription *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_SUBSCRIPTION (self), -1);

  return self->mailbox.fd;
}

ImgImportEvent *
imgimport_subscription_next (ImgImportSubscription *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SUBSCRIPTION (self), NULL);

  locker = _imgimport_locker_new (&self->bus->lock);
  return _imgimport_mailbox_pop (&self->mailbox);
}
