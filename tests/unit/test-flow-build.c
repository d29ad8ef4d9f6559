/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

#define expect_reason(error, code, reason)                                                         \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_error (error, IMGIMPORT_ERROR, code);                                                 \
    g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);                              \
    g_clear_error (&error);                                                                        \
  }                                                                                                \
  G_STMT_END

static void
count (gpointer data)
{
  ++*(guint *)data;
}

static void
refused_task_is_destroyed_once (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  ImgImportTaskVTable no_execute = { IMGIMPORT_TASK_VTABLE_INIT, .revert = script_revert };
  ImgImportTaskVTable too_small = { .struct_size = 8, .execute = script_execute };
  const char *const bad[] = { "", "A", "-a", "a b", "a\n", "ä" };
  GError *error = NULL;
  guint n = 0;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (imgimport_flow_add_task (flow, bad[i], &script_vtable, &n, count, &error));
      expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid");
      g_assert_cmpuint (n, ==, i + 1);
    }
  n = 0;
  g_assert_false (imgimport_flow_add_task (flow, "a", NULL, &n, count, &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "vtable-invalid");
  g_assert_false (imgimport_flow_add_task (flow, "a", &too_small, &n, count, &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "vtable-invalid");
  g_assert_false (imgimport_flow_add_task (flow, "a", &no_execute, &n, count, &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "vtable-invalid");
  g_assert_cmpuint (n, ==, 3);
  g_assert_true (imgimport_flow_add_task (flow, "a.0_b:c/d-e", &script_vtable, &n, count, &error));
  g_assert_false (imgimport_flow_add_task (flow, "a.0_b:c/d-e", &script_vtable, &n, NULL, &error));
  expect_reason (error, IMGIMPORT_ERROR_EXISTS, "task-exists");
  g_assert_cmpuint (n, ==, 3);
  g_clear_object (&flow);
  g_assert_cmpuint (n, ==, 4);
}

static void
unknown_tasks_are_not_found (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  GError *error = NULL;

  add_script (f, "a");
  g_assert_false (imgimport_flow_link (f->flow, "none", "a", &error));
  expect_reason (error, IMGIMPORT_ERROR_NOT_FOUND, "task-unknown");
  g_assert_false (imgimport_flow_link (f->flow, "a", "none", &error));
  expect_reason (error, IMGIMPORT_ERROR_NOT_FOUND, "task-unknown");
  g_assert_false (imgimport_flow_add_input (f->flow, "none", "x", &error));
  expect_reason (error, IMGIMPORT_ERROR_NOT_FOUND, "task-unknown");
  g_assert_false (imgimport_flow_add_output (f->flow, "none", "x", &error));
  expect_reason (error, IMGIMPORT_ERROR_NOT_FOUND, "task-unknown");
  g_assert_false (imgimport_flow_set_retry (f->flow, "none", 1, 0, 0, &error));
  expect_reason (error, IMGIMPORT_ERROR_NOT_FOUND, "task-unknown");
  g_assert_false (imgimport_flow_set_pivot (f->flow, "none", &error));
  expect_reason (error, IMGIMPORT_ERROR_NOT_FOUND, "task-unknown");
  g_assert_false (imgimport_flow_add_input (f->flow, "a", "", &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid");
  g_assert_false (imgimport_flow_set_retry (f->flow, "a", 0, 0, 0, &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "retry-invalid");
}

static void
second_provider_is_refused (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  Script *c = add_script (f, "c");
  GError *error = NULL;

  add_output (add_script (f, "a"), "x");
  add_script (f, "b");
  g_assert_false (imgimport_flow_add_output (f->flow, "b", "x", &error));
  expect_reason (error, IMGIMPORT_ERROR_EXISTS, "provider-ambiguous");
  add_input (c, "x");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpstr (c->got, ==, "a");
}

static void
cycle_is_named_and_can_be_avoided (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  GError *error = NULL;

  add_script (f, "outside");
  add_script (f, "behind");
  add_output (add_input (add_script (f, "a"), "y"), "x");
  add_output (add_input (add_script (f, "b"), "x"), "y");
  add_link (f, "b", "behind");
  add_link (f, "outside", "a");
  add_link (f, "outside", "b");
  g_assert_false (imgimport_flow_compile (f->flow, &error));
  g_assert_nonnull (strstr (error->message, "“a”"));
  g_assert_nonnull (strstr (error->message, "“b”"));
  g_assert_null (strstr (error->message, "outside"));
  g_assert_null (strstr (error->message, "behind"));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-cycle");
  g_assert_null (imgimport_run_new (f->flow, "run", NULL, NULL, &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-cycle");
  add_script (f, "still-open");
}

static void
long_cycle_has_a_short_message (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GError *error = NULL;
  guint i;

  for (i = 0; i < 1000; i++)
    {
      g_ptr_array_add (names, g_strdup_printf ("t%u", i));
      add_script (f, g_ptr_array_index (names, i));
    }
  add_link (f, "t999", "t0");
  g_assert_false (imgimport_flow_compile (f->flow, &error));
  g_assert_cmpuint (strlen (error->message), <, 1000);
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-cycle");
}

static void
pivot_must_divide_the_flow (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  GError *error = NULL;

  add_script (f, "before");
  add_script (f, "pivot");
  add_script (f, "after");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", &error));
  g_assert_false (imgimport_flow_set_pivot (f->flow, "after", &error));
  expect_reason (error, IMGIMPORT_ERROR_EXISTS, "pivot-exists");
  f->flow->linear = FALSE;
  add_script (f, "beside");
  g_assert_false (imgimport_flow_compile (f->flow, &error));
  g_assert_nonnull (strstr (error->message, "“beside”"));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-pivot");
  add_link (f, "pivot", "beside");
  g_assert_true (imgimport_flow_compile (f->flow, &error));
}

static void
compiled_flow_cannot_be_changed (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  GError *error = NULL;
  guint n = 0;

  add_script (f, "a");
  g_assert_true (imgimport_flow_compile (f->flow, &error));
  g_assert_true (imgimport_flow_compile (f->flow, &error));
  g_assert_false (imgimport_flow_add_task (f->flow, "b", &script_vtable, &n, count, &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_STATE, "flow-compiled");
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (imgimport_flow_link (f->flow, "a", "a", &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_STATE, "flow-compiled");
  g_assert_false (imgimport_flow_add_output (f->flow, "a", "x", &error));
  expect_reason (error, IMGIMPORT_ERROR_INVALID_STATE, "flow-compiled");
}

static guint64
fingerprint_of (const char *first, const char *second, gboolean linked, gboolean pivot)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);

  add_script (f, first);
  add_script (f, second);
  if (linked)
    add_link (f, first, second);
  if (pivot)
    g_assert_true (imgimport_flow_set_pivot (f->flow, first, NULL));
  g_assert_true (imgimport_flow_compile (f->flow, NULL));
  return f->flow->plan->fingerprint;
}

static void
fingerprint_tells_definitions_apart (void)
{
  guint64 one = fingerprint_of ("a", "b", TRUE, FALSE);

  g_assert_cmpuint (one, ==, fingerprint_of ("a", "b", TRUE, FALSE));
  g_assert_cmpuint (one, !=, fingerprint_of ("a", "b", FALSE, FALSE));
  g_assert_cmpuint (one, !=, fingerprint_of ("b", "a", TRUE, FALSE));
  g_assert_cmpuint (one, !=, fingerprint_of ("a", "c", TRUE, FALSE));
  g_assert_cmpuint (one, !=, fingerprint_of ("a", "b", TRUE, TRUE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/T04/refused-task-is-destroyed-once", refused_task_is_destroyed_once);
  g_test_add_func ("/flow/T06/second-provider-is-refused", second_provider_is_refused);
  g_test_add_func ("/flow/T07/cycle-is-named-and-can-be-avoided",
                   cycle_is_named_and_can_be_avoided);
  g_test_add_func ("/flow/T07/long-cycle-has-a-short-message", long_cycle_has_a_short_message);
  g_test_add_func ("/flow/build/unknown-tasks-are-not-found", unknown_tasks_are_not_found);
  g_test_add_func ("/flow/build/pivot-must-divide-the-flow", pivot_must_divide_the_flow);
  g_test_add_func ("/flow/build/compiled-flow-cannot-be-changed", compiled_flow_cannot_be_changed);
  g_test_add_func ("/flow/build/fingerprint-tells-definitions-apart",
                   fingerprint_tells_definitions_apart);
  return g_test_run ();
}
