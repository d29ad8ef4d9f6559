/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-silent.h"

/* What does not end though it was told to, and times that count across processes. */

/* ---- grace ----------------------------------------------------------------------------------- */

static void
cancelled_task_that_never_answers_is_abandoned (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Silent) s = NULL;
  gint64 begin_us;

  add_script (f, "a");
  s = add_silent (f);
  g_assert_true (imgimport_flow_set_cancel_grace (f->flow, 1000, NULL));
  use_recorder (f, recorder);
  start_run (f);
  iterate_all (f);
  begin_us = _imgimport_clock_monotonic_us (f->clock);
  g_assert_true (imgimport_run_cancel (f->run));
  g_assert_true (g_cancellable_is_cancelled (s->cancellable));
  expect_end (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 1000 * 1000);
  expect_trace (f, "a+ s> a-");
  expect_task (f, "s", IMGIMPORT_TASK_REVERT_FAILED);
  expect_error (f, 1, "s", "task-abandoned");
  imgimport_task_complete (s->task, NULL);
  expect_task (f, "s", IMGIMPORT_TASK_REVERT_FAILED);
  /* The journal says the same to whoever asks later. */
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  expect_trace (f, "a+ s> a-");
}

/* Nobody knows whether it had its effect: nothing before it may be undone until its own revert, in
 * another process, has found out. */
static void
abandoned_pivot_lets_stand_what_is_before (gconstpointer fails)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Silent) s = NULL;

  add_script (f, "a");
  s = add_silent (f);
  add_script (f, "z");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "s", NULL));
  g_assert_true (imgimport_flow_set_cancel_grace (f->flow, 1000, NULL));
  if (fails != NULL)
    g_assert_true (imgimport_flow_set_deadline (f->flow, 1000, NULL));
  use_recorder (f, recorder);
  start_run (f);
  iterate_all (f);
  if (fails == NULL)
    g_assert_true (imgimport_run_cancel (f->run));
  expect_end (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_trace (f, "a+ s>");
  expect_task (f, "a", IMGIMPORT_TASK_SUCCESS);
  expect_task (f, "s", IMGIMPORT_TASK_PENDING);
  expect_error (f, 1, NULL, "task-abandoned");
  imgimport_task_complete (s->task, NULL);
  expect_task (f, "s", IMGIMPORT_TASK_PENDING);
  g_assert_false (imgimport_run_is_past_pivot (f->run));
  run_to (f, fails != NULL ? IMGIMPORT_RUN_REVERTED : IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ s> s- a-");
}

static void
answer_within_the_grace_counts (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Silent) s = add_silent (f);

  g_assert_true (imgimport_flow_set_cancel_grace (f->flow, 1000, NULL));
  start_run (f);
  iterate_all (f);
  g_assert_true (imgimport_run_cancel (f->run));
  _imgimport_clock_advance (f->clock, 999 * 1000);
  iterate_all (f);
  imgimport_task_complete (s->task, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "s> s-");
}

