/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* When and with what a task is tried again. */

static Script *
add_flaky (Fixture *f, const char *name, guint n_failures, guint attempts)
{
  Script *script = add_script (f, name);

  script->n_failures = n_failures;
  script->code = IMGIMPORT_ERROR_UNAVAILABLE;
  g_assert_true (imgimport_flow_set_retry (f->flow, name, attempts, 1000, 8000, NULL));
  return script;
}

static void
jitter_stays_in_its_bounds_and_is_the_same_each_time (void)
{
  ImgImportRetry retry = {
    .attempts = 9, .delay_ms = 1000, .max_delay_ms = 4000, .jitter_percent = 50, .seed = 7
  };
  guint n_different = 0;
  guint64 salt;

  for (salt = 0; salt < 1000; salt++)
    {
      guint64 first = _imgimport_retry_delay_us (&retry, 1, salt);
      guint64 third = _imgimport_retry_delay_us (&retry, 3, salt);

      g_assert_cmpuint (first, >=, 500 * 1000);
      g_assert_cmpuint (first, <=, 1000 * 1000);
      g_assert_cmpuint (third, >=, 2000 * 1000);
      g_assert_cmpuint (third, <=, 4000 * 1000);
      g_assert_cmpuint (first, ==, _imgimport_retry_delay_us (&retry, 1, salt));
      n_different += first != _imgimport_retry_delay_us (&retry, 1, salt + 1);
    }
  g_assert_cmpuint (n_different, >, 900);
}

static gint64
time_of_a_run (guint64 seed)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_flaky (f, "a", 3, 4);
  g_assert_true (imgimport_flow_set_retry_jitter (f->flow, "a", 100, seed, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  return _imgimport_clock_monotonic_us (f->clock);
}

static void
seed_decides_the_waits (void)
{
  g_assert_cmpint (time_of_a_run (1), ==, time_of_a_run (1));
  g_assert_cmpint (time_of_a_run (1), !=, time_of_a_run (2));
}

static void
elapsed_time_ends_the_attempts (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  add_flaky (f, "a", 9, 9);
  g_assert_true (imgimport_flow_set_retry_elapsed (f->flow, "a", 3000, NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! a! a! a-");
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 3000 * 1000);
}

static void
final_reason_ends_the_attempts (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_flaky (f, "a", 9, 9);
  g_assert_true (imgimport_flow_add_final_reason (f->flow, "a", "other", NULL));
  g_assert_true (imgimport_flow_add_final_reason (f->flow, "a", "scripted", NULL));
  g_assert_true (
      imgimport_flow_set_alternatives (f->flow, "a", g_variant_new_parsed ("['x', 'y']"), NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! a-");
}

static void
ask_for_a_pause (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  if (imgimport_task_get_attempt (task) == 1)
    imgimport_task_set_retry_after (task, 77000);
}

static void
error_may_say_when (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  add_flaky (f, "a", 2, 3)->hook = ask_for_a_pause;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, (77000 + 2000) * 1000);
}

/* ---- alternatives ---------------------------------------------------------------------------- */

static void
trace_alternative (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autofree char *text = g_variant_print (imgimport_task_get_alternative (task), FALSE);

  leave_trace (self->fixture, text, '?');
}

static void
alternatives_are_offered_in_order (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  Script *a = add_script (f, "a");

  a->n_failures = 9;
  a->hook = trace_alternative;
  g_assert_true (
      imgimport_flow_set_alternatives (f->flow, "a", g_variant_new_parsed ("[3, 2, 3, 5]"), NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "3? a! 2? a! 3? a! 5? a! a-");
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
}

static void
each_alternative_has_all_attempts (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);
  Script *a = add_flaky (f, "a", 3, 2);

  a->hook = trace_alternative;
  g_assert_true (
      imgimport_flow_set_alternatives (f->flow, "a", g_variant_new_parsed ("['x', 'y']"), NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "'x'? a! 'x'? a! 'y'? a! 'y'? a+");
  g_assert_cmpuint (a->last_attempt, ==, 4);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 2000 * 1000);
}

static void
no_alternative_is_refused (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) other = NULL;

  add_script (f, "a");
  g_assert_false (
      imgimport_flow_set_alternatives (f->flow, "a", g_variant_new_parsed ("@as []"), &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "alternatives-invalid");
  g_assert_false (imgimport_flow_set_alternatives (f->flow, "a", g_variant_new_int32 (1), &other));
  g_assert_cmpstr (imgimport_error_get_reason (other), ==, "alternatives-invalid");
}

/* The process ends while the second mirror is tried: the next begins with it. */
static void
alternative_survives_the_process (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Script *a = add_script (f, "a");

  a->n_failures = 1;
  a->hook = trace_alternative;
  g_assert_true (
      imgimport_flow_set_alternatives (f->flow, "a", g_variant_new_parsed ("['x', 'y']"), NULL));
  use_recorder (f, recorder);
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  g_assert_true (imgimport_engine_iterate (f->engine));
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  /* Without the last outcome. */
  g_ptr_array_set_size (recorder->appends, (gint)recorder->appends->len - 1);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "'x'? a! 'y'? a+ 'y'? a+");
  g_assert_cmpuint (a->last_attempt, ==, 3);
}

/* ---- reverts --------------------------------------------------------------------------------- */

static guint n_revert_failures (Fixture *f);

static gboolean
flaky_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Script *self = data;

  if (self->revert_fails)
    {
      leave_trace (self->fixture, self->name, '~');
      self->revert_fails = n_revert_failures (self->fixture) < 2;
      imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted-revert", self->name);
      return FALSE;
    }
  leave_trace (self->fixture, self->name, '-');
  return TRUE;
}

static guint
n_revert_failures (Fixture *f)
{
  guint n = 0;
  const char *c;

  for (c = f->trace->str; *c != '\0'; c++)
    n += *c == '~';
  return n;
}

static const ImgImportTaskVTable flaky_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                  .execute = script_execute,
                                                  .revert = flaky_revert };

