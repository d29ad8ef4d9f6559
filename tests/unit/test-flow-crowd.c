/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* When a thread leaves a run to others, and when it comes back. */

static gboolean
count (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  g_atomic_int_inc ((gint *)self);
  return TRUE;
}

static const ImgImportTaskVTable counting = { IMGIMPORT_TASK_VTABLE_INIT, .execute = count };

static ImgImportFlow *
flow_of (guint n, gint *n_executed)
{
  ImgImportFlow *flow = imgimport_flow_new ("flow");
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      g_assert_true (imgimport_flow_add_task (flow, name, &counting, n_executed, NULL, NULL));
    }
  return flow;
}

static void
a_thread_leaves_where_many_wait_for_the_lock (void)
{
  gint n_executed = 0;
  g_autoptr (ImgImportFlow) flow = flow_of (1, &n_executed);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "run", NULL, NULL, NULL);

  run->crowd = (ImgImportRunCrowd){ .n_turns = 2, .n_finished = 64, .n_waits = 30 };
  g_assert_false (_imgimport_run_leaves_crowd (run, 31));
  g_assert_true (_imgimport_run_leaves_crowd (run, 32));
  g_assert_true (run->crowd.is_full);
  /* What counted for one look does not count for the next. */
  g_assert_false (_imgimport_run_leaves_crowd (run, 64));
  run->crowd.n_finished += 64;
  g_assert_false (_imgimport_run_leaves_crowd (run, 64));
  g_assert_false (run->crowd.is_full);
}

static void
a_thread_stays_where_few_wait_or_nobody_else_is_there (void)
{
  gint n_executed = 0;
  g_autoptr (ImgImportFlow) flow = flow_of (1, &n_executed);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "run", NULL, NULL, NULL);

  run->crowd = (ImgImportRunCrowd){ .n_turns = 2, .n_finished = 64, .n_waits = 16 };
  g_assert_false (_imgimport_run_leaves_crowd (run, 32));
  run->crowd = (ImgImportRunCrowd){ .n_turns = 1, .n_finished = 64, .n_waits = 64 };
  g_assert_false (_imgimport_run_leaves_crowd (run, 32));
}

/* As a thread of the pool does. */
static void
take_run (ImgImportEngine *engine)
{
  ImgImportPool *pool = _imgimport_engine_get_pool (engine);
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&pool->lock);
  g_autoptr (ImgImportRun) run = NULL;
  guint32 task;

  g_assert_true (_imgimport_pool_take_work_locked (pool, &run, &task));
  g_assert_cmpuint (task, ==, IMGIMPORT_TASK_NONE);
}

static void
a_thread_stays_away_as_long_as_others_are_quick (void)
{
  gint n_executed = 0;
  g_autoptr (ImgImportFlow) flow = flow_of (3, &n_executed);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (0);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "run", NULL, NULL, NULL);
  gint64 now_us = g_get_monotonic_time ();

  g_assert_true (imgimport_run_start (run, engine, NULL));
  take_run (engine);
  run->crowd = (ImgImportRunCrowd){ .n_turns = 1, .is_full = TRUE };
  run->crowd.seen_us = now_us + G_TIME_SPAN_DAY; /* too early to tell */
  g_assert_true (_imgimport_run_avoid_crowd (run));
  take_run (engine);
  run->crowd.seen_us = now_us - G_USEC_PER_SEC;
  run->crowd.n_finished = 1000 * G_USEC_PER_SEC;
  g_assert_true (_imgimport_run_avoid_crowd (run));
  g_assert_cmpuint (run->crowd.seen_finished, ==, run->crowd.n_finished);
  take_run (engine);
  run->crowd.seen_us = now_us - G_USEC_PER_SEC;
  run->crowd.n_finished += 1000;
  g_assert_false (_imgimport_run_avoid_crowd (run));
  g_assert_false (run->crowd.is_full);
  run->crowd.n_turns = 0;
  g_assert_true (_imgimport_run_turn (run, IMGIMPORT_TASK_NONE, FALSE));
  g_assert_true (imgimport_run_wait (run, -1));
  g_assert_cmpint (n_executed, ==, 3);
}

