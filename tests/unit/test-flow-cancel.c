/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

static void
cancel_reverts_what_was_executed (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  Script *b;
  const char *task = "";

  add_script (f, "a");
  b = add_script (f, "b");
  b->hook = cancel_own_run;
  add_script (f, "c");
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ b! b- a-");
  g_assert_true (b->saw_cancel);
  g_assert_false (b->revert_saw_cancel);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
  g_assert_true (imgimport_error_is_cancelled (imgimport_run_get_error (f->run, 0, &task)));
  g_assert_null (task);
  g_assert_false (imgimport_run_cancel (f->run));
}

static void
cancel_before_start_runs_nothing (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  prepare_run (f);
  g_assert_true (imgimport_run_cancel (f->run));
  g_assert_false (imgimport_run_cancel (f->run));
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "");
}

static void
failing_revert_after_cancel_is_partial (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a")->revert_fails = TRUE;
  add_script (f, "b")->hook = cancel_own_run;
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  expect_trace (f, "a+ b! b- a~");
}

static void
cancel_of_a_failing_run_changes_nothing (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a");
  add_script (f, "b")->n_failures = 1;
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  g_assert_true (imgimport_engine_iterate (f->engine));
  g_assert_false (imgimport_run_cancel (f->run));
  expect_state (f, IMGIMPORT_RUN_REVERTING);
  expect_end (f, IMGIMPORT_RUN_REVERTED);
}

static void
cancel_between_tasks_starts_no_further_one (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a");
  add_script (f, "b");
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  g_assert_true (imgimport_run_cancel (f->run));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ a-");
  expect_task (f, "b", IMGIMPORT_TASK_PENDING);
}

static Fixture *
with_pivot (gconstpointer threads, Script **pivot, Script **late)
{
  Fixture *f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  *pivot = add_script (f, "p");
  *late = add_script (f, "late");
  add_script (f, "last");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "p", NULL));
  return f;
}

static void
failing_pivot_reverts (gconstpointer threads)
{
  Script *pivot;
  Script *late;
  g_autoptr (Fixture) f = with_pivot (threads, &pivot, &late);

  pivot->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ p! p- a-");
  g_assert_false (imgimport_run_is_past_pivot (f->run));
}

static void
failure_after_the_pivot_is_a_warning (gconstpointer threads)
{
  Script *pivot;
  Script *late;
  g_autoptr (Fixture) f = with_pivot (threads, &pivot, &late);

  late->n_failures = 2;
  late->code = IMGIMPORT_ERROR_BUSY;
  g_assert_true (imgimport_flow_set_retry (f->flow, "late", 2, 0, 0, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ p+ late! late! last+");
  expect_task (f, "late", IMGIMPORT_TASK_FAILURE);
  g_assert_true (imgimport_run_is_past_pivot (f->run));
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
  expect_error (f, 0, "late", "scripted");
}

static void
expect_cancel_refused (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_assert_false (imgimport_run_cancel (self->fixture->run));
  g_assert_false (g_cancellable_is_cancelled (cancellable));
}

static void
cancel_after_the_pivot_changes_nothing (gconstpointer threads)
{
  Script *pivot;
  Script *late;
  g_autoptr (Fixture) f = with_pivot (threads, &pivot, &late);

  late->hook = expect_cancel_refused;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ p+ late+ last+");
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 0);
}

static gboolean
cancel_and_succeed (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Fixture *f = data;

  g_assert_true (imgimport_run_cancel (f->run));
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  leave_trace (f, "p", '+');
  return TRUE;
}

static void
pivot_that_outruns_the_cancel_wins (gconstpointer threads)
{
  static const ImgImportTaskVTable vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                              .execute = cancel_and_succeed };
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  Script *late;

  add_script (f, "a");
  g_assert_true (imgimport_flow_add_task (f->flow, "p", &vtable, f, NULL, NULL));
  late = add_script (f, "late");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "p", NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ p+ late+");
  g_assert_false (late->saw_cancel);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 0);
}

