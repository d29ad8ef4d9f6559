/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

static void
empty_flow_succeeds (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);

  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "");
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 0);
}

static void
linear_runs_in_order (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b");
  add_script (f, "c");
  prepare_run (f);
  expect_state (f, IMGIMPORT_RUN_PENDING);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+ c+");
  expect_task (f, "b", IMGIMPORT_TASK_SUCCESS);
  g_assert_false (imgimport_run_is_past_pivot (f->run));
}

static void
unordered_tasks_both_run (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);

  add_script (f, "a");
  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_task (f, "a", IMGIMPORT_TASK_SUCCESS);
  expect_task (f, "b", IMGIMPORT_TASK_SUCCESS);
}

static void
values_order_and_feed_tasks (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Script *sink = add_script (f, "sink");
  Script *middle = add_script (f, "middle");
  g_autoptr (GVariant) value = NULL;

  add_output (add_script (f, "source"), "x");
  add_input (sink, "y");
  add_output (add_input (middle, "x"), "y");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "source+ middle+ sink+");
  g_assert_cmpstr (middle->got, ==, "source");
  g_assert_cmpstr (sink->got, ==, "middle");
  value = imgimport_run_get_output (f->run, "y");
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "middle");
  g_assert_null (imgimport_run_get_output (f->run, "none"));
}

static void
look_up_undeclared (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_assert_null (imgimport_task_get_input (task, "undeclared"));
  g_assert_null (imgimport_task_get_output (task, "undeclared"));
  g_assert_cmpstr (g_variant_get_string (imgimport_task_get_output (task, "x"), NULL), ==, "a");
  imgimport_task_set_output (task, "x", g_variant_new_string ("again"));
}

static void
undeclared_names_are_null_and_the_last_value_counts (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  g_autoptr (GVariant) value = NULL;

  add_output (add_script (f, "a"), "x")->hook = look_up_undeclared;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  value = imgimport_run_get_output (f->run, "x");
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "again");
}

static void
run_inputs_reach_tasks (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Script *a = add_input (add_script (f, "a"), "x");
  Script *b = add_input (add_script (f, "b"), "x");
  g_autoptr (GError) error = NULL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "x", "s", "given");
  g_variant_dict_insert (&dict, "other", "s", "not needed");
  f->run = imgimport_run_new (f->flow, "run", g_variant_dict_end (&dict), NULL, &error);
  g_assert_no_error (error);
  g_assert_true (imgimport_run_start (f->run, f->engine, &error));
  g_assert_true (imgimport_run_wait (f->run, -1));
  g_assert_cmpstr (a->got, ==, "given");
  g_assert_cmpstr (b->got, ==, "given");
}

