/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

/* Flows in flows, and what a flow asks of its inputs. */

static gboolean
nop (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static const ImgImportTaskVTable nop_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = nop };

static gboolean
greet (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  imgimport_task_set_output (task, "greeting", g_variant_new_string ("hello"));
  return TRUE;
}

static const ImgImportTaskVTable greet_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = greet };

static void
add_nop (ImgImportFlow *flow, const char *name)
{
  g_assert_true (imgimport_flow_add_task (flow, name, &nop_vtable, NULL, NULL, NULL));
}

static void
add_flow (Fixture *f, const char *name, ImgImportFlow *inner)
{
  g_autoptr (GError) error = NULL;

  imgimport_flow_add_flow (f->flow, name, inner, &error);
  g_assert_no_error (error);
}

/* A flow of the fixture's scripts under their own names. */
static ImgImportFlow *
scripted_flow (Fixture *f, const char *const *names, gboolean linear)
{
  ImgImportFlow *outer = f->flow;
  ImgImportFlow *inner;

  f->flow = linear ? imgimport_flow_new_linear ("inner") : imgimport_flow_new ("inner");
  for (; *names != NULL; names++)
    add_script (f, *names);
  inner = f->flow;
  f->flow = outer;
  return inner;
}

static gboolean
nested_execute (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Fixture *f = data;

  leave_trace (f, imgimport_task_get_name (task), '+');
  return TRUE;
}

static gboolean
nested_fail (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  leave_trace (data, imgimport_task_get_name (task), '!');
  imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted", "failed");
  return FALSE;
}

static gboolean
nested_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  leave_trace (data, imgimport_task_get_name (task), '-');
  return TRUE;
}

static const ImgImportTaskVTable nested_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                   .execute = nested_execute,
                                                   .revert = nested_revert };
static const ImgImportTaskVTable failing_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                    .execute = nested_fail,
                                                    .revert = nested_revert };

static void
add_nested (Fixture *f, ImgImportFlow *flow, const char *name)
{
  g_assert_true (imgimport_flow_add_task (flow, name, &nested_vtable, f, NULL, NULL));
}

static void
linear_flow_in_linear_flow_keeps_the_order (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new_linear ("inner");

  add_nested (f, inner, "x");
  add_nested (f, inner, "y");
  add_nested (f, f->flow, "a");
  add_flow (f, "sub", inner);
  add_nested (f, f->flow, "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ sub/x+ sub/y+ b+");
}

static void
failure_in_a_nested_flow_reverts_all (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new_linear ("inner");

  add_nested (f, inner, "x");
  g_assert_true (imgimport_flow_add_task (inner, "y", &failing_vtable, f, NULL, NULL));
  add_nested (f, f->flow, "a");
  add_flow (f, "sub", inner);
  add_nested (f, f->flow, "never");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ sub/x+ sub/y! sub/y- sub/x- a-");
}

static void
links_to_a_flow_mean_its_first_and_last_tasks (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");

  add_nested (f, f->flow, "after");
  add_nested (f, inner, "x");
  add_nested (f, inner, "y");
  add_flow (f, "sub", inner);
  add_nested (f, f->flow, "before");
  add_link (f, "before", "sub");
  add_link (f, "sub", "after");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_order (f, "before+", "sub/x+");
  expect_order (f, "before+", "sub/y+");
  expect_order (f, "sub/x+", "after+");
  expect_order (f, "sub/y+", "after+");
}

static void
same_flow_may_be_put_in_twice_and_deeper (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new_linear ("inner");
  g_autoptr (ImgImportFlow) middle = imgimport_flow_new_linear ("middle");
  g_autoptr (ImgImportFlow) empty = imgimport_flow_new ("empty");

  add_nested (f, inner, "x");
  g_assert_true (imgimport_flow_add_flow (middle, "in", inner, NULL));
  g_assert_true (imgimport_flow_add_flow (middle, "none", empty, NULL));
  add_flow (f, "one", middle);
  add_flow (f, "two", middle);
  add_nested (f, f->flow, "last");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "one/in/x+ two/in/x+ last+");
}

