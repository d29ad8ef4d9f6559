/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* What a task keeps from one attempt, process or definition to the next. */

static void
keep_a_checkpoint (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autoptr (GVariant) before = imgimport_task_dup_checkpoint (task);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = before != NULL ? g_variant_print (before, FALSE) : g_strdup ("none");

  leave_trace (self->fixture, text, '?');
  imgimport_task_set_checkpoint (task, g_variant_new_uint32 (imgimport_task_get_attempt (task)),
                                 &error);
  g_assert_no_error (error);
  imgimport_task_set_progress (task, 0.5);
}

static Script *
add_flaky (Fixture *f, const char *name)
{
  Script *script = add_script (f, name);

  script->n_failures = 1;
  script->code = IMGIMPORT_ERROR_BUSY;
  script->hook = keep_a_checkpoint;
  g_assert_true (imgimport_flow_set_retry (f->flow, name, 3, 0, 0, NULL));
  return script;
}

static void
next_attempt_reads_the_checkpoint (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_flaky (f, "a");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "none? a! 1? a+");
}

static void
next_process_reads_the_checkpoint (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_flaky (f, "a");
  use_recorder (f, recorder);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  /* Without the outcome. Only the first intent was synced, neither checkpoint nor progress. */
  g_ptr_array_set_size (recorder->appends, (gint)recorder->appends->len - 1);
  g_assert_cmpstr (recorder->durable->str, ==, "d----");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "none? a! 1? a+ 2? a+");
}

static void
keep_too_much (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autofree char *zeros = g_malloc0 (IMGIMPORT_RECORD_MAX);
  g_autoptr (GError) error = NULL;

  g_assert_false (imgimport_task_set_checkpoint (
      task, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeros, IMGIMPORT_RECORD_MAX, 1),
      &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "checkpoint-too-large");
}

static void
checkpoint_too_large_is_refused (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a")->hook = keep_too_much;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
}

static void
keep_in_vain (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (imgimport_task_set_checkpoint (task, g_variant_new_uint32 (1), &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "journal-failed");
}

static void
checkpoint_that_cannot_be_written_interrupts (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a")->hook = keep_in_vain;
  recorder->n_until_failure = 2;
  use_recorder (f, recorder);
  run_to (f, IMGIMPORT_RUN_INTERRUPTED);
}

static void
trace_key (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autofree char *key = imgimport_task_dup_idempotency_key (task);

  leave_trace (self->fixture, key, '?');
}

static void
key_is_the_same_for_all_attempts (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_flaky (f, "a")->hook = trace_key;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "run/a? a! run/a? a+");
}

/* ---- one run, one owner ---------------------------------------------------------------------- */

static void
run_belongs_to_one (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (ImgImportRun) second = NULL;
  g_autoptr (GError) error = NULL;

  add_script (f, "a");
  recorder->claims = TRUE;
  use_recorder (f, recorder);
  prepare_run (f);
  second = imgimport_run_new (f->flow, "run", NULL, f->journal, &error);
  g_assert_null (second);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-claimed");
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  second = imgimport_run_new (f->flow, "run", NULL, f->journal, NULL);
  g_assert_nonnull (second);
  g_clear_object (&second);
  g_assert_false (recorder->is_claimed);
}

static void
suspend_own_run (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  imgimport_run_suspend (self->fixture->run);
}

static void
suspended_run_keeps_its_claim (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  recorder->claims = TRUE;
  add_script (f, "a")->hook = suspend_own_run;
  add_script (f, "b");
  use_recorder (f, recorder);
  run_to (f, IMGIMPORT_RUN_SUSPENDED);
  g_assert_true (recorder->is_claimed);
  drop_run (f);
  g_assert_false (recorder->is_claimed);
}

/* ---- versions -------------------------------------------------------------------------------- */

static gboolean
upgrade (ImgImportFlow *flow, guint old_version, gpointer user_data)
{
  guint *seen = user_data;

  *seen = old_version;
  return old_version == 1;
}

/* What version 1 left: "gone" and "a" have succeeded, "failing" as `fails` says. */
static void
leave_version_1 (Recorder *recorder, gboolean fails)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Script *failing;

  g_assert_true (imgimport_flow_set_version (f->flow, 1, NULL, NULL, NULL, NULL));
  add_output (add_script (f, "gone"), "of-gone");
  add_output (add_script (f, "a"), "of-a");
  failing = add_script (f, "failing");
  failing->n_failures = fails ? 1 : 0;
  use_recorder (f, recorder);
  run_to (f, fails ? IMGIMPORT_RUN_REVERTED : IMGIMPORT_RUN_SUCCESS);
}

