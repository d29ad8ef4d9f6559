/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

static void
failure_reverts_in_reverse_order (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  Script *a = add_script (f, "a");
  Script *b = add_script (f, "b");

  add_script (f, "c")->n_failures = 1;
  add_script (f, "never");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ b+ c! c- b- a-");
  expect_task (f, "c", IMGIMPORT_TASK_REVERTED);
  expect_task (f, "never", IMGIMPORT_TASK_PENDING);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
  expect_error (f, 0, "c", "scripted");
  g_assert_nonnull (strstr (a->cause, "“c”"));
  g_assert_false (b->revert_saw_cancel);
}

static void
task_that_never_ran_is_not_reverted (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "fail")->n_failures = 1;
  add_script (f, "never");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "fail! fail-");
}

static void
failing_revert_does_not_stop_the_others (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b")->revert_fails = TRUE;
  add_script (f, "c")->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  expect_trace (f, "a+ b+ c! c- b~ a-");
  expect_task (f, "b", IMGIMPORT_TASK_REVERT_FAILED);
  expect_task (f, "a", IMGIMPORT_TASK_REVERTED);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 2);
  expect_error (f, 0, "c", "scripted");
  expect_error (f, 1, "b", "scripted-revert");
}

static void
diamond_reverts_the_join_first (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);

  add_script (f, "a");
  add_script (f, "b");
  add_script (f, "c");
  add_script (f, "d")->n_failures = 1;
  add_link (f, "a", "b");
  add_link (f, "a", "c");
  add_link (f, "b", "d");
  add_link (f, "c", "d");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_order (f, "d!", "d-");
  expect_order (f, "d-", "b-");
  expect_order (f, "d-", "c-");
  expect_order (f, "b-", "a-");
  expect_order (f, "c-", "a-");
}

static void
outputs_are_there_in_revert_and_gone_after (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  Script *b = add_script (f, "b");
  Script *c = add_script (f, "c");

  add_output (add_script (f, "a"), "x");
  add_output (add_input (b, "x"), "y");
  add_input (c, "y");
  c->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  g_assert_cmpstr (b->got_at_revert, ==, "a");
  g_assert_cmpstr (c->got_at_revert, ==, "b");
  g_assert_null (imgimport_run_get_output (f->run, "x"));
}

static gboolean
execute_only (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
fail_silently (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return FALSE;
}

static void
task_without_revert_is_passed_over (gconstpointer threads)
{
  static const ImgImportTaskVTable no_revert = { IMGIMPORT_TASK_VTABLE_INIT,
                                                 .execute = execute_only };
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  g_assert_true (imgimport_flow_add_task (f->flow, "b", &no_revert, NULL, NULL, NULL));
  add_script (f, "c")->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ c! c- a-");
  expect_task (f, "b", IMGIMPORT_TASK_REVERTED);
}

static void
silent_failure_gets_an_error (gconstpointer threads)
{
  static const ImgImportTaskVTable silent = { IMGIMPORT_TASK_VTABLE_INIT, .execute = fail_silently,
                                              .revert = fail_silently };
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  g_assert_true (imgimport_flow_add_task (f->flow, "a", &silent, NULL, NULL, NULL));
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  expect_error (f, 0, "a", "no-error-given");
  expect_error (f, 1, "a", "no-error-given");
  g_assert_null (imgimport_run_get_error (f->run, 2, NULL));
}

static void
queued_siblings_never_start (void)
{
  g_autoptr (Fixture) f = fixture_new (1, FALSE);

  add_script (f, "a")->n_failures = 1;
  add_script (f, "b");
  add_script (f, "c");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! a-");
}

static void
wait_for_both (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  gate_wait (self->fixture, 2);
}

static void
two_failures_at_once_are_both_kept (void)
{
  g_autoptr (Fixture) f = fixture_new (2, FALSE);
  Script *a = add_script (f, "a");
  Script *b = add_script (f, "b");

  /* The other one may see the cancellation first: then it does not count as a cause. */
  a->hook = b->hook = wait_for_both;
  a->n_failures = b->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==,
                    2 - (guint)a->saw_cancel - (guint)b->saw_cancel);
  expect_task (f, "a", IMGIMPORT_TASK_REVERTED);
  expect_task (f, "b", IMGIMPORT_TASK_REVERTED);
}