static void
outputs_bear_the_name_of_their_flow (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");
  g_autoptr (GVariant) value = NULL;

  g_assert_true (imgimport_flow_add_task (inner, "x", &greet_vtable, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_output (inner, "x", "greeting", NULL));
  add_flow (f, "one", inner);
  g_assert_true (imgimport_flow_compile (f->flow, NULL));
  g_assert_nonnull (
      g_hash_table_lookup_extended (f->flow->providers, "one/greeting", NULL, NULL) ? f : NULL);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  value = imgimport_run_get_output (f->run, "one/greeting");
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "hello");
}

static void
inputs_from_outside_keep_their_names (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  const char *const names[] = { "x", NULL };
  g_autoptr (ImgImportFlow) inner = NULL;
  ImgImportFlow *outer = f->flow;

  add_output (add_script (f, "source"), "value");
  inner = scripted_flow (f, names, FALSE);
  g_assert_true (imgimport_flow_add_input (inner, "x", "value", NULL));
  g_assert_true (imgimport_flow_add_flow (outer, "sub", inner, NULL));
  g_assert_true (imgimport_flow_compile (outer, NULL));
  g_assert_cmpuint (outer->plan->n_run_inputs, ==, 0);
}

static void
expect_refusal (ImgImportFlow *flow, const char *name, ImgImportFlow *inner, const char *reason)
{
  g_autoptr (GError) error = NULL;
  guint n_tasks = flow->tasks->len;

  g_assert_false (imgimport_flow_add_flow (flow, name, inner, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
  g_assert_cmpuint (flow->tasks->len, ==, n_tasks);
}

static void
flow_that_does_not_fit_is_refused (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");

  g_assert_true (imgimport_flow_add_task (inner, "x", &greet_vtable, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_output (inner, "x", "greeting", NULL));
  g_assert_true (imgimport_flow_set_pivot (inner, "x", NULL));
  add_nop (flow, "taken");
  add_nop (flow, "begun:begin");
  add_nop (flow, "within/x");
  add_nop (flow, "provider");
  g_assert_true (imgimport_flow_add_output (flow, "provider", "provided/greeting", NULL));
  expect_refusal (flow, "taken", inner, "task-exists");
  expect_refusal (flow, "begun", inner, "task-exists");
  expect_refusal (flow, "within", inner, "task-exists");
  expect_refusal (flow, "provided", inner, "provider-ambiguous");
  expect_refusal (flow, "Bad", inner, "name-invalid");
  g_assert_true (imgimport_flow_add_flow (flow, "first", inner, NULL));
  g_assert_cmpstr (_imgimport_flow_task (flow, flow->pivot)->name, ==, "first/x");
  expect_refusal (flow, "second", inner, "pivot-exists");
  g_assert_true (imgimport_flow_add_flow (inner, "other", flow, NULL) == FALSE);
}

/* They would keep each other, and what their tasks need. */
static void
flows_that_hold_each_other_are_refused (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (ImgImportFlow) middle = imgimport_flow_new ("middle");
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");

  g_assert_true (imgimport_flow_add_flow (middle, "in", inner, NULL));
  g_assert_true (imgimport_flow_add_flow (flow, "in", middle, NULL));
  expect_refusal (inner, "out", flow, "flow-cycle");
  expect_refusal (middle, "out", flow, "flow-cycle");
}

static void
compiled_flow_takes_no_other (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");

  g_assert_true (imgimport_flow_compile (flow, NULL));
  expect_refusal (flow, "sub", inner, "flow-compiled");
}

/* Case 29: ten flows of ten unordered tasks, one behind the other. */
static void
many_unordered_flows_in_a_linear_one (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  guint i;

  for (i = 0; i < 10; i++)
    {
      g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");
      g_autofree char *name = g_strdup_printf ("flow%u", i);
      guint j;

      for (j = 0; j < 10; j++)
        {
          g_autofree char *task = g_strdup_printf ("t%u", j);

          add_nested (f, inner, task);
        }
      add_flow (f, name, inner);
    }
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_order (f, "flow3/t9+", "flow4/t0+");
  g_assert_cmpuint (f->flow->plan->after_start[f->flow->plan->n_tasks], ==, 10 * 20 + 9);
}

/* What is said of a task in one flow is not said of it in the other. */
static void
options_are_copied (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");

  add_nop (inner, "x");
  g_assert_true (imgimport_flow_set_weight (inner, "x", 2, NULL));
  g_assert_true (imgimport_flow_add_final_reason (inner, "x", "hopeless", NULL));
  g_assert_true (imgimport_flow_add_flow (flow, "sub", inner, NULL));
  g_assert_true (imgimport_flow_set_weight (flow, "sub/x", 3, NULL));
  g_assert_true (imgimport_flow_set_weight (inner, "x", 4, NULL));
  g_assert_cmpuint (_imgimport_flow_task (inner, 0)->options->weight, ==, 4);
  g_assert_cmpuint (_imgimport_flow_task (flow, 1)->options->weight, ==, 3);
  g_assert_cmpuint (_imgimport_flow_task (flow, 1)->options->final_reasons->len, ==, 1);
}

/* ---- inputs of reverts ----------------------------------------------------------------------- */

static gboolean
revert_with_input (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  GVariant *value = imgimport_task_get_input (task, "undo");

  leave_trace (data, g_variant_get_string (value, NULL), '-');
  return TRUE;
}

static gboolean
execute_without_input (gpointer data, ImgImportTask *task, GCancellable *cancellable,
                       GError **error)
{
  g_assert_null (imgimport_task_get_input (task, "undo"));
  imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted", "failed");
  return FALSE;
}

static const ImgImportTaskVTable undo_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                 .execute = execute_without_input,
                                                 .revert = revert_with_input };

static void
revert_sees_its_own_inputs (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);

  g_assert_true (imgimport_flow_add_task (f->flow, "task", &undo_vtable, f, NULL, NULL));
  g_assert_true (imgimport_flow_add_revert_input (f->flow, "task", "undo", NULL));
  add_output (add_script (f, "provider"), "undo");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "provider+ provider- provider-");
}

