/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-silent.h"

#include <sys/wait.h>
#include <unistd.h>

/* Where runs, time and processes meet. */

static void
suspend_own_run (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_assert_true (imgimport_run_suspend (self->fixture->run));
}

/* A thread that had taken the run from the queue before it was suspended comes to it late. */
static void
run_that_could_not_be_resumed_stays_suspended (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (ImgImportEngine) stopped = imgimport_engine_new (0);
  g_autoptr (GError) error = NULL;

  _imgimport_engine_stop (stopped);
  add_script (f, "a")->hook = suspend_own_run;
  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUSPENDED);
  g_assert_false (imgimport_run_resume (f->run, stopped, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "engine-stopped");
  _imgimport_run_turn (f->run, IMGIMPORT_TASK_NONE, FALSE);
  expect_state (f, IMGIMPORT_RUN_SUSPENDED);
  expect_trace (f, "a+");
  f->n_done = 0;
  g_assert_true (imgimport_run_resume (f->run, f->engine, NULL));
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+");
}

/* Of a journal only the head was written, or is left. */
static void
first_intent_after_a_lone_head_is_durable (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a");
  use_recorder (f, recorder);
  recorder_add_head (recorder, f->flow);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpint (recorder->durable->str[0], ==, 'd');
}

/* ---- time ------------------------------------------------------------------------------------ */

static gboolean
use_up_the_budget (ImgImportTask *task, gpointer user_data)
{
  Fixture *f = user_data;

  _imgimport_clock_advance (f->clock, 2000 * 1000);
  while (imgimport_engine_iterate (f->engine))
    continue;
  return TRUE;
}

/* It has a cancellable of its own, which was not there when the others fired. */
static void
task_that_begins_as_the_budget_ends_is_told_to_stop (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "pivot");
  add_script (f, "b");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", NULL));
  g_assert_true (imgimport_flow_set_budget (f->flow, 1000, NULL));
  g_assert_true (imgimport_flow_set_timeout (f->flow, "b", 3600 * 1000, 0, NULL));
  g_assert_true (imgimport_flow_set_condition (f->flow, "b", use_up_the_budget, f, NULL, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "pivot+ b!");
  expect_error (f, 0, "b", "budget-exhausted");
}

static guint
count_at_gate (Fixture *f)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);

  return f->n_gate;
}

/* The test is the fourth to come to the gate. */
static gboolean
wait_for_the_test (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  gate_wait (data, 4);
  return TRUE;
}

static const ImgImportTaskVTable gated = { IMGIMPORT_TASK_VTABLE_INIT,
                                           .execute = wait_for_the_test };

/* A run that takes a thread until the test lets it go. */
static ImgImportRun *
start_gated (Fixture *f)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("other");
  ImgImportRun *run;

  g_assert_true (imgimport_flow_add_task (flow, "g", &gated, f, NULL, NULL));
  run = imgimport_run_new (flow, "other", NULL, NULL, NULL);
  g_assert_true (imgimport_run_start (run, f->engine, NULL));
  return run;
}

static void
await_gated (Fixture *f)
{
  while (count_at_gate (f) < 3)
    g_thread_yield ();
}

static Script *
add_retried (Fixture *f, guint delay_ms)
{
  Script *a = add_script (f, "a");

  a->n_failures = 1;
  a->code = IMGIMPORT_ERROR_BUSY;
  g_assert_true (imgimport_flow_set_retry (f->flow, "a", 2, delay_ms, delay_ms, NULL));
  return a;
}

/* Until no thread has anything to do. */
static void
await_rest (Fixture *f)
{
  ImgImportPool *pool = _imgimport_engine_get_pool (f->engine);
  gboolean is_resting = FALSE;

  while (!is_resting)
    {
      g_autoptr (ImgImportLocker) locker = NULL;

      g_thread_yield ();
      locker = _imgimport_locker_new (&pool->lock);
      is_resting = pool->n_idle == pool->threads->len && pool->queue.length == 0;
    }
}

static guint
count_threads (Fixture *f)
{
  ImgImportPool *pool = _imgimport_engine_get_pool (f->engine);
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&pool->lock);

  return pool->threads->len;
}

/* A thread takes up other work before a retry is due: there is another for that. */
static void
retry_does_not_wait_for_a_thread_that_is_busy (void)
{
  g_autoptr (Fixture) f = fixture_new (2, TRUE);
  g_autoptr (ImgImportRun) run = NULL;

  f->n_gate = 2;
  use_real_time (f);
  add_retried (f, 3600 * 1000);
  start_run (f);
  while (count_in_trace (f, '!') == 0)
    g_thread_yield ();
  await_rest (f);
  run = start_gated (f);
  await_gated (f);
  g_assert_cmpuint (count_threads (f), ==, 2);
  gate_wait (f, 4);
  g_assert_true (imgimport_run_wait (run, -1));
  g_assert_true (imgimport_run_cancel (f->run));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
}

/* The test is the second to come to the gate. */
static void
let_the_other_queue (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  gate_wait (self->fixture, 2);
}

/* A retry is due and the only thread is busy: who waits has nothing to do with that. */
static void
drain_sleeps_while_a_retry_is_due (void)
{
  g_autoptr (Fixture) f = fixture_new (1, TRUE);
  g_autoptr (ImgImportRun) run = NULL;
  gint64 begin_us;

  add_retried (f, 20)->hook = let_the_other_queue;
  start_run (f);
  run = start_gated (f);
  gate_wait (f, 2);
  await_gated (f);
  _imgimport_clock_advance (f->clock, 20 * 1000);
  begin_us = _imgimport_clock_monotonic_us (f->clock);
  g_assert_false (imgimport_engine_drain (f->engine, 200));
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 200 * 1000);
  gate_wait (f, 4);
  g_assert_true (imgimport_run_wait (run, -1));
  g_assert_true (imgimport_engine_drain (f->engine, -1));
  expect_state (f, IMGIMPORT_RUN_SUSPENDED);
}

/* ---- processes ------------------------------------------------------------------------------- */

/* A child has none of the threads that are to be awaited, and may find locks held for ever. */
static void
forked_child_can_drop_an_engine (void)
{
  g_autoptr (Fixture) f = fixture_new (2, FALSE);
  pid_t child;
  int status;

  add_script (f, "a");
  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  /* What the threads still do may need a lock of GLib's, which the child would find held. */
  await_rest (f);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      g_autoptr (ImgImportRun) run = imgimport_run_new (f->flow, "run", NULL, NULL, NULL);
      g_autoptr (GError) error = NULL;
      gboolean refused;

      alarm (100);
      refused = !imgimport_run_start (run, f->engine, &error) &&
                g_str_equal (imgimport_error_get_reason (error), "forked");
      g_object_unref (f->engine);
      _exit (refused ? 0 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T51/could-not-be-resumed", run_that_could_not_be_resumed_stays_suspended);
  g_test_add_func ("/flow/journal/first-intent-after-a-lone-head",
                   first_intent_after_a_lone_head_is_durable);
  g_test_add_func ("/flow/budget/task-begins-as-it-ends",
                   task_that_begins_as_the_budget_ends_is_told_to_stop);
  g_test_add_func ("/flow/retry/does-not-wait-for-a-busy-thread",
                   retry_does_not_wait_for_a_thread_that_is_busy);
  g_test_add_func ("/flow/drain/sleeps-while-a-retry-is-due", drain_sleeps_while_a_retry_is_due);
  g_test_add_func ("/flow/fork/child-drops-an-engine", forked_child_can_drop_an_engine);
  return g_test_run ();
}
