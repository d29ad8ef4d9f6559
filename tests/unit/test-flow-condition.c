/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* Tasks that are not run, and tasks whose failure is none. */

typedef struct
{
  gboolean answer;
  guint n_asked;
  guint n_destroyed;
  char *got;
} Condition;

static gboolean
ask (ImgImportTask *task, gpointer user_data)
{
  Condition *self = user_data;
  GVariant *value = imgimport_task_get_input (task, "value");

  self->n_asked++;
  if (value != NULL)
    {
      g_free (self->got);
      self->got = g_variant_dup_string (value, NULL);
    }
  return self->answer;
}

static void
count_destroy (gpointer user_data)
{
  ((Condition *)user_data)->n_destroyed++;
}

static void
set_condition (Fixture *f, const char *task, Condition *condition)
{
  g_autoptr (GError) error = NULL;

  imgimport_flow_set_condition (f->flow, task, ask, condition, count_destroy, &error);
  g_assert_no_error (error);
}

static void
false_skips_the_task_and_all_after_it (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  Condition no = { .answer = FALSE };

  add_script (f, "a");
  add_script (f, "b");
  add_script (f, "c");
  set_condition (f, "b", &no);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+");
  expect_task (f, "b", IMGIMPORT_TASK_SKIPPED);
  expect_task (f, "c", IMGIMPORT_TASK_SKIPPED);
  g_assert_cmpuint (no.n_asked, ==, 1);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 0);
}

static void
condition_sees_the_values_before_it (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Condition yes = { .answer = TRUE };

  add_output (add_script (f, "a"), "value");
  add_input (add_script (f, "b"), "value");
  set_condition (f, "b", &yes);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+");
  g_assert_cmpstr (yes.got, ==, "a");
  g_free (yes.got);
}

static void
join_of_a_skipped_and_a_run_branch_is_skipped (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Condition no = { .answer = FALSE };
  Condition yes = { .answer = TRUE };

  add_script (f, "a");
  add_script (f, "b");
  add_script (f, "c");
  add_script (f, "d");
  add_link (f, "a", "b");
  add_link (f, "a", "c");
  add_link (f, "b", "d");
  add_link (f, "c", "d");
  set_condition (f, "b", &no);
  set_condition (f, "c", &yes);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ c+");
  expect_task (f, "d", IMGIMPORT_TASK_SKIPPED);
}

static gboolean
nop (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static const ImgImportTaskVTable nop_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = nop };