static void
add_flaky_revert (Fixture *f, guint attempts)
{
  Script *script = g_new0 (Script, 1);

  script->fixture = f;
  script->name = "a";
  script->revert_fails = TRUE;
  g_ptr_array_add (f->scripts, script);
  g_assert_true (
      imgimport_flow_add_task (f->flow, "a", &flaky_vtable, script, script_destroy, NULL));
  g_assert_true (imgimport_flow_set_revert_retry (f->flow, "a", attempts, 1000, 5000, NULL));
}

static void
failing_revert_is_tried_again (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  add_flaky_revert (f, 3);
  add_script (f, "bad")->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ bad! bad- a~ a~ a-");
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 3000 * 1000);
}

static void
exhausted_revert_is_recorded (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_flaky_revert (f, 2);
  add_script (f, "bad")->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  expect_trace (f, "a+ bad! bad- a~ a~");
  expect_error (f, 1, "a", "scripted-revert");
}

/* ---- refusals -------------------------------------------------------------------------------- */

typedef gboolean (*Setter) (ImgImportFlow *flow, const char *task, GError **error);

static gboolean
bad_retry (ImgImportFlow *flow, const char *task, GError **error)
{
  return imgimport_flow_set_retry (flow, task, 0, 0, 0, error);
}

static gboolean
bad_revert_retry (ImgImportFlow *flow, const char *task, GError **error)
{
  return imgimport_flow_set_revert_retry (flow, task, 0, 0, 0, error);
}

static gboolean
bad_jitter (ImgImportFlow *flow, const char *task, GError **error)
{
  return imgimport_flow_set_retry_jitter (flow, task, 101, 0, error);
}

static gboolean
bad_weight (ImgImportFlow *flow, const char *task, GError **error)
{
  return imgimport_flow_set_weight (flow, task, 0, error);
}

static gboolean
bad_class (ImgImportFlow *flow, const char *task, GError **error)
{
  return imgimport_flow_set_class (flow, task, (ImgImportTaskClass)4, error);
}

