/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two threads count: `race locked` one number under the library's lock, `race planted` the same one
 * without, `race counted` one number each in a box that whoever is last frees. ThreadSanitizer has
 * to report the second alone.
 */
#include "base/base-private.h"

#include <string.h>

#define N_ROUNDS 20000
#define N_THREADS 2

typedef struct
{
  guint counts[N_THREADS];
} Box;

typedef struct
{
  const char *kind;
  GMutex lock;
  gint n_started;
  Box *box; /* a reference for each thread */
} Shared;

static void
count_up (Shared *self, guint i)
{
  if (strcmp (self->kind, "locked") == 0)
    {
      g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

      self->box->counts[0]++;
    }
  else
    self->box->counts[strcmp (self->kind, "counted") == 0 ? i : 0]++;
}

static gpointer
count_up_often (gpointer data)
{
  Shared *self = data;
  guint i = (guint)g_atomic_int_add (&self->n_started, 1);
  guint round;

  for (round = 0; round < N_ROUNDS; round++)
    count_up (self, i);
  g_atomic_rc_box_release (self->box);
  return NULL;
}

int
main (int argc, char **argv)
{
  Shared shared = { .kind = argc > 1 ? argv[1] : "" };
  GThread *threads[N_THREADS];
  guint i;

  g_mutex_init (&shared.lock);
  shared.box = g_atomic_rc_box_new0 (Box);
  for (i = 1; i < N_THREADS; i++)
    g_atomic_rc_box_acquire (shared.box);
  for (i = 0; i < N_THREADS; i++)
    threads[i] = _imgimport_thread_new ("race", count_up_often, &shared, NULL);
  for (i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_mutex_clear (&shared.lock);
  return 0;
}