static Fixture *
version_2 (Recorder *recorder, guint *seen)
{
  Fixture *f = fixture_new (0, TRUE);

  g_assert_true (imgimport_flow_set_version (f->flow, 2, upgrade, seen, NULL, NULL));
  add_script (f, "new");
  add_output (add_script (f, "a"), "of-a");
  add_input (add_script (f, "b"), "of-a");
  use_recorder (f, recorder);
  return f;
}

static void
upgraded_run_keeps_what_is_still_there (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = NULL;
  guint seen = 0;

  leave_version_1 (recorder, FALSE);
  f = version_2 (recorder, &seen);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpuint (seen, ==, 1);
  expect_trace (f, "new+ b+");
  g_assert_cmpstr (((Script *)g_ptr_array_index (f->scripts, 2))->got, ==, "a");
  /* What was written since is of the new definition. */
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "new+ b+");
}

static void
failed_task_that_is_gone_still_reverts (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = NULL;
  guint seen = 0;

  leave_version_1 (recorder, TRUE);
  /* As if the process had ended with the failure: three intents, three outcomes. */
  g_ptr_array_set_size (recorder->appends, 6);
  f = version_2 (recorder, &seen);
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a-");
  expect_error (f, 0, NULL, "scripted");
}

static void
expect_foreign (Recorder *recorder, guint version, ImgImportUpgradeFunc func)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (ImgImportRun) run = NULL;
  g_autoptr (GError) error = NULL;
  guint seen = 0;

  if (version > 0)
    g_assert_true (imgimport_flow_set_version (f->flow, version, func, &seen, NULL, NULL));
  add_script (f, "a");
  use_recorder (f, recorder);
  run = imgimport_run_new (f->flow, "run", NULL, f->journal, &error);
  g_assert_null (run);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "journal-foreign");
}

static gboolean
refuse (ImgImportFlow *flow, guint old_version, gpointer user_data)
{
  return FALSE;
}

static void
other_definition_is_refused (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Recorder) unversioned = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  leave_version_1 (recorder, FALSE);
  expect_foreign (recorder, 0, NULL);
  expect_foreign (recorder, 2, NULL);
  expect_foreign (recorder, 2, refuse);
  add_script (f, "a");
  use_recorder (f, unversioned);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_foreign (unversioned, 1, upgrade);
}

static void
count_destroy (gpointer data)
{
  (*(guint *)data)++;
}

static void
version_0_is_refused (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  guint n_destroyed = 0;

  g_assert_false (imgimport_flow_set_version (flow, 0, upgrade, &n_destroyed, count_destroy, NULL));
  g_assert_cmpuint (n_destroyed, ==, 1);
  g_assert_true (imgimport_flow_set_version (flow, 1, upgrade, &n_destroyed, count_destroy, NULL));
  g_clear_object (&flow);
  g_assert_cmpuint (n_destroyed, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/checkpoint/next-attempt-reads-it", next_attempt_reads_the_checkpoint);
  g_test_add_func ("/flow/checkpoint/next-process-reads-it", next_process_reads_the_checkpoint);
  g_test_add_func ("/flow/checkpoint/too-large", checkpoint_too_large_is_refused);
  g_test_add_func ("/flow/checkpoint/cannot-be-written",
                   checkpoint_that_cannot_be_written_interrupts);
  g_test_add_func ("/flow/key/same-for-all-attempts", key_is_the_same_for_all_attempts);
  g_test_add_func ("/flow/T66/run-belongs-to-one", run_belongs_to_one);
  g_test_add_func ("/flow/T66/suspended-run-keeps-its-claim", suspended_run_keeps_its_claim);
  g_test_add_func ("/flow/version/keeps-what-is-still-there",
                   upgraded_run_keeps_what_is_still_there);
  g_test_add_func ("/flow/T53/failed-task-is-gone", failed_task_that_is_gone_still_reverts);
  g_test_add_func ("/flow/version/other-definition-is-refused", other_definition_is_refused);
  g_test_add_func ("/flow/version/0-is-refused", version_0_is_refused);
  return g_test_run ();
}
