/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

/* What other engines have, and what is there instead. */

static gboolean
say_no (ImgImportTask *task, gpointer user_data)
{
  return FALSE;
}

static void
add_condition (Fixture *f, const char *task)
{
  g_assert_true (imgimport_flow_set_condition (f->flow, task, say_no, NULL, NULL, NULL));
}

/* No targets: what is not wanted has a condition. */
static void
conditions_leave_what_the_target_needs (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);

  add_script (f, "needed");
  add_script (f, "target");
  add_script (f, "aside");
  add_script (f, "behind");
  add_link (f, "needed", "target");
  add_link (f, "aside", "behind");
  add_condition (f, "aside");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "needed+ target+");
}

/* No retry controllers: there is nothing that one could use as a task or in place of a flow. */
static void
retry_belongs_to_a_task (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");
  g_autoptr (GError) error = NULL;

  g_assert_false (imgimport_flow_set_retry (f->flow, "a", 3, 1, 1, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "task-unknown");
  g_clear_error (&error);
  g_assert_true (imgimport_flow_add_flow (f->flow, "sub", inner, NULL));
  g_assert_false (imgimport_flow_set_retry (f->flow, "sub", 3, 1, 1, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "task-is-flow");
}

/* No priorities. */
static void
ready_tasks_begin_in_their_order (gconstpointer threads)
{
  static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    add_script (f, names[i]);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "0+ 1+ 2+ 3+ 4+ 5+ 6+ 7+ 8+ 9+");
}

/* No depth ATOM: an optional task that will not do it. */
static void
optional_task_is_jumped_over (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a");
  add_script (f, "b")->n_failures = 1;
  add_script (f, "c");
  g_assert_true (imgimport_flow_set_optional (f->flow, "b", TRUE, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b! c+");
  expect_task (f, "b", IMGIMPORT_TASK_SKIPPED);
}

/* No depths FLOW and NEIGHBORS: a flow of those that are to be skipped together. */
static void
condition_of_a_flow_skips_what_it_holds (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new_linear ("inner");
  ImgImportFlow *outer = f->flow;

  f->flow = inner;
  add_script (f, "b");
  add_script (f, "c");
  f->flow = outer;
  add_script (f, "a");
  add_script (f, "d");
  g_assert_true (imgimport_flow_add_flow (outer, "sub", inner, NULL));
  add_link (f, "a", "sub");
  add_link (f, "a", "d");
  add_condition (f, "sub");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ d+");
  expect_task (f, "sub/b", IMGIMPORT_TASK_SKIPPED);
  expect_task (f, "sub/c", IMGIMPORT_TASK_SKIPPED);
}

static void
inner_retry_that_gives_up_reverts_all (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new_linear ("inner");
  ImgImportFlow *outer = f->flow;
  Script *b;

  f->flow = inner;
  b = add_script (f, "b");
  b->n_failures = 2;
  b->code = IMGIMPORT_ERROR_BUSY;
  g_assert_true (imgimport_flow_set_retry (inner, "b", 2, 0, 0, NULL));
  f->flow = outer;
  b->name = "sub/b";
  add_script (f, "a");
  g_assert_true (imgimport_flow_add_flow (outer, "sub", inner, NULL));
  add_script (f, "c");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ sub/b! sub/b! sub/b- a-");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/T9/conditions-leave-what-the-target-needs",
                   conditions_leave_what_the_target_needs);
  g_test_add_func ("/flow/T10/retry-belongs-to-a-task", retry_belongs_to_a_task);
  g_test_add_data_func ("/flow/T27/ready-tasks-begin-in-their-order/0-threads",
                        GUINT_TO_POINTER (0), ready_tasks_begin_in_their_order);
  g_test_add_data_func ("/flow/T27/ready-tasks-begin-in-their-order/1-thread", GUINT_TO_POINTER (1),
                        ready_tasks_begin_in_their_order);
  g_test_add_func ("/flow/T36/optional-task-is-jumped-over", optional_task_is_jumped_over);
  g_test_add_func ("/flow/T37/condition-of-a-flow-skips-what-it-holds",
                   condition_of_a_flow_skips_what_it_holds);
  g_test_add_func ("/flow/T47/inner-retry-that-gives-up-reverts-all",
                   inner_retry_that_gives_up_reverts_all);
  return g_test_run ();
}
