/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `race locked` counts on two threads under the library's lock; `race planted` counts without one.
 * ThreadSanitizer has to be silent about the first and to report the second.
 */
#include "base/base-private.h"

#include <string.h>

#define N_ROUNDS 20000

typedef struct
{
  GMutex lock;
  gboolean locked;
  guint count;
} Shared;

static gpointer
count_up (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < N_ROUNDS; i++)
    {
      if (shared->locked)
        _imgimport_lock (&shared->lock);
      shared->count++;
      if (shared->locked)
        _imgimport_unlock (&shared->lock);
    }
  return NULL;
}

int
main (int argc, char **argv)
{
  Shared shared = { .locked = argc > 1 && strcmp (argv[1], "locked") == 0 };
  ImgImportThread *threads[2];

  g_mutex_init (&shared.lock);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = _imgimport_thread_new ("race", count_up, &shared, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    _imgimport_thread_join (threads[i]);
  g_mutex_clear (&shared.lock);
  return shared.locked && shared.count != 2 * N_ROUNDS;
}
