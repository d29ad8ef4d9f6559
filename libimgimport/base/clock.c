/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

/* Not 0, so that nobody takes a fake time for one that was never set. */
#define FAKE_START_US ((gint64)1000 * G_USEC_PER_SEC)

struct _ImgImportClock
{
  gatomicrefcount refs;
  gboolean fake;
  GMutex lock; /* the two times of a fake clock */
  gint64 monotonic_us;
  gint64 wall_us;
};

static ImgImportClock *
clock_new (gboolean fake, gint64 monotonic_us, gint64 wall_us)
{
  ImgImportClock *self = g_new0 (ImgImportClock, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->fake = fake;
  self->monotonic_us = monotonic_us;
  self->wall_us = wall_us;
  return self;
}

ImgImportClock *
_imgimport_clock_new_system (void)
{
  return clock_new (FALSE, 0, 0);
}

ImgImportClock *
_imgimport_clock_new_fake (gint64 wall_us)
{
  return clock_new (TRUE, FAKE_START_US, wall_us);
}

ImgImportClock *
_imgimport_clock_ref (ImgImportClock *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
_imgimport_clock_unref (ImgImportClock *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

gint64
_imgimport_clock_monotonic_us (ImgImportClock *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!self->fake)
    return g_get_monotonic_time ();
  locker = _imgimport_locker_new (&self->lock);
  return self->monotonic_us;
}

gint64
_imgimport_clock_wall_us (ImgImportClock *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!self->fake)
    return g_get_real_time ();
  locker = _imgimport_locker_new (&self->lock);
  return self->wall_us;
}

/* Call with the lock held. */
static void
move_by (ImgImportClock *self, gint64 delta_us)
{
  self->monotonic_us += delta_us;
  self->wall_us += delta_us;
}

static void
move_until (ImgImportClock *self, gint64 monotonic_us)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (monotonic_us > self->monotonic_us)
    move_by (self, monotonic_us - self->monotonic_us);
}

gboolean
_imgimport_clock_wait_until (ImgImportClock *self, GCond *cond, GMutex *mutex, gint64 monotonic_us)
{
  if (monotonic_us == G_MAXINT64)
    {
      g_cond_wait (cond, mutex);
      return TRUE;
    }
  if (!self->fake)
    return g_cond_wait_until (cond, mutex, monotonic_us);

  /* Like every wait, this one lets others in meanwhile. */
  g_mutex_unlock (mutex);
  move_until (self, monotonic_us);
  g_mutex_lock (mutex);
  return FALSE;
}

void
_imgimport_clock_advance (ImgImportClock *self, gint64 delta_us)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_if_fail (self->fake && delta_us >= 0);

  locker = _imgimport_locker_new (&self->lock);
  move_by (self, delta_us);
}
