/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* What a flow makes of the journal of an older one. */

static gboolean
agree (ImgImportFlow *flow, guint old_version, gpointer user_data)
{
  return TRUE;
}

static Fixture *
version (guint number, Recorder *recorder)
{
  Fixture *f = fixture_new (0, TRUE);

  use_recorder (f, recorder);
  g_assert_true (imgimport_flow_set_version (f->flow, number, agree, NULL, NULL, NULL));
  return f;
}

static gboolean
say_no (ImgImportTask *task, gpointer user_data)
{
  return FALSE;
}

/* What now comes after a task that is skipped may have been done before that was there. */
static void
what_is_done_is_not_skipped (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = version (1, recorder);
  g_autoptr (Fixture) f = version (2, recorder);

  add_script (old, "a");
  run_to (old, IMGIMPORT_RUN_SUCCESS);
  add_script (f, "new");
  add_script (f, "a");
  add_script (f, "b");
  g_assert_true (imgimport_flow_set_condition (f->flow, "new", say_no, NULL, NULL, NULL));
  add_link (f, "new", "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_task (f, "new", IMGIMPORT_TASK_SKIPPED);
  expect_task (f, "a", IMGIMPORT_TASK_SUCCESS);
  expect_task (f, "b", IMGIMPORT_TASK_SKIPPED);
  /* The same from the journal. */
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_task (f, "a", IMGIMPORT_TASK_SUCCESS);
  expect_trace (f, "");
}

static void
failure_of_an_optional_task_that_is_gone_is_none (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = version (1, recorder);
  g_autoptr (Fixture) f = version (2, recorder);

  add_script (old, "gone")->n_failures = 1;
  g_assert_true (imgimport_flow_set_optional (old->flow, "gone", TRUE, NULL));
  add_script (old, "a");
  run_to (old, IMGIMPORT_RUN_SUCCESS);
  add_script (f, "a");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 0);
}

static void
failed_revert_of_a_task_that_is_gone_counts (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = version (1, recorder);
  g_autoptr (Fixture) f = version (2, recorder);

  add_script (old, "gone")->revert_fails = TRUE;
  add_script (old, "a")->n_failures = 1;
  run_to (old, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  add_script (f, "a");
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  expect_error (f, 1, NULL, "scripted-revert");
}

/* ---- the pivot ------------------------------------------------------------------------------- */

/* A process that ended before "after" was over, of a flow whose pivot is `pivot`; NULL: none. */
static Fixture *
crashed_before_the_end (Recorder *recorder, const char *pivot)
{
  Fixture *f = version (1, recorder);

  add_script (f, "a");
  add_output (add_script (f, "b"), "value");
  add_script (f, "after");
  if (pivot != NULL)
    g_assert_true (imgimport_flow_set_pivot (f->flow, pivot, NULL));
  start_run (f);
  while (strstr (f->trace->str, "b+") == NULL)
    g_assert_true (imgimport_engine_iterate (f->engine));
  _imgimport_engine_stop (f->engine);
  expect_end (f, IMGIMPORT_RUN_INTERRUPTED);
  return f;
}

static void
expect_refusal (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->run = imgimport_run_new (f->flow, "run", NULL, f->journal, &error);
  g_assert_null (f->run);
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_CORRUPT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "journal-foreign");
  g_assert_nonnull (strstr (error->message, "pivot"));
}

static void
passed_pivot_cannot_go (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = crashed_before_the_end (recorder, "b");
  g_autoptr (Fixture) f = version (2, recorder);

  expect_state (old, IMGIMPORT_RUN_INTERRUPTED);
  add_script (f, "a");
  add_script (f, "after")->n_failures = 1;
  expect_refusal (f);
}

static void
passed_pivot_cannot_become_another_task (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = crashed_before_the_end (recorder, "b");
  g_autoptr (Fixture) f = version (2, recorder);

  expect_state (old, IMGIMPORT_RUN_INTERRUPTED);
  add_script (f, "a");
  add_output (add_script (f, "b"), "value");
  add_script (f, "after");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "after", NULL));
  expect_refusal (f);
}

/* It would be executed again, as if it had not been passed. */
static void
passed_pivot_cannot_be_asked_for_more (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = crashed_before_the_end (recorder, "b");
  g_autoptr (Fixture) f = version (2, recorder);

  expect_state (old, IMGIMPORT_RUN_INTERRUPTED);
  add_script (f, "a");
  add_output (add_script (f, "b"), "value");
  g_assert_true (imgimport_flow_add_output (f->flow, "b", "more", NULL));
  add_script (f, "after");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "b", NULL));
  expect_refusal (f);
}

/* What an attempt that was cut short has done is not known. */
static void
pivot_that_has_begun_cannot_go (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = version (1, recorder);
  g_autoptr (Fixture) f = version (2, recorder);

  add_script (old, "a");
  add_script (old, "b");
  g_assert_true (imgimport_flow_set_pivot (old->flow, "b", NULL));
  recorder->n_until_failure = 4; /* what comes of "b" */
  run_to (old, IMGIMPORT_RUN_INTERRUPTED);
  expect_trace (old, "a+ b+");
  add_script (f, "a");
  expect_refusal (f);
}

/* As an ordinary task it may have been reverted since. */
static void
what_is_done_cannot_become_the_pivot (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = crashed_before_the_end (recorder, NULL);
  g_autoptr (Fixture) f = version (2, recorder);

  expect_state (old, IMGIMPORT_RUN_INTERRUPTED);
  add_script (f, "a");
  add_output (add_script (f, "b"), "value");
  add_script (f, "after");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "b", NULL));
  expect_refusal (f);
}

static void
pivot_that_stays_is_passed (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) old = crashed_before_the_end (recorder, "b");
  g_autoptr (Fixture) f = version (2, recorder);

  expect_state (old, IMGIMPORT_RUN_INTERRUPTED);
  add_script (f, "new");
  add_output (add_script (f, "b"), "value");
  add_script (f, "after")->n_failures = 1;
  g_assert_true (imgimport_flow_set_pivot (f->flow, "b", NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "new+ after!");
  g_assert_true (imgimport_run_is_past_pivot (f->run));
  g_assert_cmpuint (imgimport_run_get_n_warnings (f->run), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/version/what-is-done-is-not-skipped", what_is_done_is_not_skipped);
  g_test_add_func ("/flow/version/optional-task-is-gone",
                   failure_of_an_optional_task_that_is_gone_is_none);
  g_test_add_func ("/flow/version/failed-revert-is-gone",
                   failed_revert_of_a_task_that_is_gone_counts);
  g_test_add_func ("/flow/version/pivot/passed-and-gone", passed_pivot_cannot_go);
  g_test_add_func ("/flow/version/pivot/passed-and-moved", passed_pivot_cannot_become_another_task);
  g_test_add_func ("/flow/version/pivot/passed-and-wants-more",
                   passed_pivot_cannot_be_asked_for_more);
  g_test_add_func ("/flow/version/pivot/begun-and-gone", pivot_that_has_begun_cannot_go);
  g_test_add_func ("/flow/version/pivot/done-as-another", what_is_done_cannot_become_the_pivot);
  g_test_add_func ("/flow/version/pivot/stays", pivot_that_stays_is_passed);
  return g_test_run ();
}
