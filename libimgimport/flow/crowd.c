/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * Threads that do very short tasks of one run are in each other's way: they wait for its lock, and
 * what one has written the other has to fetch. Then one of them leaves, and looks again and again
 * whether those who stay still are as quick: a task that takes longer has others wait behind it.
 */

/* How many tasks a thread does between two looks, and how many of these may have had to wait. */
#define LOOK_TASKS 32
#define WAITS_MAX(n) ((n) / 4)

/* How long a task may take where others are not missed, and the least time that says so. */
#define SHORT_NS 700
#define LOOK_US 20

static void
look (ImgImportRunCrowd *self)
{
  self->seen_finished = self->n_finished;
  self->seen_waits = self->n_waits;
  self->seen_us = g_get_monotonic_time ();
}

gboolean
_imgimport_run_leaves_crowd (ImgImportRun *self, guint n_done)
{
  ImgImportRunCrowd *crowd = &self->crowd;
  guint n_finished = crowd->n_finished - crowd->seen_finished;

  if (n_done % LOOK_TASKS > 0 || crowd->n_turns < 2 || n_finished < LOOK_TASKS)
    return FALSE;
  crowd->is_full = crowd->n_waits - crowd->seen_waits > WAITS_MAX (n_finished);
  look (crowd);
  return crowd->is_full;
}

static gboolean
is_quick (ImgImportRunCrowd *self)
{
  gint64 elapsed_us = g_get_monotonic_time () - self->seen_us;
  gint64 n_finished = self->n_finished - self->seen_finished;

  if (elapsed_us < LOOK_US)
    return TRUE;
  look (self);
  return n_finished * SHORT_NS >= elapsed_us * 1000;
}

gboolean
_imgimport_run_avoid_crowd (ImgImportRun *self)
{
  ImgImportRunCrowd *crowd = &self->crowd;
  gboolean avoids;

  _imgimport_run_lock (self);
  crowd->is_full = crowd->is_full && crowd->n_turns > 0 && self->is_queued && self->n_ready > 0 &&
                   is_quick (crowd);
  avoids = crowd->is_full;
  if (avoids)
    _imgimport_pool_put_back (self->pool, self);
  _imgimport_run_unlock (self);
  return avoids;
}
