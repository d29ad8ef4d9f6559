/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-silent.h"

/* Runs that go from one engine to another, and engines that need one thread more. */

/* ---- runs that go elsewhere ------------------------------------------------------------------ */

typedef struct
{
  Fixture *f;
  Silent *silent;
  ImgImportEngine *other;
} Move;

static void
move_to_other (Move *self)
{
  g_assert_true (imgimport_run_suspend (self->f->run));
  while (imgimport_run_get_state (self->f->run) != IMGIMPORT_RUN_SUSPENDED)
    g_assert_true (imgimport_engine_iterate (self->f->engine));
  self->f->n_done = 0;
  g_assert_true (imgimport_run_resume (self->f->run, self->other, NULL));
}

/* While the engine is being stopped. */
static void
move_run (GCancellable *cancellable, gpointer data)
{
  Move *self = data;

  move_to_other (self);
  imgimport_task_complete (self->silent->task, NULL);
}

static void
run_that_has_gone_elsewhere_is_not_stopped (void)
{
  g_autoptr (ImgImportEngine) other = imgimport_engine_new (0);
  g_autoptr (Fixture) first = fixture_new (0, TRUE);
  g_autoptr (Silent) s = add_silent (first);
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Move move = { f, s, other };
  ImgImportEngine *own = f->engine;

  /* One engine for both. */
  f->engine = first->engine;
  start_run (first);
  iterate_all (first);
  g_cancellable_connect (s->cancellable, G_CALLBACK (move_run), &move, NULL);
  add_script (f, "a");
  start_run (f);
  _imgimport_engine_stop (first->engine);
  f->engine = own;
  expect_state (first, IMGIMPORT_RUN_INTERRUPTED);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
}

static void
move_drained (GCancellable *cancellable, gpointer data)
{
  move_to_other (data);
}

/* While the engine is being drained: what is fired as the first run is suspended moves the second.
 */
static void
run_that_has_gone_elsewhere_is_not_suspended (void)
{
  g_autoptr (ImgImportEngine) other = imgimport_engine_new (0);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (Fixture) first = fixture_new (0, TRUE);
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Move move = { f, NULL, other };
  ImgImportEngine *own = f->engine;

  f->engine = first->engine;
  add_script (first, "a");
  add_script (f, "a");
  start_run (first);
  start_run (f);
  g_cancellable_connect (cancellable, G_CALLBACK (move_drained), &move, NULL);
  g_mutex_lock (&first->run->lock);
  _imgimport_run_fire (first->run, cancellable);
  g_mutex_unlock (&first->run->lock);
  g_assert_true (imgimport_engine_drain (first->engine, -1));
  f->engine = own;
  expect_state (first, IMGIMPORT_RUN_SUSPENDED);
  expect_state (f, IMGIMPORT_RUN_RUNNING);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
}

static gboolean
move_other_run (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  move_to_other (data);
  return TRUE;
}

static const ImgImportTaskVTable moving = { IMGIMPORT_TASK_VTABLE_INIT, .execute = move_other_run };

/* Who waits for the run drives the engine that it has left. */
static void
wait_follows_a_run_that_goes_elsewhere (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (ImgImportEngine) other =
      _imgimport_engine_new_with_clock (GPOINTER_TO_UINT (threads), f->clock);
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("mover");
  g_autoptr (ImgImportRun) mover = NULL;
  Move move = { f, NULL, other };

  g_assert_true (imgimport_flow_add_task (flow, "m", &moving, &move, NULL, NULL));
  mover = imgimport_run_new (flow, "mover", NULL, NULL, NULL);
  g_assert_true (imgimport_run_start (mover, f->engine, NULL));
  add_script (f, "a");
  start_run (f);
  g_assert_true (imgimport_run_wait (f->run, 3600 * 1000));
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+");
  g_assert_true (imgimport_run_wait (mover, 0));
}

/* ---- a thread that is not there yet ---------------------------------------------------------- */

/* Stages: 1: "first" may end, 2: "second" has begun, 3: all may end. */
static void
enter_stage (Fixture *f, guint stage)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);

  f->n_gate = MAX (f->n_gate, stage);
  g_cond_broadcast (&f->cond);
}

