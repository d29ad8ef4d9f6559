/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-world.h"

/*
 * Random graphs, disturbed at random moments from outside, with ends of the process, judged by a
 * model that only reads the list of what was called, in order, and the journal.
 *
 * IMGIMPORT_TEST_LONG=N: 6 N times as many; IMGIMPORT_TEST_SEED=N: from this seed on.
 */
#define N_GRAPHS 80
#define LONG_TIMES 6
#define MAX_CALLS 100 /* of slots, until a disturbance comes */
#define LOOK_US 100   /* between two looks whether a run has ended */

typedef enum
{
  LET_BE,
  CANCEL,
  SUSPEND,
  STOP,
  DRAIN,
  FAIL_APPEND,
  N_DISTURBANCES
} Disturbance;

static guint64
number_of (const char *name, guint64 otherwise)
{
  const char *value = g_getenv (name);

  return value != NULL ? g_ascii_strtoull (value, NULL, 10) : otherwise;
}

static guint
count_calls (World *w)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  return w->calls->len;
}

/* Nothing to do for this thread: another may be about to call a slot, or to end the run. */
static void
await_another (World *w, guint n)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  if (w->calls->len < n)
    g_cond_wait_until (&w->called, &w->lock, g_get_monotonic_time () + LOOK_US);
}

/* Until so many slots were called, or the end. */
static void
await_calls (World *w, ImgImportEngine *engine, guint n)
{
  while (count_calls (w) < n && !imgimport_run_wait (w->run, 0))
    if (!imgimport_engine_iterate (engine))
      {
        _imgimport_clock_advance (w->clock, 100);
        await_another (w, n);
      }
}

static void
disturb (World *w, ImgImportEngine *engine, Disturbance disturbance)
{
  if (disturbance == CANCEL)
    cancel (w);
  else if (disturbance == SUSPEND)
    imgimport_run_suspend (w->run);
  else if (disturbance == STOP)
    _imgimport_engine_stop (engine);
  else if (disturbance == DRAIN)
    g_assert_true (imgimport_engine_drain (engine, -1));
}

/* On another engine, with any number of threads. */
static void
resume (World *w)
{
  static const guint threads[] = { 0, 1, 2, 4 };
  g_autoptr (ImgImportEngine) engine =
      _imgimport_engine_new_with_clock (threads[pick (w, 4)], w->clock);
  g_autoptr (GError) error = NULL;

  if (chance (w, 3))
    cancel (w);
  imgimport_run_resume (w->run, engine, &error);
  g_assert_no_error (error);
  g_assert_true (imgimport_run_wait (w->run, -1));
}

static ImgImportRunState
live (World *w, guint threads, Disturbance disturbance)
{
  g_autoptr (ImgImportEngine) engine = _imgimport_engine_new_with_clock (threads, w->clock);
  g_autoptr (GError) error = NULL;

  g_clear_object (&w->run);
  w->run = imgimport_run_new (w->flow, "run", NULL, w->journal, &error);
  g_assert_no_error (error);
  g_array_set_size (w->calls, 0);
  w->is_cancelled = FALSE;
  w->n_until_append_fails = disturbance == FAIL_APPEND ? 1 + pick (w, MAX_CALLS) : 0;
  imgimport_run_start (w->run, engine, &error);
  g_assert_no_error (error);
  if (disturbance != LET_BE && disturbance != FAIL_APPEND)
    {
      await_calls (w, engine, pick (w, MAX_CALLS));
      disturb (w, engine, disturbance);
    }
  g_assert_true (imgimport_run_wait (w->run, -1));
  if (imgimport_run_get_state (w->run) == IMGIMPORT_RUN_SUSPENDED && !chance (w, 3))
    resume (w);
  return imgimport_run_get_state (w->run);
}

