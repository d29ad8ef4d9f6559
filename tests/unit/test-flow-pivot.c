/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-silent.h"

/* ---- a pivot that commits its own outcome, and is told that it did not ----------------------- */

static void
commit_outcome (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autoptr (GBytes) record = imgimport_task_dup_outcome_record (task);
  g_autoptr (GError) error = NULL;
  gsize length;
  const void *data = g_bytes_get_data (record, &length);

  _imgimport_journal_append (self->fixture->journal, "run", data, length, TRUE, &error);
  g_assert_no_error (error);
}

static Fixture *
three_tasks (guint threads, Recorder *recorder)
{
  Fixture *f = fixture_new (threads, TRUE);
  Script *pivot;

  add_script (f, "a");
  pivot = add_script (f, "pivot");
  pivot->hook = commit_outcome;
  pivot->n_failures = 1;
  add_script (f, "z");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", NULL));
  use_recorder (f, recorder);
  return f;
}

/* The process that was told so goes back; one that comes after it finds the truth, and goes on. */
static void
test_outcome_that_was_committed_stands (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) first = three_tasks (GPOINTER_TO_UINT (threads), recorder);
  g_autoptr (Fixture) second = three_tasks (GPOINTER_TO_UINT (threads), recorder);
  g_autoptr (Fixture) third = three_tasks (GPOINTER_TO_UINT (threads), recorder);

  run_to (first, IMGIMPORT_RUN_REVERTED);
  expect_trace (first, "a+ pivot! pivot- a-");
  run_to (second, IMGIMPORT_RUN_SUCCESS);
  expect_trace (second, "z+");
  g_assert_cmpuint (imgimport_run_get_n_errors (second->run), ==, 0);
  run_to (third, IMGIMPORT_RUN_SUCCESS);
  expect_trace (third, "");
}

/* ---- a pivot that waits without a thread, and is late ---------------------------------------- */

static Fixture *
late_pivot (guint threads, guint grace_ms, Recorder *recorder, Silent **silent)
{
  Fixture *f = fixture_new (threads, TRUE);

  add_script (f, "a");
  *silent = add_silent (f);
  add_script (f, "z");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "s", NULL));
  g_assert_true (imgimport_flow_set_timeout (f->flow, "s", 5000, 0, NULL));
  g_assert_true (imgimport_flow_set_retry (f->flow, "s", 2, 0, 0, NULL));
  g_assert_true (imgimport_flow_set_cancel_grace (f->flow, grace_ms, NULL));
  use_recorder (f, recorder);
  return f;
}

static void
let_it_be_late (Fixture *f, Silent *s)
{
  iterate_all (f);
  _imgimport_clock_advance (f->clock, 5000 * 1000);
  iterate_all (f);
  g_assert_true (g_cancellable_is_cancelled (s->cancellable));
}

static void
fail_late (Silent *s)
{
  imgimport_task_complete (s->task, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
}

/* It may still have its effect, or have had it: neither a revert nor another attempt may meet it. A
 * later process makes the next attempt. */
static void
silent_pivot_interrupts (gconstpointer grace_ms)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Silent) s = NULL;
  g_autoptr (Fixture) f = late_pivot (0, GPOINTER_TO_UINT (grace_ms), recorder, &s);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  run_to (f, IMGIMPORT_RUN_INTERRUPTED);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==,
                   (5000 + GPOINTER_TO_INT (grace_ms)) * 1000);
  expect_trace (f, "a+ s>");
  expect_error (f, 0, NULL, grace_ms != NULL ? "task-abandoned" : "task-timed-out");
  expect_task (f, "a", IMGIMPORT_TASK_SUCCESS);
  expect_task (f, "s", IMGIMPORT_TASK_PENDING);
  imgimport_task_complete (s->task, NULL);
  g_assert_false (imgimport_run_is_past_pivot (f->run));

  start_run (f);
  iterate_all (f);
  imgimport_task_complete (s->task, NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ s> s> z+");
}

static void
late_pivot_is_awaited_before_it_is_tried_again (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Silent) s = NULL;
  g_autoptr (Fixture) f = late_pivot (0, 1000, recorder, &s);

  start_run (f);
  let_it_be_late (f, s);
  expect_trace (f, "a+ s>");
  fail_late (s);
  let_it_be_late (f, s);
  expect_trace (f, "a+ s> s>");
  fail_late (s);
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ s> s> s- a-");
  expect_error (f, 0, "s", "task-timed-out");
}

static void
late_pivot_that_succeeds_has_succeeded (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Silent) s = NULL;
  g_autoptr (Fixture) f = late_pivot (0, 1000, recorder, &s);

  start_run (f);
  let_it_be_late (f, s);
  imgimport_task_complete (s->task, NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ s> z+");
}

/* The grace that a cancellation gave is not made longer by the end of the attempt's time. */
static void
late_pivot_of_a_cancelled_run (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Silent) s = NULL;
  g_autoptr (Fixture) f = late_pivot (0, 1000, recorder, &s);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  start_run (f);
  iterate_all (f);
  _imgimport_clock_advance (f->clock, 4500 * 1000);
  g_assert_true (imgimport_run_cancel (f->run));
  expect_end (f, IMGIMPORT_RUN_INTERRUPTED);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 5500 * 1000);
  imgimport_task_complete (s->task, NULL);
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ s> s- a-");
}

/* Its time is over while start has not returned. */
static void
late_pivot_within_start (gconstpointer grace_ms)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Silent) s = NULL;
  g_autoptr (Fixture) f = late_pivot (2, GPOINTER_TO_UINT (grace_ms), recorder, &s);

  use_real_time (f);
  s->waits = TRUE;
  g_assert_true (imgimport_flow_set_timeout (f->flow, "s", 10, 0, NULL));
  start_run (f);
  if (grace_ms == NULL)
    {
      expect_end (f, IMGIMPORT_RUN_INTERRUPTED);
      imgimport_task_complete (s->task, NULL);
      return;
    }
  while (!has_left (s, 1))
    g_thread_yield ();
  fail_late (s);
  while (!has_left (s, 2))
    g_thread_yield ();
  imgimport_task_complete (s->task, NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ s> s> z+");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/flow/pivot/outcome-that-was-committed-stands/alone", GUINT_TO_POINTER (0),
                        test_outcome_that_was_committed_stands);
  g_test_add_data_func ("/flow/pivot/outcome-that-was-committed-stands/threads",
                        GUINT_TO_POINTER (2), test_outcome_that_was_committed_stands);
  g_test_add_data_func ("/flow/pivot/silent/no-grace", GUINT_TO_POINTER (0),
                        silent_pivot_interrupts);
  g_test_add_data_func ("/flow/pivot/silent/grace", GUINT_TO_POINTER (1000),
                        silent_pivot_interrupts);
  g_test_add_func ("/flow/pivot/late/awaited-before-it-is-tried-again",
                   late_pivot_is_awaited_before_it_is_tried_again);
  g_test_add_func ("/flow/pivot/late/success-counts", late_pivot_that_succeeds_has_succeeded);
  g_test_add_func ("/flow/pivot/late/cancelled", late_pivot_of_a_cancelled_run);
  g_test_add_data_func ("/flow/pivot/late/within-start/no-grace", GUINT_TO_POINTER (0),
                        late_pivot_within_start);
  g_test_add_data_func ("/flow/pivot/late/within-start/grace", GUINT_TO_POINTER (3600 * 1000),
                        late_pivot_within_start);
  return g_test_run ();
}
