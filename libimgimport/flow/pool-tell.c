/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * The thread that tells the readers of runs, once for many events, where these come so fast that
 * telling of each would cost more than what it is about. It sleeps while they do not.
 */

/* How often it looks in vain before it sleeps, and the time between. */
#define LOOKS_MAX 20
#define LOOK_US 100

/* The runs whose readers are to be told of events; NULL for none. */
static GPtrArray *
find_untold (ImgImportPool *self)
{
  GPtrArray *runs = NULL;
  GList *link;

  for (link = self->active.head; link != NULL; link = link->next)
    {
      ImgImportRun *run = link->data;

      if (!g_atomic_int_get (&run->watch.is_untold))
        continue;
      if (runs == NULL)
        runs = g_ptr_array_new_with_free_func (g_object_unref);
      g_ptr_array_add (runs, g_object_ref (run));
    }
  return runs;
}

/* Drops the lock where there is something to do; returns whether there was. */
static gboolean
tell_readers (ImgImportPool *self)
{
  GPtrArray *runs = find_untold (self);
  guint i;

  if (runs == NULL)
    return FALSE;
  g_mutex_unlock (&self->lock);
  for (i = 0; i < runs->len; i++)
    _imgimport_run_watch_tell_all (g_ptr_array_index (runs, i));
  g_ptr_array_unref (runs);
  g_mutex_lock (&self->lock);
  return TRUE;
}

/* Nobody leaves anything to it any more: what was left is told of after that. */
static void
sleep_until_asked (ImgImportPool *self)
{
  g_atomic_int_set (&self->is_watched, FALSE);
  tell_readers (self);
  while (!self->needs_teller && !self->is_closed)
    g_cond_wait (&self->tell_cond, &self->lock);
  self->needs_teller = FALSE;
  g_atomic_int_set (&self->is_watched, TRUE);
}

static gpointer
tell_main (gpointer data)
{
  ImgImportPool *self = data;
  guint n_looks = LOOKS_MAX;

  g_mutex_lock (&self->lock);
  while (!self->is_closed)
    {
      if (n_looks == LOOKS_MAX)
        {
          sleep_until_asked (self);
          n_looks = 0;
        }
      g_cond_wait_until (&self->tell_cond, &self->lock, g_get_monotonic_time () + LOOK_US);
      n_looks = tell_readers (self) ? 0 : n_looks + 1;
    }
  g_mutex_unlock (&self->lock);
  _imgimport_pool_unref (self);
  return NULL;
}

gboolean
_imgimport_pool_is_watched (ImgImportPool *self)
{
  return g_atomic_int_get (&self->is_watched);
}

void
_imgimport_pool_ask_teller (ImgImportPool *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (self->max_threads == 0 || self->is_closed)
    return;
  self->needs_teller = TRUE;
  if (!self->has_teller)
    self->has_teller = _imgimport_pool_add_thread_locked (self, tell_main, NULL);
  g_cond_signal (&self->tell_cond);
}
