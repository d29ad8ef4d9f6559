/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

#include <imgimport/imgimport-watch.h>

/* What comes at an awkward moment. */

static void
suspend_own_run (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_assert_true (imgimport_run_suspend (self->fixture->run));
}

/* The last record of a run that is to be suspended cannot be written. */
static void
suspension_that_is_not_written_is_none (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a")->hook = suspend_own_run;
  add_script (f, "b");
  use_recorder (f, recorder);
  recorder->n_until_failure = 2;
  run_to (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_error (f, 0, NULL, "store-full");
  g_assert_false (imgimport_run_resume (f->run, f->engine, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-not-suspended");
  g_assert_false (imgimport_run_cancel (f->run));
  expect_trace (f, "a+");
}

static void
cancel_run (gpointer data)
{
  g_assert_true (imgimport_run_cancel (((Fixture *)data)->run));
}

/* Whatever the run writes next. */
static void
cancel_at_next_append (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  Recorder *recorder = self->fixture->journal_data;

  recorder->hook = cancel_run;
  recorder->hook_data = self->fixture;
}

static void
suspend_and_arm (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  cancel_at_next_append (self, task, cancellable);
  suspend_own_run (self, task, cancellable);
}

/* The cancellation comes while the last record of the suspension is being written. */
static void
cancel_in_the_last_moment_of_a_suspension_counts (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a")->hook = suspend_and_arm;
  add_script (f, "b");
  use_recorder (f, recorder);
  f->journal_data = recorder;
  start_run (f);
  g_assert_true (imgimport_run_wait (f->run, -1));
  g_assert_false (imgimport_run_cancel (f->run));
  f->n_done = 0;
  if (imgimport_run_get_state (f->run) == IMGIMPORT_RUN_SUSPENDED)
    {
      g_assert_true (imgimport_run_resume (f->run, f->engine, NULL));
      g_assert_true (imgimport_run_wait (f->run, -1));
    }
  expect_state (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ a-");
}

/* The process ends when the second of three tasks is undone; the third was to begin, and never did:
 * undoing it now would come after what it builds on was undone. */
static void
task_that_never_began_is_not_undone_by_a_later_run (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b")->hook = cancel_at_next_append;
  add_script (f, "c");
  use_recorder (f, recorder);
  f->journal_data = recorder;
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ b+ b- a-");

  g_ptr_array_set_size (recorder->appends, (gint)recorder->appends->len - 1);
  prepare_run (f);
  expect_task (f, "a", IMGIMPORT_TASK_SUCCESS);
  expect_task (f, "b", IMGIMPORT_TASK_REVERTED);
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ b+ b- a- a-");
}

static void
look_at_progress (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  double progress = imgimport_run_get_progress (self->fixture->run, NULL, NULL);

  g_assert_true (progress <= 0.0);
  imgimport_task_set_progress (task, 0.75);
}

/* What an attempt had done is not what the next one has. */
static void
progress_begins_anew_with_each_attempt (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Script *a = add_script (f, "a");

  a->hook = look_at_progress;
  a->n_failures = 1;
  a->code = IMGIMPORT_ERROR_BUSY;
  g_assert_true (imgimport_flow_set_retry (f->flow, "a", 2, 0, 0, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a! a+");
}

static gboolean
revert_slowly (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Script *self = data;

  _imgimport_clock_advance (self->fixture->clock, 1000);
  if (self->n_failures == 0)
    return TRUE;
  self->n_failures--;
  imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted", "not yet");
  return FALSE;
}

static gboolean
fail (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted", "failed");
  return FALSE;
}

/* Each call of a revert counts, and the wait between two does not. */
static void
each_call_of_a_revert_takes_time (void)
{
  static const ImgImportTaskVTable vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = fail,
                                              .revert = revert_slowly };
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Script script = { .fixture = f, .name = "a", .n_failures = 2 };
  ImgImportTaskStatistics statistics;

  _imgimport_clock_advance (f->clock, G_USEC_PER_SEC);
  g_assert_true (imgimport_flow_add_task (f->flow, "a", &vtable, &script, NULL, NULL));
  g_assert_true (imgimport_flow_set_revert_retry (f->flow, "a", 3, 500, 500, NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  g_assert_true (imgimport_run_get_task_statistics (f->run, "a", &statistics, NULL));
  g_assert_cmpint (statistics.running_us, ==, 3 * 1000);
  g_assert_cmpint (statistics.ended_us, ==, 3 * 1000 + 2 * 500 * 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T51/suspension-that-is-not-written", suspension_that_is_not_written_is_none);
  add_both ("/flow/T51/cancel-in-the-last-moment",
            cancel_in_the_last_moment_of_a_suspension_counts);
  add_both ("/flow/T56/task-that-never-began-is-not-undone-by-a-later-run",
            task_that_never_began_is_not_undone_by_a_later_run);
  g_test_add_func ("/flow/T23/each-call-takes-time", each_call_of_a_revert_takes_time);
  g_test_add_func ("/flow/T61/progress-of-each-attempt", progress_begins_anew_with_each_attempt);
  return g_test_run ();
}