static void
revert_input_nobody_provides_is_refused (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (ImgImportRun) run = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (imgimport_flow_add_task (flow, "task", &undo_vtable, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_revert_input (flow, "task", "undo", NULL));
  run = imgimport_run_new (flow, "run", NULL, NULL, &error);
  g_assert_null (run);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "input-missing");
  g_assert_nonnull (strstr (error->message, "“undo” of the revert of task “task”"));
}

/* Each level has a task that provides "greeting": who asks is given that of its own. */
static void
nearest_provider_counts (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");
  ImgImportFlow *outer = f->flow;
  Script *asks_outside;
  Script *asks_inside;

  f->flow = inner;
  g_assert_true (imgimport_flow_add_task (inner, "greeter", &greet_vtable, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_output (inner, "greeter", "greeting", NULL));
  asks_inside = add_input (add_script (f, "in/asks"), "greeting");
  f->flow = outer;
  add_output (add_script (f, "other"), "greeting");
  asks_outside = add_input (add_script (f, "asks"), "greeting");
  asks_inside->name = "in/in/asks";
  add_flow (f, "in", inner);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpstr (asks_inside->got, ==, "hello");
  g_assert_cmpstr (asks_outside->got, ==, "other");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/T15/nearest-provider-counts", nearest_provider_counts);
  add_both ("/flow/nest/linear-in-linear-keeps-the-order",
            linear_flow_in_linear_flow_keeps_the_order);
  add_both ("/flow/nest/failure-within-reverts-all", failure_in_a_nested_flow_reverts_all);
  g_test_add_func ("/flow/nest/links-mean-first-and-last",
                   links_to_a_flow_mean_its_first_and_last_tasks);
  g_test_add_func ("/flow/nest/twice-and-deeper", same_flow_may_be_put_in_twice_and_deeper);
  g_test_add_func ("/flow/nest/outputs-bear-its-name", outputs_bear_the_name_of_their_flow);
  g_test_add_func ("/flow/nest/inputs-from-outside", inputs_from_outside_keep_their_names);
  g_test_add_func ("/flow/T3/same-names-in-a-flow-are-refused", flow_that_does_not_fit_is_refused);
  g_test_add_func ("/flow/nest/holding-each-other", flows_that_hold_each_other_are_refused);
  g_test_add_func ("/flow/nest/compiled-takes-no-other", compiled_flow_takes_no_other);
  g_test_add_func ("/flow/T29/unordered-flows-in-a-linear-one",
                   many_unordered_flows_in_a_linear_one);
  g_test_add_func ("/flow/nest/options-are-copied", options_are_copied);
  add_both ("/flow/T12/revert-sees-its-own-inputs", revert_sees_its_own_inputs);
  g_test_add_func ("/flow/T12/revert-input-missing", revert_input_nobody_provides_is_refused);
  return g_test_run ();
}