static void
stopped_engine_interrupts_and_reverts_nothing (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (ImgImportRun) second = NULL;
  g_autoptr (GError) error = NULL;

  add_script (f, "a")->code = IMGIMPORT_ERROR_UNAVAILABLE;
  ((Script *)g_ptr_array_index (f->scripts, 0))->n_failures = G_MAXUINT;
  g_assert_true (imgimport_flow_set_retry (f->flow, "a", G_MAXUINT, 1, 1, NULL));
  start_run (f);
  if (threads == NULL)
    g_assert_true (imgimport_engine_iterate (f->engine));
  _imgimport_engine_stop (f->engine);
  expect_end (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_task (f, "a", IMGIMPORT_TASK_PENDING);
  expect_error (f, imgimport_run_get_n_errors (f->run) - 1, NULL, "engine-stopped");
  g_assert_null (strstr (f->trace->str, "a-"));
  second = imgimport_run_new (f->flow, "second", NULL, NULL, NULL);
  g_assert_false (imgimport_run_start (second, f->engine, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "engine-stopped");
}

static void
come_to_gate (GCancellable *cancellable, gpointer data)
{
  gate_wait (data, 3);
}

static gboolean
execute_nothing (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

/* The test is the second to come to the gate, what fires the cancellable the third. */
static gboolean
revert_until_told_to_stop (gpointer data, ImgImportTask *task, GCancellable *cancellable,
                           GError **error)
{
  gulong id = g_cancellable_connect (cancellable, G_CALLBACK (come_to_gate), data, NULL);

  gate_wait (data, 3);
  g_cancellable_disconnect (cancellable, id);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static void
stopped_engine_interrupts_a_revert (void)
{
  static const ImgImportTaskVTable vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                              .execute = execute_nothing,
                                              .revert = revert_until_told_to_stop };
  g_autoptr (Fixture) f = fixture_new (1, TRUE);

  add_script (f, "a");
  g_assert_true (imgimport_flow_add_task (f->flow, "slow", &vtable, f, NULL, NULL));
  add_script (f, "b")->n_failures = 1;
  start_run (f);
  gate_wait (f, 2);
  expect_state (f, IMGIMPORT_RUN_REVERTING);
  _imgimport_engine_stop (f->engine);
  expect_end (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_trace (f, "a+ b! b-");
  expect_error (f, 0, "b", "scripted");
  expect_error (f, 1, NULL, "engine-stopped");
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 2);
}

static void
cancel_of_many_queued_is_quick (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gint64 begin_us;
  guint i;

  add_script (f, "first")->hook = cancel_own_run;
  for (i = 0; i < 10000; i++)
    {
      g_ptr_array_add (names, g_strdup_printf ("t%u", i));
      add_script (f, g_ptr_array_index (names, i));
      add_link (f, "first", g_ptr_array_index (names, i));
    }
  g_assert_true (imgimport_flow_compile (f->flow, NULL));
  begin_us = g_get_monotonic_time ();
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  if (g_test_perf ())
    g_assert_cmpint (g_get_monotonic_time () - begin_us, <, 250 * 1000);
  expect_trace (f, "first! first-");
}

#define N_QUEUED 10000

static void
hold_thread (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  if (self->fixture->threads > 0)
    gate_wait (self->fixture, self->fixture->threads + 1);
}

static void
await_threads (Fixture *f)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);

  while (f->n_gate < f->threads)
    g_cond_wait (&f->cond, &f->lock);
}

/* Quiet once cancel has returned, told by what is still done and not by a clock: the tasks that had
 * begun end and are reverted, and of those that are queued none is so much as looked at. */
static void
none_of_many_queued_starts (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint n_begun = MAX (f->threads, 1);
  guint n_turns = 0;
  guint i;

  for (i = 0; i < N_QUEUED; i++)
    {
      g_ptr_array_add (names, g_strdup_printf ("t%u", i));
      add_script (f, g_ptr_array_index (names, i))->hook = hold_thread;
    }
  start_run (f);
  if (f->threads == 0)
    g_assert_true (imgimport_engine_iterate (f->engine));
  await_threads (f);
  g_assert_true (imgimport_run_cancel (f->run));
  if (f->threads > 0)
    gate_wait (f, f->threads + 1);
  while (f->threads == 0 && imgimport_engine_iterate (f->engine))
    n_turns++;
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  g_assert_cmpuint (n_turns, <=, n_begun + 1);
  g_assert_cmpuint (count_in_trace (f, '+') + count_in_trace (f, '!'), ==, n_begun);
  g_assert_cmpuint (count_in_trace (f, '-'), ==, n_begun);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/cancel/reverts-what-was-executed", cancel_reverts_what_was_executed);
  add_both ("/flow/cancel/before-start-runs-nothing", cancel_before_start_runs_nothing);
  add_both ("/flow/cancel/failing-revert-after-cancel-is-partial",
            failing_revert_after_cancel_is_partial);
  g_test_add_func ("/flow/cancel/of-a-failing-run-changes-nothing",
                   cancel_of_a_failing_run_changes_nothing);
  g_test_add_func ("/flow/cancel/between-tasks-starts-no-further-one",
                   cancel_between_tasks_starts_no_further_one);
  add_both ("/flow/cancel/of-many-queued-is-quick", cancel_of_many_queued_is_quick);
  add_both ("/flow/cancel/none-of-many-queued-starts", none_of_many_queued_starts);
  add_both ("/flow/pivot/failing-pivot-reverts", failing_pivot_reverts);
  add_both ("/flow/pivot/failure-after-it-is-a-warning", failure_after_the_pivot_is_a_warning);
  add_both ("/flow/pivot/cancel-after-it-changes-nothing", cancel_after_the_pivot_changes_nothing);
  add_both ("/flow/pivot/outruns-the-cancel", pivot_that_outruns_the_cancel_wins);
  add_both ("/flow/engine/stop-interrupts-and-reverts-nothing",
            stopped_engine_interrupts_and_reverts_nothing);
  g_test_add_func ("/flow/engine/stop-interrupts-a-revert", stopped_engine_interrupts_a_revert);
  return g_test_run ();
}
