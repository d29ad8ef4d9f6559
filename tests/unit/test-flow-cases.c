/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

#include <math.h>

/* What remains of the list of behaviours, case by case. */

static gboolean
two_outputs (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  imgimport_task_set_output (task, "number", g_variant_new_uint32 (7));
  imgimport_task_set_output (task, "pair", g_variant_new ("(ss)", "x", "y"));
  return TRUE;
}

static const ImgImportTaskVTable two_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                .execute = two_outputs };

static void
outputs_are_by_name_and_of_any_type (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GVariant) number = NULL;
  g_autoptr (GVariant) pair = NULL;

  g_assert_true (imgimport_flow_add_task (f->flow, "a", &two_vtable, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_output (f->flow, "a", "number", NULL));
  g_assert_true (imgimport_flow_add_output (f->flow, "a", "pair", NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  number = imgimport_run_get_output (f->run, "number");
  pair = imgimport_run_get_output (f->run, "pair");
  g_assert_cmpuint (g_variant_get_uint32 (number), ==, 7);
  g_assert_cmpstr (g_variant_get_type_string (pair), ==, "(ss)");
}

static ImgImportRun *
run_with_value (Fixture *f, const char *value, GError **error)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (value != NULL)
    g_variant_dict_insert (&dict, "value", "s", value);
  return imgimport_run_new (f->flow, "run", g_variant_dict_end (&dict), f->journal, error);
}

/* A name has one provider: what a caller puts in under the name of an output is not asked for. */
static void
output_counts_and_not_what_is_put_in (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  Script *b;

  add_output (add_script (f, "a"), "value");
  b = add_input (add_script (f, "b"), "value");
  f->run = run_with_value (f, "from outside", NULL);
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  g_assert_true (imgimport_run_wait (f->run, -1));
  g_assert_cmpstr (b->got, ==, "a");
}

static void
suspend_own_run (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  imgimport_run_suspend (self->fixture->run);
}

static void
inputs_are_looked_at_again (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a")->hook = suspend_own_run;
  add_input (add_script (f, "b"), "value");
  use_recorder (f, recorder);
  f->run = run_with_value (f, "here", NULL);
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  g_assert_true (imgimport_run_wait (f->run, -1));
  expect_state (f, IMGIMPORT_RUN_SUSPENDED);
  drop_run (f);
  f->run = run_with_value (f, NULL, &error);
  g_assert_null (f->run);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "input-missing");
}

