/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

static Script *
add_flaky (Fixture *f, const char *name, guint n_failures, guint attempts)
{
  Script *script = add_script (f, name);

  script->n_failures = n_failures;
  script->code = IMGIMPORT_ERROR_UNAVAILABLE;
  g_assert_true (imgimport_flow_set_retry (f->flow, name, attempts, 1000, 5000, NULL));
  return script;
}

static void
second_attempt_succeeds (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  Script *a = add_flaky (f, "a", 1, 3);

  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a! a+ b+");
  g_assert_cmpuint (a->last_attempt, ==, 2);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 0);
}

static void
exhausted_attempts_revert_once (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_flaky (f, "b", 9, 3);
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ b! b! b! b- a-");
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
}

static void
delays_double_up_to_the_cap (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  const gint64 expected_ms[] = { 1000, 2000, 4000, 5000, 5000 };
  guint i;

  add_flaky (f, "a", 5, 6);
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  for (i = 0; i < G_N_ELEMENTS (expected_ms); i++)
    {
      expect_task (f, "a", IMGIMPORT_TASK_PENDING);
      _imgimport_clock_advance (f->clock, expected_ms[i] * 1000 - 1);
      g_assert_false (imgimport_engine_iterate (f->engine));
      _imgimport_clock_advance (f->clock, 1);
      g_assert_true (imgimport_engine_iterate (f->engine));
    }
  expect_trace (f, "a! a! a! a! a! a+");
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
}

static void
wait_sleeps_until_the_retry_is_due (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  add_flaky (f, "a", 2, 3);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 3000 * 1000);
}

static void
wait_gives_up_at_its_timeout (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  add_flaky (f, "a", 1, 2);
  start_run (f);
  g_assert_false (imgimport_run_wait (f->run, 999));
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, <=, 999 * 1000);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
}

static void
other_errors_are_not_retried (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_flaky (f, "a", 1, 3)->code = IMGIMPORT_ERROR_CORRUPT;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! a-");
}

static void
no_delay_retries_at_once (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_flaky (f, "a", 2, 3);
  g_assert_true (imgimport_flow_set_retry (f->flow, "a", 3, 0, 0, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a! a! a+");
}

static void
sibling_failure_ends_the_wait (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);

  add_flaky (f, "flaky", 1, 3);
  add_script (f, "bad")->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "flaky! bad! bad- flaky-");
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock), ==, begin_us);
  g_assert_false (imgimport_engine_iterate (f->engine));
}

static void
cancel_ends_the_wait (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);

  add_flaky (f, "flaky", 1, 3);
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  g_assert_true (imgimport_run_cancel (f->run));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "flaky! flaky-");
}

static void
timers_come_in_order (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (ImgImportRun) kept = imgimport_run_new (flow, "kept", NULL, NULL, NULL);
  g_autoptr (ImgImportRun) dropped = imgimport_run_new (flow, "dropped", NULL, NULL, NULL);
  g_autoptr (GArray) timers = g_array_new (FALSE, FALSE, sizeof (ImgImportTimer));
  ImgImportTimer last = { .due_us = 0 };
  guint i;

  for (i = 0; i < 1000; i++)
    {
      ImgImportTimer timer = { .due_us = (i * 7919) % 101, .serial = i, .task = i };

      timer.run = i % 3 == 0 ? dropped : kept;
      _imgimport_timers_push (timers, &timer);
    }
  _imgimport_timers_remove_run (timers, dropped);
  g_assert_cmpuint (timers->len, ==, 666);
  while (timers->len > 0)
    {
      ImgImportTimer timer = _imgimport_timers_pop (timers);

      g_assert_true (timer.run == kept);
      g_assert_true (last.due_us < timer.due_us ||
                     (last.due_us == timer.due_us && last.serial <= timer.serial));
      last = timer;
      g_object_unref (timer.run);
    }
  g_assert_finalize_object (g_steal_pointer (&kept));
  g_assert_finalize_object (g_steal_pointer (&dropped));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T42/exhausted-attempts-revert-once", exhausted_attempts_revert_once);
  add_both ("/flow/T43/second-attempt-succeeds", second_attempt_succeeds);
  add_both ("/flow/retry/other-errors-are-not-retried", other_errors_are_not_retried);
  add_both ("/flow/retry/no-delay-retries-at-once", no_delay_retries_at_once);
  g_test_add_func ("/flow/retry/delays-double-up-to-the-cap", delays_double_up_to_the_cap);
  g_test_add_func ("/flow/retry/wait-sleeps-until-the-retry-is-due",
                   wait_sleeps_until_the_retry_is_due);
  g_test_add_func ("/flow/retry/wait-gives-up-at-its-timeout", wait_gives_up_at_its_timeout);
  g_test_add_func ("/flow/retry/sibling-failure-ends-the-wait", sibling_failure_ends_the_wait);
  g_test_add_func ("/flow/retry/cancel-ends-the-wait", cancel_ends_the_wait);
  g_test_add_func ("/flow/retry/timers-come-in-order", timers_come_in_order);
  return g_test_run ();
}
