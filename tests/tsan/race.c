/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two threads count: `race locked` one number under the library's lock, `race planted` the same one
 * without, `race counted` one number each in a box that whoever is last frees, `race made` one in
 * an object that each makes, of a type that nobody has made before. ThreadSanitizer has to report
 * the second alone.
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

#define RACE_TYPE_COUNTER (race_counter_get_type ())
G_DECLARE_FINAL_TYPE (RaceCounter, race_counter, RACE, COUNTER, GObject)

struct _RaceCounter
{
  GObject parent;
  guint count;
};

G_DEFINE_FINAL_TYPE (RaceCounter, race_counter, G_TYPE_OBJECT)

static void
race_counter_finalize (GObject *object)
{
  RACE_COUNTER (object)->count = 0;
  G_OBJECT_CLASS (race_counter_parent_class)->finalize (object);
}

static void
race_counter_class_init (RaceCounterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = race_counter_finalize;
}

static void
race_counter_init (RaceCounter *self)
{
  self->count = 0;
}

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

  if (strcmp (self->kind, "made") == 0)
    {
      g_autoptr (RaceCounter) counter = g_object_new (RACE_TYPE_COUNTER, NULL);

      RACE_COUNTER (counter)->count++;
      return NULL;
    }
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