/* A run that is over is over; to do it again is another run, or to forget this one. */
static void
reverted_run_begins_anew_once_forgotten (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  f->journal = imgimport_journal_new_memory ();
  add_script (f, "a")->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! a-");
  g_assert_true (_imgimport_journal_forget (f->journal, "run", NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a! a- a+");
}

/* Whatever a task would be retried for, a failure beside it reverts all. */
static void
failure_beside_a_waiting_retry_reverts_all (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Script *flaky;

  add_script (f, "before");
  flaky = add_script (f, "flaky");
  flaky->n_failures = 99;
  flaky->code = IMGIMPORT_ERROR_BUSY;
  add_script (f, "bad")->n_failures = 1;
  add_link (f, "before", "flaky");
  add_link (f, "before", "bad");
  g_assert_true (imgimport_flow_set_retry (f->flow, "flaky", 99, 3600 * 1000, 3600 * 1000, NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_task (f, "before", IMGIMPORT_TASK_REVERTED);
  expect_task (f, "bad", IMGIMPORT_TASK_REVERTED);
  expect_error (f, 0, "bad", "scripted");
}

/* The attempt that was waited for when the process ended is made at once, and counts on. */
static void
retry_that_was_waited_for_is_made (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Script *a = add_script (f, "a");
  g_autoptr (GByteArray) begun = NULL;

  a->n_failures = 1;
  a->code = IMGIMPORT_ERROR_BUSY;
  g_assert_true (imgimport_flow_set_retry (f->flow, "a", 2, 1000, 1000, NULL));
  use_recorder (f, recorder);
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  begun = recorder_join (recorder);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  recorder_set (recorder, begun->data, begun->len);
  a->n_failures = 9;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! a+ a! a-");
  g_assert_cmpuint (a->last_attempt, ==, 2);
}

static gpointer
suspend_and_resume (gpointer data)
{
  Fixture *f = data;
  guint i;

  for (i = 0; i < 200; i++)
    if (imgimport_run_suspend (f->run) && imgimport_run_wait (f->run, -1))
      imgimport_run_resume (f->run, f->engine, NULL);
  return NULL;
}

static gboolean
nop (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static const ImgImportTaskVTable nop_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = nop };

/* Whatever the moment, a run is in one state, and ends. */
static void
states_change_as_they_may (void)
{
  g_autoptr (Fixture) f = fixture_new (2, FALSE);
  GThread *thread;
  guint i;

  for (i = 0; i < 20000; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      g_assert_true (imgimport_flow_add_task (f->flow, name, &nop_vtable, NULL, NULL, NULL));
    }
  f->run = imgimport_run_new (f->flow, "run", NULL, NULL, NULL);
  g_assert_false (imgimport_run_suspend (f->run));
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  g_assert_false (imgimport_run_start (f->run, f->engine, NULL));
  thread = _imgimport_thread_new ("suspender", suspend_and_resume, f, NULL);
  g_thread_join (thread);
  g_assert_true (imgimport_run_wait (f->run, -1));
  while (imgimport_run_resume (f->run, f->engine, NULL))
    g_assert_true (imgimport_run_wait (f->run, -1));
  expect_state (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_false (imgimport_run_cancel (f->run));
}

/* Who has lost a run can no longer write, and does nothing more to it, reverts included. */
static void
run_that_is_lost_stops (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b");
  use_recorder (f, recorder);
  recorder->n_until_failure = 2;
  run_to (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_trace (f, "a+");
  expect_error (f, 0, NULL, "store-full");
  g_assert_false (recorder->is_claimed);
}

static void
ignore (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  imgimport_task_set_progress (task, 0.25);
  imgimport_task_set_progress (task, NAN);
  imgimport_task_set_progress (task, -1);
  imgimport_task_set_progress (task, 2);
}

static void
progress_is_clamped (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a")->hook = ignore;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_true (_imgimport_run_peek_extra (f->run, 0)->progress >= 1.0);
  g_assert_true (_imgimport_run_peek_extra (f->run, 0)->progress <= 1.0);
}

/* All of them in one message, for execute and revert. */
static void
missing_inputs_are_all_named (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (GError) error = NULL;
  guint i;

  add_input (add_script (f, "a"), "x");
  add_input (add_script (f, "b"), "y");
  g_assert_true (imgimport_flow_add_revert_input (f->flow, "b", "undo", NULL));
  for (i = 0; i < IMGIMPORT_NAMES_MAX; i++)
    {
      g_autofree char *name = g_strdup_printf ("x%u", i);

      g_assert_true (imgimport_flow_add_input (f->flow, "a", name, NULL));
    }
  g_assert_null (imgimport_run_new (f->flow, "run", NULL, NULL, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "input-missing");
  g_assert_nonnull (strstr (error->message, "“x” of task “a”, “y” of task “b”, "
                                            "“undo” of the revert of task “b”"));
  g_assert_nonnull (strstr (error->message, " and 3 more"));
}

/* It stands in traces, which are JSON. */
static void
name_of_a_run_is_utf8 (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_run_new (f->flow, "run\xff", NULL, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-invalid");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/T11/missing-inputs-are-all-named", missing_inputs_are_all_named);
  g_test_add_func ("/flow/T13/outputs-by-name", outputs_are_by_name_and_of_any_type);
  g_test_add_func ("/flow/T16/output-counts", output_counts_and_not_what_is_put_in);
  g_test_add_func ("/flow/T18/inputs-are-looked-at-again", inputs_are_looked_at_again);
  g_test_add_func ("/flow/T30/begins-anew-once-forgotten", reverted_run_begins_anew_once_forgotten);
  add_both ("/flow/T48/failure-beside-a-waiting-retry", failure_beside_a_waiting_retry_reverts_all);
  g_test_add_func ("/flow/T57/waiting-retry-is-made", retry_that_was_waited_for_is_made);
  add_both ("/flow/T59-T65/run-that-is-lost-stops", run_that_is_lost_stops);
  g_test_add_func ("/flow/T61/progress-is-clamped", progress_is_clamped);
  g_test_add_func ("/flow/T63/states-change-as-they-may", states_change_as_they_may);
  g_test_add_func ("/flow/run/name-is-utf8", name_of_a_run_is_utf8);
  return g_test_run ();
}