static void
a_run_that_all_have_left_is_not_avoided (void)
{
  gint n_executed = 0;
  g_autoptr (ImgImportFlow) flow = flow_of (3, &n_executed);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (0);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "run", NULL, NULL, NULL);

  g_assert_true (imgimport_run_start (run, engine, NULL));
  take_run (engine);
  run->crowd.is_full = TRUE;
  run->crowd.seen_us = g_get_monotonic_time () + G_TIME_SPAN_DAY;
  g_assert_false (_imgimport_run_avoid_crowd (run));
  g_assert_true (_imgimport_run_turn (run, IMGIMPORT_TASK_NONE, FALSE));
  g_assert_cmpint (n_executed, ==, 3);
}

/* ---- threads --------------------------------------------------------------------------------- */

typedef struct
{
  ImgImportRun *run;
  GMutex lock;
  GCond cond;
  gboolean is_done;
} Meeting;

/* As if another thread had just left. */
static gboolean
fill (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Meeting *self = data;

  _imgimport_run_lock (self->run);
  self->run->crowd.is_full = TRUE;
  self->run->crowd.seen_finished = self->run->crowd.n_finished;
  self->run->crowd.seen_us = g_get_monotonic_time ();
  _imgimport_run_unlock (self->run);
  return TRUE;
}

static gboolean
await (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Meeting *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  while (!self->is_done)
    g_cond_wait (&self->cond, &self->lock);
  return TRUE;
}

static gboolean
arrive (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Meeting *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->is_done = TRUE;
  g_cond_broadcast (&self->cond);
  return TRUE;
}

/* The one that stayed goes on with a task that takes long: what waits behind it is done. */
static void
a_thread_that_left_comes_back_for_what_waits (void)
{
  static const ImgImportTaskVTable filling = { IMGIMPORT_TASK_VTABLE_INIT, .execute = fill };
  static const ImgImportTaskVTable awaiting = { IMGIMPORT_TASK_VTABLE_INIT, .execute = await };
  static const ImgImportTaskVTable arriving = { IMGIMPORT_TASK_VTABLE_INIT, .execute = arrive };
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("meeting");
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (2);
  Meeting meeting = { .is_done = FALSE };

  g_mutex_init (&meeting.lock);
  g_cond_init (&meeting.cond);
  g_assert_true (imgimport_flow_add_task (flow, "fill", &filling, &meeting, NULL, NULL));
  g_assert_true (imgimport_flow_add_task (flow, "await", &awaiting, &meeting, NULL, NULL));
  g_assert_true (imgimport_flow_add_task (flow, "arrive", &arriving, &meeting, NULL, NULL));
  g_assert_true (imgimport_flow_link (flow, "fill", "await", NULL));
  g_assert_true (imgimport_flow_link (flow, "fill", "arrive", NULL));
  meeting.run = imgimport_run_new (flow, "run", NULL, NULL, NULL);
  g_assert_true (imgimport_run_start (meeting.run, engine, NULL));
  g_assert_true (imgimport_run_wait (meeting.run, -1));
  g_assert_cmpint ((int)imgimport_run_get_state (meeting.run), ==, (int)IMGIMPORT_RUN_SUCCESS);
  g_object_unref (meeting.run);
  g_cond_clear (&meeting.cond);
  g_mutex_clear (&meeting.lock);
}

static void
short_tasks_are_done_once_by_however_many_threads (void)
{
  guint threads;

  for (threads = 1; threads <= 4; threads++)
    {
      gint n_executed = 0;
      g_autoptr (ImgImportFlow) flow = flow_of (20000, &n_executed);
      g_autoptr (ImgImportEngine) engine = imgimport_engine_new (threads);
      g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "run", NULL, NULL, NULL);

      g_assert_true (imgimport_run_start (run, engine, NULL));
      g_assert_true (imgimport_run_wait (run, -1));
      g_assert_cmpint (n_executed, ==, 20000);
      g_assert_cmpuint (run->crowd.n_finished, ==, 20000);
    }
}

/* ---- the end of a pool ----------------------------------------------------------------------- */