static void
stopped_engine_abandons_what_does_not_answer (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (Silent) s = add_silent (f);

  use_real_time (f);
  g_assert_true (imgimport_flow_set_cancel_grace (f->flow, 20, NULL));
  start_run (f);
  if (f->threads == 0)
    iterate_all (f);
  _imgimport_engine_stop (f->engine);
  expect_end (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_task (f, "s", IMGIMPORT_TASK_PENDING);
  if (s->task != NULL)
    imgimport_task_complete (s->task, NULL);
}

static void
debt_is_what_does_not_answer_after_the_pivot (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Silent) s = NULL;
  g_auto (GStrv) debts = NULL;

  add_script (f, "pivot");
  s = add_silent (f);
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", NULL));
  g_assert_true (imgimport_flow_set_budget (f->flow, 1000, NULL));
  g_assert_true (imgimport_flow_set_cancel_grace (f->flow, 500, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "pivot+ s>");
  expect_error (f, 0, "s", "task-abandoned");
  debts = imgimport_run_dup_debts (f->run);
  g_assert_cmpstr (debts[0], ==, "s");
  imgimport_task_complete (s->task, NULL);
}

/* ---- one slot at a time ---------------------------------------------------------------------- */

static void
answer_from_within_start_waits_for_its_return (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (Silent) s = add_silent (f);

  s->fails_at_once = TRUE;
  g_assert_true (imgimport_flow_set_retry (f->flow, "s", 2, 0, 0, NULL));
  start_run (f);
  while (!has_left (s, 2))
    if (!imgimport_engine_iterate (f->engine))
      g_thread_yield ();
  imgimport_task_complete (s->task, NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "s> s>");
}

/* Its time is over while start has not returned: no other attempt begins before it has. */
static void
timeout_within_start_waits_for_its_return (void)
{
  g_autoptr (Fixture) f = fixture_new (2, TRUE);
  g_autoptr (Silent) s = add_silent (f);

  use_real_time (f);
  s->waits = TRUE;
  g_assert_true (imgimport_flow_set_timeout (f->flow, "s", 10, 0, NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "s> s-");
  expect_error (f, 0, "s", "task-timed-out");
  imgimport_task_complete (s->task, NULL);
}

/* ---- times across processes ------------------------------------------------------------------ */

/* Another process has made the first attempt, or passed the pivot, ten seconds ago. */
static void
go_on_later (Fixture *f, Recorder *recorder, Silent *s)
{
  g_autoptr (GByteArray) begun = NULL;

  use_recorder (f, recorder);
  _imgimport_clock_advance (f->clock, G_USEC_PER_SEC);
  start_run (f);
  iterate_all (f);
  begun = recorder_join (recorder);
  imgimport_task_complete (s->task, NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  recorder_set (recorder, begun->data, begun->len);
  _imgimport_clock_advance (f->clock, 10 * G_USEC_PER_SEC);
  start_run (f);
}

static void
budget_counts_across_processes (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Silent) s = NULL;
  g_auto (GStrv) debts = NULL;

  add_script (f, "pivot");
  s = add_silent (f);
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", NULL));
  g_assert_true (imgimport_flow_set_budget (f->flow, 9000, NULL));
  go_on_later (f, recorder, s);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "pivot+ s>");
  debts = imgimport_run_dup_debts (f->run);
  g_assert_cmpstr (debts[0], ==, "s");
  expect_error (f, 0, "s", "budget-exhausted");
}

static void
elapsed_cap_counts_across_processes (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Silent) s = add_silent (f);
  GError *error = NULL;

  g_assert_true (imgimport_flow_set_retry (f->flow, "s", 99, 0, 0, NULL));
  g_assert_true (imgimport_flow_set_retry_elapsed (f->flow, "s", 9000, NULL));
  go_on_later (f, recorder, s);
  iterate_all (f);
  imgimport_error_set (&error, IMGIMPORT_ERROR_BUSY, "scripted", "busy");
  imgimport_task_complete (s->task, error);
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "s> s> s-");
}

static void
compiled_flow_takes_no_grace (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a");
  g_assert_false (imgimport_flow_set_revert_timeout (f->flow, "none", 1, NULL));
  g_assert_true (imgimport_flow_compile (f->flow, NULL));
  g_assert_false (imgimport_flow_set_cancel_grace (f->flow, 1, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "flow-compiled");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/grace/cancelled-and-silent",
                   cancelled_task_that_never_answers_is_abandoned);
  g_test_add_data_func ("/flow/grace/pivot/cancelled", NULL,
                        abandoned_pivot_lets_stand_what_is_before);
  g_test_add_data_func ("/flow/grace/pivot/deadline", GUINT_TO_POINTER (1),
                        abandoned_pivot_lets_stand_what_is_before);
  g_test_add_func ("/flow/grace/answer-in-time", answer_within_the_grace_counts);
  add_both ("/flow/grace/stopped-engine", stopped_engine_abandons_what_does_not_answer);
  g_test_add_func ("/flow/grace/after-the-pivot", debt_is_what_does_not_answer_after_the_pivot);
  add_both ("/flow/async/answer-from-within-start", answer_from_within_start_waits_for_its_return);
  g_test_add_func ("/flow/async/timeout-within-start", timeout_within_start_waits_for_its_return);
  g_test_add_func ("/flow/budget/counts-across-processes", budget_counts_across_processes);
  g_test_add_func ("/flow/retry/elapsed-counts-across-processes",
                   elapsed_cap_counts_across_processes);
  g_test_add_func ("/flow/grace/compiled", compiled_flow_takes_no_grace);
  return g_test_run ();
}