static void
missing_input_is_refused_before_any_task (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (GError) error = NULL;

  add_script (f, "first");
  add_input (add_script (f, "needy"), "nowhere");
  g_assert_null (imgimport_run_new (f->flow, "run", NULL, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "input-missing");
  g_assert_nonnull (strstr (error->message, "needy"));
  g_assert_nonnull (strstr (error->message, "nowhere"));
  g_clear_error (&error);
  g_assert_null (imgimport_run_new (f->flow, "run", g_variant_new_int32 (1), NULL, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "inputs-invalid");
  expect_trace (f, "");
}

static void
missing_output_fails_the_producer (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);

  add_output (add_script (f, "a"), "x")->holds_output = TRUE;
  add_input (add_script (f, "b"), "x");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ a-");
  expect_error (f, 0, "a", "output-missing");
  expect_task (f, "b", IMGIMPORT_TASK_PENDING);
  g_assert_null (imgimport_run_get_output (f->run, "x"));
}

static void
run_starts_once (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_false (imgimport_run_start (f->run, f->engine, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  expect_trace (f, "a+");
}

static void
iterate_does_one_task (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a");
  add_script (f, "b");
  g_assert_false (imgimport_engine_iterate (f->engine));
  start_run (f);
  expect_state (f, IMGIMPORT_RUN_RUNNING);
  g_assert_true (imgimport_engine_iterate (f->engine));
  expect_trace (f, "a+");
  g_assert_false (imgimport_run_wait (f->run, 0));
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 0);
  g_assert_null (imgimport_run_get_error (f->run, 0, NULL));
  g_assert_true (imgimport_engine_iterate (f->engine));
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_false (imgimport_engine_iterate (f->engine));
}

static void
add_one (gpointer data)
{
  ++*(guint *)data;
}

static void
done_data_is_destroyed_once (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  guint n_replaced = 0;
  guint n_dropped = 0;
  guint n_called = 0;

  add_script (f, "a");
  prepare_run (f);
  imgimport_run_set_done_func (f->run, count_done, &n_replaced, add_one);
  imgimport_run_set_done_func (f->run, NULL, &n_dropped, add_one);
  g_assert_cmpuint (n_replaced, ==, 1);
  drop_run (f);
  g_assert_cmpuint (n_dropped, ==, 1);
  prepare_run (f);
  imgimport_run_set_done_func (f->run, NULL, &n_called, add_one);
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  g_assert_cmpuint (n_called, ==, 0);
  g_assert_true (imgimport_run_wait (f->run, -1));
  g_assert_cmpuint (n_called, ==, 1);
  drop_run (f);
  g_assert_cmpuint (n_called, ==, 1);
}

static void
states_have_nicks (void)
{
  g_autoptr (GEnumClass) runs = g_type_class_ref (IMGIMPORT_TYPE_RUN_STATE);
  g_autoptr (GEnumClass) tasks = g_type_class_ref (IMGIMPORT_TYPE_TASK_STATE);

  g_assert_cmpstr (g_enum_get_value (runs, IMGIMPORT_RUN_INTERRUPTED)->value_nick, ==,
                   "interrupted");
  g_assert_cmpstr (g_enum_get_value (tasks, IMGIMPORT_TASK_REVERT_FAILED)->value_nick, ==,
                   "revert-failed");
}

static void
unknown_task_has_no_state (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (GError) error = NULL;
  ImgImportTaskState state;

  prepare_run (f);
  g_assert_false (imgimport_run_get_task_state (f->run, "none", &state, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
}

static void
expect_running (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  Fixture *f = self->fixture;

  expect_task (f, "a", IMGIMPORT_TASK_RUNNING);
  expect_task (f, "b", IMGIMPORT_TASK_PENDING);
}

static void
queued_task_is_pending_not_running (void)
{
  g_autoptr (Fixture) f = fixture_new (1, FALSE);

  add_script (f, "a")->hook = expect_running;
  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+");
}

static void
layered_flow_runs_every_task (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; i < 100; i++)
    {
      g_ptr_array_add (names, g_strdup_printf ("t%u", i));
      add_script (f, g_ptr_array_index (names, i));
    }
  for (i = 10; i < 100; i++)
    {
      guint j;

      for (j = 0; j < 10; j++)
        add_link (f, g_ptr_array_index (names, i / 10 * 10 - 10 + j), g_ptr_array_index (names, i));
    }
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  for (i = 0; i < 100; i++)
    expect_task (f, g_ptr_array_index (names, i), IMGIMPORT_TASK_SUCCESS);
  expect_order (f, "t9+", "t10+");
  expect_order (f, "t89+", "t90+");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T01/empty-flow-succeeds", empty_flow_succeeds);
  add_both ("/flow/T05/values-order-and-feed-tasks", values_order_and_feed_tasks);
  add_both ("/flow/T05/undeclared-names-are-null",
            undeclared_names_are_null_and_the_last_value_counts);
  add_both ("/flow/T11/run-inputs-reach-tasks", run_inputs_reach_tasks);
  g_test_add_func ("/flow/T11/missing-input-is-refused-before-any-task",
                   missing_input_is_refused_before_any_task);
  add_both ("/flow/T17/missing-output-fails-the-producer", missing_output_fails_the_producer);
  add_both ("/flow/T19/linear-runs-in-order", linear_runs_in_order);
  add_both ("/flow/T25/unordered-tasks-both-run", unordered_tasks_both_run);
  add_both ("/flow/T29/layered-flow-runs-every-task", layered_flow_runs_every_task);
  add_both ("/flow/T33/run-starts-once", run_starts_once);
  g_test_add_func ("/flow/run/iterate-does-one-task", iterate_does_one_task);
  g_test_add_func ("/flow/run/done-data-is-destroyed-once", done_data_is_destroyed_once);
  g_test_add_func ("/flow/run/states-have-nicks", states_have_nicks);
  g_test_add_func ("/flow/run/unknown-task-has-no-state", unknown_task_has_no_state);
  g_test_add_func ("/flow/run/queued-task-is-pending-not-running",
                   queued_task_is_pending_not_running);
  return g_test_run ();
}
