/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

#include <sys/wait.h>
#include <unistd.h>

/* Who waits for a run without end takes the place of a thread that has not come to it yet. */

typedef struct
{
  GThread *caller;
  gint n_executed;
  gint n_by_caller;
  gint n_now;
  gint n_most; /* at a time */
} Work;

static void
note_most (Work *self, gint n_now)
{
  gint n_most = g_atomic_int_get (&self->n_most);

  while (n_now > n_most && !g_atomic_int_compare_and_exchange (&self->n_most, n_most, n_now))
    n_most = g_atomic_int_get (&self->n_most);
}

static gboolean
work (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Work *self = data;

  note_most (self, g_atomic_int_add (&self->n_now, 1) + 1);
  g_thread_yield ();
  g_atomic_int_inc (&self->n_executed);
  if (g_thread_self () == self->caller)
    g_atomic_int_inc (&self->n_by_caller);
  g_atomic_int_add (&self->n_now, -1);
  return TRUE;
}

static gboolean
work_at_second_try (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  if (imgimport_task_get_attempt (task) > 1)
    return work (data, task, cancellable, error);
  imgimport_error_set (error, IMGIMPORT_ERROR_UNAVAILABLE, "scripted", "not yet");
  return FALSE;
}

static const ImgImportTaskVTable working = { IMGIMPORT_TASK_VTABLE_INIT, .execute = work };
static const ImgImportTaskVTable retried = { IMGIMPORT_TASK_VTABLE_INIT,
                                             .execute = work_at_second_try };

#define N_WIDE 4

/* Some that do not wait for each other, one after them, at its second attempt. */
static ImgImportFlow *
flow_of (Work *self)
{
  ImgImportFlow *flow = imgimport_flow_new ("flow");
  guint i;

  g_assert_true (imgimport_flow_add_task (flow, "last", &retried, self, NULL, NULL));
  g_assert_true (imgimport_flow_set_retry (flow, "last", 2, 1, 1, NULL));
  for (i = 0; i < N_WIDE; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      g_assert_true (imgimport_flow_add_task (flow, name, &working, self, NULL, NULL));
      g_assert_true (imgimport_flow_link (flow, name, "last", NULL));
    }
  return flow;
}

typedef struct
{
  Work work;
  ImgImportFlow *flow;
  ImgImportEngine *engine;
  ImgImportPool *pool;
  ImgImportRun *run;
} Fixture;

/* The run has begun, and none of the engine's threads has come to it. */
static void
set_up (Fixture *f, gconstpointer unused)
{
  f->work.caller = g_thread_self ();
  f->flow = flow_of (&f->work);
  f->engine = imgimport_engine_new (0);
  f->pool = _imgimport_engine_get_pool (f->engine);
  f->run = imgimport_run_new (f->flow, "run", NULL, NULL, NULL);
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  f->pool->max_threads = 1;
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_assert_true (imgimport_run_wait (f->run, -1));
  g_assert_cmpint ((int)imgimport_run_get_state (f->run), ==, (int)IMGIMPORT_RUN_SUCCESS);
  g_object_unref (f->run);
  g_object_unref (f->engine);
  g_object_unref (f->flow);
}

static void
tasks_are_done_by_the_one_who_waits (Fixture *f, gconstpointer unused)
{
  g_assert_true (imgimport_run_wait (f->run, -1));
  /* Not the last: its time comes when there is nothing to do but to wait for it. */
  g_assert_cmpint (f->work.n_by_caller, ==, N_WIDE);
  g_assert_cmpint (f->work.n_executed, ==, N_WIDE + 1);
  g_assert_cmpint (f->work.n_most, ==, 1);
}

static void
none_is_done_with_a_time_limit (Fixture *f, gconstpointer unused)
{
  g_assert_false (imgimport_run_wait (f->run, 0));
  g_assert_cmpint (f->work.n_executed, ==, 0);
}

static void
none_is_done_where_all_threads_are_busy (Fixture *f, gconstpointer unused)
{
  f->pool->n_turns = 1;
  _imgimport_pool_help (f->pool, f->run);
  g_assert_cmpint (f->work.n_executed, ==, 0);
  f->pool->n_turns = 0;
}

static void
none_is_done_where_another_run_comes_first (Fixture *f, gconstpointer unused)
{
  g_autoptr (ImgImportRun) second = imgimport_run_new (f->flow, "second", NULL, NULL, NULL);

  f->pool->max_threads = 0;
  g_assert_true (imgimport_run_start (second, f->engine, NULL));
  f->pool->max_threads = 1;
  _imgimport_pool_help (f->pool, second);
  g_assert_cmpint (f->work.n_executed, ==, 0);
  _imgimport_pool_help (f->pool, f->run);
  g_assert_cmpint (f->work.n_by_caller, ==, N_WIDE);
  g_assert_true (imgimport_run_wait (second, -1));
}

static void
none_is_done_in_a_forked_child (Fixture *f, gconstpointer unused)
{
  pid_t child = fork ();
  int status;

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      _imgimport_pool_help (f->pool, f->run);
      _exit (f->work.n_executed);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

#define N_CALLERS 4
#define N_RUNS 25

static gpointer
run_many (gpointer data)
{
  Fixture *f = data;
  guint i;

  for (i = 0; i < N_RUNS; i++)
    {
      g_autoptr (ImgImportRun) run = imgimport_run_new (f->flow, "run", NULL, NULL, NULL);

      g_assert_true (imgimport_run_start (run, f->engine, NULL));
      g_assert_true (imgimport_run_wait (run, -1));
      g_assert_cmpint ((int)imgimport_run_get_state (run), ==, (int)IMGIMPORT_RUN_SUCCESS);
    }
  return NULL;
}

static void
no_more_tasks_run_at_a_time_than_threads (void)
{
  GThread *callers[N_CALLERS];
  guint threads;
  guint i;

  for (threads = 1; threads <= 3; threads++)
    {
      Fixture f = { .work = { .caller = NULL } };

      f.flow = flow_of (&f.work);
      f.engine = imgimport_engine_new (threads);
      for (i = 0; i < N_CALLERS; i++)
        callers[i] = _imgimport_thread_new ("caller", run_many, &f, NULL);
      for (i = 0; i < N_CALLERS; i++)
        g_thread_join (callers[i]);
      g_assert_cmpint (f.work.n_executed, ==, N_CALLERS * N_RUNS * (N_WIDE + 1));
      g_assert_cmpint (f.work.n_most, <=, (gint)threads);
      g_object_unref (f.engine);
      g_object_unref (f.flow);
    }
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/flow/help/tasks-are-done-by-the-one-who-waits", tasks_are_done_by_the_one_who_waits);
  ADD ("/flow/help/none-is-done-with-a-time-limit", none_is_done_with_a_time_limit);
  ADD ("/flow/help/none-is-done-where-all-threads-are-busy",
       none_is_done_where_all_threads_are_busy);
  ADD ("/flow/help/none-is-done-where-another-run-comes-first",
       none_is_done_where_another_run_comes_first);
  ADD ("/flow/help/none-is-done-in-a-forked-child", none_is_done_in_a_forked_child);
  g_test_add_func ("/flow/help/no-more-tasks-run-at-a-time-than-threads",
                   no_more_tasks_run_at_a_time_than_threads);
  return g_test_run ();
}