typedef struct
{
  ImgImportRun *run;
  ImgImportPool *pool;
  GMutex lock;
  GCond cond;
  gboolean is_back; /* the second thread has put the run back */
} Close;

static gboolean
is_closed (ImgImportPool *pool)
{
  gboolean closed;

  g_mutex_lock (&pool->lock);
  closed = pool->is_closed;
  g_mutex_unlock (&pool->lock);
  return closed;
}

/* On the thread that has put the run back, before it looks for other work. */
static void
wait_for_the_close (GCancellable *cancellable, gpointer data)
{
  Close *self = data;

  g_mutex_lock (&self->lock);
  self->is_back = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  while (!is_closed (self->pool))
    g_thread_yield ();
}

static void
have_a_second_thread_stay_away (Close *self)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_connect (cancellable, G_CALLBACK (wait_for_the_close), self, NULL);
  g_mutex_lock (&self->run->lock);
  self->run->crowd.is_full = TRUE;
  self->run->crowd.seen_us = G_MAXINT64 / 2; /* none too long ago */
  _imgimport_run_fire (self->run, cancellable);
  g_mutex_unlock (&self->run->lock);
  g_mutex_lock (&self->pool->lock);
  self->pool->max_threads = 2;
  g_assert_true (_imgimport_pool_add_worker_locked (self->pool, NULL));
  g_mutex_unlock (&self->pool->lock);
}

static void
await_back (Close *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  while (!self->is_back)
    g_cond_wait (&self->cond, &self->lock);
}

static gboolean
be_first (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  have_a_second_thread_stay_away (data);
  await_back (data);
  return TRUE;
}

static const ImgImportTaskVTable being_first = { IMGIMPORT_TASK_VTABLE_INIT, .execute = be_first };

static void
a_thread_that_stays_away_sees_the_end_of_its_pool (void)
{
  gint n_executed = 0;
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (1);
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("flow");
  Close close = { .pool = _imgimport_engine_get_pool (engine) };

  g_mutex_init (&close.lock);
  g_cond_init (&close.cond);
  _imgimport_pool_ref (close.pool);
  g_assert_true (imgimport_flow_add_task (flow, "first", &being_first, &close, NULL, NULL));
  g_assert_true (imgimport_flow_add_task (flow, "second", &counting, &n_executed, NULL, NULL));
  close.run = imgimport_run_new (flow, "run", NULL, NULL, NULL);
  g_assert_true (imgimport_run_start (close.run, engine, NULL));
  await_back (&close); /* none of its turns is this thread's */
  g_assert_true (imgimport_run_wait (close.run, G_MAXINT64));
  g_assert_cmpint (n_executed, ==, 1);
  g_object_unref (close.run);
  /* Returns once both threads have ended. */
  g_assert_finalize_object (g_steal_pointer (&engine));
  _imgimport_pool_unref (close.pool);
  g_cond_clear (&close.cond);
  g_mutex_clear (&close.lock);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/crowd/a-thread-leaves-where-many-wait-for-the-lock",
                   a_thread_leaves_where_many_wait_for_the_lock);
  g_test_add_func ("/flow/crowd/a-thread-stays-where-few-wait-or-nobody-else-is-there",
                   a_thread_stays_where_few_wait_or_nobody_else_is_there);
  g_test_add_func ("/flow/crowd/a-thread-stays-away-as-long-as-others-are-quick",
                   a_thread_stays_away_as_long_as_others_are_quick);
  g_test_add_func ("/flow/crowd/a-run-that-all-have-left-is-not-avoided",
                   a_run_that_all_have_left_is_not_avoided);
  g_test_add_func ("/flow/crowd/a-thread-that-left-comes-back-for-what-waits",
                   a_thread_that_left_comes_back_for_what_waits);
  g_test_add_func ("/flow/crowd/short-tasks-are-done-once-by-however-many-threads",
                   short_tasks_are_done_once_by_however_many_threads);
  g_test_add_func ("/flow/crowd/a-thread-that-stays-away-sees-the-end-of-its-pool",
                   a_thread_that_stays_away_sees_the_end_of_its_pool);
  return g_test_run ();
}