static void
condition_of_a_nested_flow_is_asked_once (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");
  Condition no = { .answer = FALSE };

  g_assert_true (imgimport_flow_add_task (inner, "x", &nop_vtable, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_task (inner, "y", &nop_vtable, NULL, NULL, NULL));
  add_script (f, "a");
  g_assert_true (imgimport_flow_add_flow (f->flow, "sub", inner, NULL));
  set_condition (f, "sub", &no);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpuint (no.n_asked, ==, 1);
  expect_task (f, "sub/x", IMGIMPORT_TASK_SKIPPED);
  expect_task (f, "sub/y", IMGIMPORT_TASK_SKIPPED);
  expect_task (f, "sub", IMGIMPORT_TASK_SKIPPED);
}

/* What comes before it is an input of the flow. */
static void
condition_of_a_nested_flow_sees_the_values_before_it (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");
  Condition no = { .answer = FALSE };

  g_assert_true (imgimport_flow_add_task (inner, "x", &nop_vtable, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_flow (f->flow, "sub", inner, NULL));
  g_assert_true (imgimport_flow_add_input (f->flow, "sub", "value", NULL));
  set_condition (f, "sub", &no);
  add_output (add_script (f, "a"), "value");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+");
  g_assert_cmpstr (no.got, ==, "a");
  g_assert_cmpuint (no.n_asked, ==, 1);
  expect_task (f, "sub/x", IMGIMPORT_TASK_SKIPPED);
  g_free (no.got);
}

static void
skipped_tasks_are_not_reverted (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Condition no = { .answer = FALSE };

  add_script (f, "a");
  add_script (f, "b");
  add_script (f, "bad")->n_failures = 1;
  add_link (f, "a", "b");
  add_link (f, "a", "bad");
  set_condition (f, "b", &no);
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ bad! bad- a-");
}

/* The answer is in the journal: a later process does not ask again. */
static void
answer_survives_the_process (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Condition answer = { .answer = FALSE };

  add_script (f, "a");
  add_script (f, "b");
  add_script (f, "c");
  set_condition (f, "b", &answer);
  use_recorder (f, recorder);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  answer.answer = TRUE;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+");
  expect_task (f, "c", IMGIMPORT_TASK_SKIPPED);
  g_assert_cmpuint (answer.n_asked, ==, 1);
}

/* Case 41: a run is not reset, a new one asks anew. */
static void
new_run_asks_anew (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Condition answer = { .answer = FALSE };

  add_script (f, "a");
  set_condition (f, "a", &answer);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "");
  answer.answer = TRUE;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+");
}

static gboolean
cancel_and_agree (ImgImportTask *task, gpointer user_data)
{
  imgimport_run_cancel (((Fixture *)user_data)->run);
  return TRUE;
}

static void
cancelled_while_asking_does_not_begin (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b");
  g_assert_true (imgimport_flow_set_condition (f->flow, "b", cancel_and_agree, f, NULL, NULL));
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ a-");
}

static void
condition_is_freed_once (void)
{
  Condition first = { 0 };
  Condition second = { 0 };
  Condition refused = { 0 };

  {
    g_autoptr (Fixture) f = fixture_new (0, TRUE);

    add_script (f, "a");
    set_condition (f, "a", &first);
    set_condition (f, "a", &second);
    g_assert_cmpuint (first.n_destroyed, ==, 1);
    g_assert_false (
        imgimport_flow_set_condition (f->flow, "gone", ask, &refused, count_destroy, NULL));
    g_assert_cmpuint (refused.n_destroyed, ==, 1);
  }
  g_assert_cmpuint (first.n_destroyed, ==, 1);
  g_assert_cmpuint (second.n_destroyed, ==, 1);
}

/* ---- optional tasks -------------------------------------------------------------------------- */

static void
set_optional (Fixture *f, const char *task)
{
  g_assert_true (imgimport_flow_set_optional (f->flow, task, TRUE, NULL));
}

static void
optional_failure_is_a_warning (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Script *b;

  add_output (add_script (f, "a"), "value")->n_failures = 1;
  b = add_input (add_script (f, "b"), "value");
  set_optional (f, "a");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a! b+");
  expect_task (f, "a", IMGIMPORT_TASK_SKIPPED);
  expect_error (f, 0, "a", "scripted");
  g_assert_cmpuint (imgimport_run_get_n_warnings (f->run), ==, 1);
  g_assert_null (b->got);
  g_assert_null (imgimport_run_get_output (f->run, "value"));
}

/* It may have done a part. The cause is the failure, though it came later. */
static void
optional_failure_is_reverted_with_the_rest (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a")->n_failures = 1;
  add_script (f, "b")->n_failures = 1;
  set_optional (f, "a");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! b! b- a-");
  expect_error (f, 0, "b", "scripted");
  expect_error (f, 1, "a", "scripted");
  g_assert_cmpuint (imgimport_run_get_n_warnings (f->run), ==, 1);
}

static void
warning_survives_pivot_and_process (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a")->n_failures = 1;
  add_script (f, "b");
  set_optional (f, "a");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "b", NULL));
  use_recorder (f, recorder);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a! b+");
  expect_error (f, 0, "a", "scripted");
  g_assert_cmpuint (imgimport_run_get_n_warnings (f->run), ==, 1);
}

static void
pivot_cannot_be_optional (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a");
  set_optional (f, "a");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "a", NULL));
  g_assert_false (imgimport_flow_compile (f->flow, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "flow-pivot");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T35/false-skips-all-after", false_skips_the_task_and_all_after_it);
  add_both ("/flow/condition/sees-the-values", condition_sees_the_values_before_it);
  add_both ("/flow/T38/join-is-skipped", join_of_a_skipped_and_a_run_branch_is_skipped);
  g_test_add_func ("/flow/T39/nested-flow-is-asked-once", condition_of_a_nested_flow_is_asked_once);
  add_both ("/flow/T39/nested-flow-sees-the-values-before-it",
            condition_of_a_nested_flow_sees_the_values_before_it);
  add_both ("/flow/condition/skipped-is-not-reverted", skipped_tasks_are_not_reverted);
  g_test_add_func ("/flow/condition/answer-survives-the-process", answer_survives_the_process);
  g_test_add_func ("/flow/T41/new-run-asks-anew", new_run_asks_anew);
  add_both ("/flow/condition/cancelled-while-asking", cancelled_while_asking_does_not_begin);
  g_test_add_func ("/flow/condition/freed-once", condition_is_freed_once);
  add_both ("/flow/optional/failure-is-a-warning", optional_failure_is_a_warning);
  add_both ("/flow/optional/reverted-with-the-rest", optional_failure_is_reverted_with_the_rest);
  g_test_add_func ("/flow/optional/warning-survives", warning_survives_pivot_and_process);
  g_test_add_func ("/flow/optional/pivot-cannot-be", pivot_cannot_be_optional);
  return g_test_run ();
}