/* One process. Returns whether the run went to its end. */
static gboolean
live_and_judge (World *w, guint threads, Disturbance disturbance)
{
  g_autoptr (GByteArray) journal = recorder_join (w->recorder);
  g_autofree Model *m = model_new (&w->plan, journal);
  ImgImportRunState state = live (w, threads, disturbance);

  judge_calls (&w->plan, m, w->calls);
  m->is_cancelled |= w->is_cancelled;
  if (state == IMGIMPORT_RUN_INTERRUPTED)
    g_assert_true (disturbance == STOP || disturbance == FAIL_APPEND);
  else if (state == IMGIMPORT_RUN_SUSPENDED)
    g_assert_true (disturbance == SUSPEND || disturbance == DRAIN);
  else
    judge_end (&w->plan, m, state);
  return state != IMGIMPORT_RUN_INTERRUPTED && state != IMGIMPORT_RUN_SUSPENDED;
}

/* The journal is what a process that ended at some moment left: a later one knows only that. What
 * the first one had called after that moment may be called again, and must be undone. The moment is
 * before or after a record of a kind that is chosen first, so that the rare ones are met too. */
static void
cut_journal (World *w)
{
  g_autoptr (GByteArray) all = recorder_join (w->recorder);
  g_autoptr (GArray) cuts = g_array_new (FALSE, FALSE, sizeof (gsize));
  guint kind = 1 + pick (w, IMGIMPORT_FLOW_RECORD_FIRST);
  gsize at;

  for (at = 0; at < all->len; at += record_size (all->data + at))
    if (all->data[at + 9] == kind)
      {
        gsize after = at + record_size (all->data + at);

        g_array_append_val (cuts, at);
        g_array_append_val (cuts, after);
      }
  if (cuts->len > 0)
    recorder_set (w->recorder, all->data, g_array_index (cuts, gsize, pick (w, cuts->len)));
}

static void
live_a_life (guint32 seed, guint threads, gboolean is_disturbed)
{
  g_autoptr (World) w = world_new (seed, is_disturbed ? MAX_TASKS / 4 : MAX_TASKS);
  gboolean has_ended = FALSE;
  guint n_crashes;
  guint n_lives;

  for (n_lives = 0; !has_ended; n_lives++)
    has_ended = live_and_judge (
        w, threads, is_disturbed && n_lives < 4 ? (Disturbance)pick (w, N_DISTURBANCES) : LET_BE);
  for (n_crashes = 0; n_crashes < 4; n_crashes++)
    {
      cut_journal (w);
      g_assert_true (live_and_judge (w, threads, LET_BE));
    }
}

static void
random_lives_end_well (guint threads, gboolean is_disturbed)
{
  guint32 first = (guint32)number_of ("IMGIMPORT_TEST_SEED", 1);
  guint32 n_long = (guint32)number_of ("IMGIMPORT_TEST_LONG", 0);
  guint32 n = N_GRAPHS * (n_long > 0 ? n_long * LONG_TIMES : 1);
  guint32 seed;

  for (seed = first; seed < first + n; seed++)
    {
      if (n > N_GRAPHS)
        g_test_message ("seed %u", seed);
      live_a_life (seed, threads, is_disturbed);
    }
}

static void
random_graphs_end_well_after_crashes (gconstpointer threads)
{
  random_lives_end_well (GPOINTER_TO_UINT (threads), FALSE);
}

static void
random_graphs_end_well_when_disturbed (gconstpointer threads)
{
  random_lives_end_well (GPOINTER_TO_UINT (threads), TRUE);
}

static void
add_for_threads (const char *path, GTestDataFunc func)
{
  guint threads;

  for (threads = 0; threads <= 4; threads = MAX (1, 2 * threads))
    {
      g_autofree char *name = g_strdup_printf ("%s/%u-threads", path, threads);

      g_test_add_data_func (name, GUINT_TO_POINTER (threads), func);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_for_threads ("/flow/T56/random-graphs-after-crashes", random_graphs_end_well_after_crashes);
  add_for_threads ("/flow/T21-T25/random-graphs-disturbed", random_graphs_end_well_when_disturbed);
  return g_test_run ();
}