static void
nonsense_is_refused (void)
{
  const Setter setters[] = { bad_retry, bad_revert_retry, bad_jitter, bad_weight, bad_class };
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  guint i;

  add_script (f, "a");
  for (i = 0; i < G_N_ELEMENTS (setters); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) unknown = NULL;

      g_assert_false (setters[i](f->flow, "a", &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_false (setters[i](f->flow, "gone", &unknown));
      g_assert_error (unknown, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
    }
}

static gboolean
say_yes (ImgImportTask *task, gpointer user_data)
{
  return TRUE;
}

/* A setter refused it. */
static void
expect_task_is_flow (gboolean ok, GError **error)
{
  g_assert_false (ok);
  g_assert_error (*error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (*error), ==, "task-is-flow");
  g_clear_error (error);
}

/* It would count for the end of the flow only, and nobody would see it. */
static void
what_only_a_task_can_have_is_refused_for_a_flow (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (ImgImportFlow) inner = imgimport_flow_new ("inner");
  ImgImportFlow *flow = f->flow;
  GError *e = NULL;

  g_assert_true (imgimport_flow_add_flow (flow, "sub", inner, NULL));
  expect_task_is_flow (imgimport_flow_set_retry (flow, "sub", 2, 1, 1, &e), &e);
  expect_task_is_flow (imgimport_flow_set_optional (flow, "sub", TRUE, &e), &e);
  expect_task_is_flow (imgimport_flow_set_timeout (flow, "sub", 1, 1, &e), &e);
  expect_task_is_flow (imgimport_flow_set_weight (flow, "sub", 2, &e), &e);
  expect_task_is_flow (imgimport_flow_add_output (flow, "sub", "x", &e), &e);
  expect_task_is_flow (imgimport_flow_add_revert_input (flow, "sub", "x", &e), &e);
  g_assert_true (imgimport_flow_set_condition (flow, "sub", say_yes, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_set_pivot (flow, "sub", NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
}

static void
unknown_tasks_and_compiled_flows_are_refused (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  ImgImportFlow *flow = f->flow;

  g_assert_false (imgimport_flow_set_optional (flow, "gone", TRUE, NULL));
  g_assert_false (imgimport_flow_set_timeout (flow, "gone", 1, 1, NULL));
  g_assert_false (imgimport_flow_set_retry_elapsed (flow, "gone", 1, NULL));
  g_assert_false (imgimport_flow_add_final_reason (flow, "gone", "x", NULL));
  g_assert_false (
      imgimport_flow_set_alternatives (flow, "gone", g_variant_new_parsed ("[1]"), NULL));
  g_assert_true (imgimport_flow_compile (flow, NULL));
  g_assert_false (imgimport_flow_set_deadline (flow, 1, NULL));
  g_assert_false (imgimport_flow_set_budget (flow, 1, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/retry/jitter-bounds",
                   jitter_stays_in_its_bounds_and_is_the_same_each_time);
  g_test_add_func ("/flow/retry/seed-decides", seed_decides_the_waits);
  g_test_add_func ("/flow/retry/elapsed", elapsed_time_ends_the_attempts);
  add_both ("/flow/retry/final-reason", final_reason_ends_the_attempts);
  g_test_add_func ("/flow/retry/error-may-say-when", error_may_say_when);
  add_both ("/flow/T44/alternatives-in-order", alternatives_are_offered_in_order);
  g_test_add_func ("/flow/T44/no-alternative-is-refused", no_alternative_is_refused);
  g_test_add_func ("/flow/T45/each-alternative-has-all-attempts",
                   each_alternative_has_all_attempts);
  g_test_add_func ("/flow/T56/alternative-survives-the-process", alternative_survives_the_process);
  g_test_add_func ("/flow/T23/failing-revert-is-tried-again", failing_revert_is_tried_again);
  g_test_add_func ("/flow/T50/exhausted-revert-is-recorded", exhausted_revert_is_recorded);
  g_test_add_func ("/flow/policy/nonsense-is-refused", nonsense_is_refused);
  g_test_add_func ("/flow/policy/of-a-flow-is-refused",
                   what_only_a_task_can_have_is_refused_for_a_flow);
  g_test_add_func ("/flow/policy/unknown-and-compiled",
                   unknown_tasks_and_compiled_flows_are_refused);
  return g_test_run ();
}