static void
come_to_gate (GCancellable *cancellable, gpointer data)
{
  gate_wait (data, 3);
}

/* The third to come to the gate is the cancellation. */
static void
wait_for_cancel (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  gulong id = g_cancellable_connect (cancellable, G_CALLBACK (come_to_gate), self->fixture, NULL);

  gate_wait (self->fixture, 3);
  g_cancellable_disconnect (cancellable, id);
}

static void
running_sibling_is_cancelled_awaited_and_reverted (void)
{
  g_autoptr (Fixture) f = fixture_new (2, FALSE);
  Script *a = add_script (f, "a");
  Script *b = add_script (f, "b");

  a->n_failures = 1;
  a->hook = wait_for_both;
  b->hook = wait_for_cancel;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  g_assert_true (b->saw_cancel);
  g_assert_false (b->revert_saw_cancel);
  expect_order (f, "a!", "b!");
  expect_order (f, "b!", "a-");
  expect_order (f, "b!", "b-");
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
  expect_error (f, 0, "a", "scripted");
}

static gboolean
revert_once_told (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Script *self = data;

  if (self->n_failures == 0)
    {
      leave_trace (self->fixture, self->name, '-');
      return TRUE;
    }
  self->n_failures--;
  while (!g_cancellable_is_cancelled (cancellable))
    g_thread_yield ();
  leave_trace (self->fixture, self->name, '~');
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
do_nothing (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
revert_in_time (guint attempts, ImgImportRunState state, const char *trace)
{
  static const ImgImportTaskVTable vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = do_nothing,
                                              .revert = revert_once_told };
  g_autoptr (Fixture) f = fixture_new (1, TRUE);
  Script slow = { .fixture = f, .name = "slow", .n_failures = 1 };

  use_real_time (f);
  g_assert_true (imgimport_flow_add_task (f->flow, "slow", &vtable, &slow, NULL, NULL));
  add_script (f, "bad")->n_failures = 1;
  g_assert_true (imgimport_flow_set_revert_timeout (f->flow, "slow", 10, NULL));
  g_assert_true (imgimport_flow_set_revert_retry (f->flow, "slow", attempts, 0, 0, NULL));
  run_to (f, state);
  expect_trace (f, trace);
  if (state == IMGIMPORT_RUN_PARTIALLY_REVERTED)
    expect_error (f, 1, "slow", "revert-timed-out");
}

static void
late_revert_is_told_to_stop (void)
{
  revert_in_time (1, IMGIMPORT_RUN_PARTIALLY_REVERTED, "bad! bad- slow~");
}

static void
late_revert_is_tried_again (void)
{
  revert_in_time (2, IMGIMPORT_RUN_REVERTED, "bad! bad- slow~ slow-");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T21/task-that-never-ran-is-not-reverted", task_that_never_ran_is_not_reverted);
  add_both ("/flow/T22/failure-reverts-in-reverse-order", failure_reverts_in_reverse_order);
  add_both ("/flow/T23/failing-revert-does-not-stop-the-others",
            failing_revert_does_not_stop_the_others);
  add_both ("/flow/T24/outputs-are-there-in-revert-and-gone-after",
            outputs_are_there_in_revert_and_gone_after);
  add_both ("/flow/T25/diamond-reverts-the-join-first", diamond_reverts_the_join_first);
  g_test_add_func ("/flow/T28/two-failures-at-once-are-both-kept",
                   two_failures_at_once_are_both_kept);
  g_test_add_func ("/flow/T34/queued-siblings-never-start", queued_siblings_never_start);
  g_test_add_func ("/flow/T49/running-sibling-is-cancelled-awaited-and-reverted",
                   running_sibling_is_cancelled_awaited_and_reverted);
  add_both ("/flow/revert/task-without-revert-is-passed-over", task_without_revert_is_passed_over);
  add_both ("/flow/revert/silent-failure-gets-an-error", silent_failure_gets_an_error);
  g_test_add_func ("/flow/T23/late-revert", late_revert_is_told_to_stop);
  g_test_add_func ("/flow/T23/late-revert-is-tried-again", late_revert_is_tried_again);
  return g_test_run ();
}