static void
await_stage (Fixture *f, guint stage)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);

  while (f->n_gate < stage)
    g_cond_wait (&f->cond, &f->lock);
}

static void
await_first (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  await_stage (self->fixture, 1);
}

static void
be_second (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  enter_stage (self->fixture, 2);
}

static void
await_second (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  await_stage (self->fixture, 2);
}

static gboolean
occupy (gpointer f, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  await_stage (f, 3);
  return TRUE;
}

static const ImgImportTaskVTable occupying = { IMGIMPORT_TASK_VTABLE_INIT, .execute = occupy };

/* Whether `n_busy` threads of the engine are busy, "second" waits for its place and the others have
 * nothing to do; answers how many they are. */
static gboolean
is_at_rest (Fixture *f, guint n_busy, guint *n_spare)
{
  ImgImportPool *pool = _imgimport_engine_get_pool (f->engine);
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&pool->lock);

  *n_spare = pool->n_idle;
  return pool->parked[IMGIMPORT_TASK_CLASS_NETWORK].length == 1 &&
         _imgimport_pool_count_workers_locked (pool) == n_busy + pool->n_idle;
}

static guint
count_spare (Fixture *f, guint n_busy)
{
  guint n_spare;

  while (!is_at_rest (f, n_busy, &n_spare))
    g_thread_yield ();
  g_assert_cmpuint (n_busy + n_spare, <, f->threads);
  return n_spare;
}

static void
add_occupant (Fixture *f, ImgImportFlow *flow, GPtrArray *runs)
{
  ImgImportRun *run = imgimport_run_new (flow, "other", NULL, NULL, NULL);
  ImgImportTaskState state = IMGIMPORT_TASK_PENDING;

  g_ptr_array_add (runs, run);
  g_assert_true (imgimport_run_start (run, f->engine, NULL));
  while (state != IMGIMPORT_TASK_RUNNING)
    g_assert_true (imgimport_run_get_task_state (run, "o", &state, NULL));
}

/* The place that it waited for is left by a thread which goes on with a task that takes long; all
 * other threads that there are have such ones. */
static void
place_is_taken_by_a_thread_that_is_started_for_it (void)
{
  g_autoptr (Fixture) f = fixture_new (16, FALSE);
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("other");
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);
  const char *const names[] = { "first", "second" };
  guint i;

  use_real_time (f);
  imgimport_engine_set_limit (f->engine, IMGIMPORT_TASK_CLASS_NETWORK, 1);
  add_script (f, "first")->hook = await_first;
  add_script (f, "second")->hook = be_second;
  add_script (f, "third")->hook = await_second;
  add_link (f, "first", "third");
  for (i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_true (
        imgimport_flow_set_class (f->flow, names[i], IMGIMPORT_TASK_CLASS_NETWORK, NULL));
  g_assert_true (imgimport_flow_add_task (flow, "o", &occupying, f, NULL, NULL));
  start_run (f);
  while (count_spare (f, 1 + others->len) > 0)
    add_occupant (f, flow, others);
  enter_stage (f, 1);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  enter_stage (f, 3);
  for (i = 0; i < others->len; i++)
    g_assert_true (imgimport_run_wait (g_ptr_array_index (others, i), -1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/stop/run-that-has-gone-elsewhere",
                   run_that_has_gone_elsewhere_is_not_stopped);
  g_test_add_func ("/flow/drain/run-that-has-gone-elsewhere",
                   run_that_has_gone_elsewhere_is_not_suspended);
  g_test_add_data_func ("/flow/wait/run-that-goes-elsewhere/0-threads", GUINT_TO_POINTER (0),
                        wait_follows_a_run_that_goes_elsewhere);
  g_test_add_data_func ("/flow/wait/run-that-goes-elsewhere/2-threads", GUINT_TO_POINTER (2),
                        wait_follows_a_run_that_goes_elsewhere);
  g_test_add_func ("/flow/class/place-is-taken-by-a-new-thread",
                   place_is_taken_by_a_thread_that_is_started_for_it);
  return g_test_run ();
}
