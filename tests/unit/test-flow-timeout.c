/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* What has to be done in time. */

typedef struct
{
  Fixture *f;
  GPtrArray *tasks;        /* those that were started */
  GPtrArray *cancellables; /* what they were given */
} Peers;

static gboolean
peer_start (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Peers *self = data;

  leave_trace (self->f, imgimport_task_get_name (task), '>');
  g_ptr_array_add (self->tasks, task);
  g_ptr_array_add (self->cancellables, g_object_ref (cancellable));
  return TRUE;
}

static gboolean
peer_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  leave_trace (((Peers *)data)->f, imgimport_task_get_name (task), '-');
  return TRUE;
}

static const ImgImportTaskVTable peer_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .revert = peer_revert,
                                                 .start = peer_start };

static void
peers_free (Peers *self)
{
  g_ptr_array_unref (self->tasks);
  g_ptr_array_unref (self->cancellables);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peers, peers_free)

static Peers *
peers_new (Fixture *f, const char *task, guint timeout_ms, guint stall_ms)
{
  Peers *self = g_new0 (Peers, 1);

  self->f = f;
  self->tasks = g_ptr_array_new ();
  self->cancellables = g_ptr_array_new_with_free_func (g_object_unref);
  g_assert_true (imgimport_flow_add_task (f->flow, task, &peer_vtable, self, NULL, NULL));
  g_assert_true (imgimport_flow_set_timeout (f->flow, task, timeout_ms, stall_ms, NULL));
  return self;
}

static gboolean
was_fired (Peers *self, guint index)
{
  return g_cancellable_is_cancelled (g_ptr_array_index (self->cancellables, index));
}

static void
complete_all (Peers *self)
{
  guint i;

  for (i = 0; i < self->tasks->len; i++)
    imgimport_task_complete (g_ptr_array_index (self->tasks, i), NULL);
}

static void
silent_peer_fails_and_its_late_answer_is_ignored (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);
  g_autoptr (Peers) peers = peers_new (f, "a", 5000, 0);

  run_to (f, IMGIMPORT_RUN_REVERTED);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock) - begin_us, ==, 5000 * 1000);
  expect_error (f, 0, "a", "task-timed-out");
  g_assert_error (imgimport_run_get_error (f->run, 0, NULL), IMGIMPORT_ERROR,
                  IMGIMPORT_ERROR_TIMED_OUT);
  g_assert_true (was_fired (peers, 0));
  expect_trace (f, "a> a-");
  complete_all (peers);
  expect_task (f, "a", IMGIMPORT_TASK_REVERTED);
}

static void
timed_out_attempt_is_retried (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Peers) peers = peers_new (f, "a", 5000, 0);

  g_assert_true (imgimport_flow_set_retry (f->flow, "a", 2, 0, 0, NULL));
  start_run (f);
  while (peers->tasks->len < 2)
    if (!imgimport_engine_iterate (f->engine))
      _imgimport_clock_advance (f->clock, 5000 * 1000);
  g_assert_true (was_fired (peers, 0));
  g_assert_false (was_fired (peers, 1));
  /* The first one, which nobody waits for, says that it is alive, and answers late. */
  imgimport_task_set_progress (g_ptr_array_index (peers->tasks, 0), 0.5);
  imgimport_task_set_retry_after (g_ptr_array_index (peers->tasks, 0), 1);
  complete_all (peers);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a> a>");
}

static void
progress_keeps_a_task_from_stalling (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Peers) peers = peers_new (f, "a", 0, 1000);
  guint i;

  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  for (i = 0; i < 10; i++)
    {
      _imgimport_clock_advance (f->clock, 999 * 1000);
      while (imgimport_engine_iterate (f->engine))
        continue;
      g_assert_false (was_fired (peers, 0));
      imgimport_task_set_progress (g_ptr_array_index (peers->tasks, 0), 0.1 * i);
    }
  _imgimport_clock_advance (f->clock, 1000 * 1000);
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_error (f, 0, "a", "task-stalled");
  complete_all (peers);
}

/* On a thread: the alarm comes while all threads are busy. */
static void
wait_for_cancel (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  while (!g_cancellable_is_cancelled (cancellable))
    g_thread_yield ();
}

static Fixture *
fixture_in_real_time (guint threads)
{
  Fixture *f = fixture_new (threads, TRUE);

  g_clear_object (&f->engine);
  _imgimport_clock_unref (f->clock);
  f->clock = _imgimport_clock_new_system ();
  f->engine = _imgimport_engine_new_with_clock (threads, f->clock);
  return f;
}

static void
hanging_task_is_told_to_stop (void)
{
  g_autoptr (Fixture) f = fixture_in_real_time (1);

  add_script (f, "a")->hook = wait_for_cancel;
  g_assert_true (imgimport_flow_set_timeout (f->flow, "a", 20, 0, NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a! a-");
  expect_error (f, 0, "a", "task-timed-out");
}

static void
stalled_task_is_told_to_stop (void)
{
  g_autoptr (Fixture) f = fixture_in_real_time (1);

  add_script (f, "a")->hook = wait_for_cancel;
  g_assert_true (imgimport_flow_set_timeout (f->flow, "a", 0, 20, NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_error (f, 0, "a", "task-stalled");
}

/* Of a task that has a timeout the cancellable is its own: a cancellation reaches it too. */
static void
cancel_reaches_a_task_with_a_timeout (void)
{
  g_autoptr (Fixture) f = fixture_in_real_time (1);
  Script *a = add_script (f, "a");

  a->hook = wait_for_cancel;
  g_assert_true (imgimport_flow_set_timeout (f->flow, "a", 3600 * 1000, 0, NULL));
  start_run (f);
  while (!imgimport_run_wait (f->run, 1))
    {
      ImgImportTaskState state;

      g_assert_true (imgimport_run_get_task_state (f->run, "a", &state, NULL));
      if (state == IMGIMPORT_TASK_RUNNING)
        imgimport_run_cancel (f->run);
    }
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
}

static void
late_success_is_success (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);

  add_script (f, "a");
  g_assert_true (imgimport_flow_set_timeout (f->flow, "a", 5, 5, NULL));
  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+");
}

/* ---- the run as a whole ---------------------------------------------------------------------- */

static void
late_run_is_reverted (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Script *flaky;

  add_script (f, "a");
  flaky = add_script (f, "b");
  flaky->n_failures = 99;
  flaky->code = IMGIMPORT_ERROR_BUSY;
  g_assert_true (imgimport_flow_set_retry (f->flow, "b", 99, 1000, 1000, NULL));
  g_assert_true (imgimport_flow_set_deadline (f->flow, 2500, NULL));
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ b! b! b! b- a-");
  expect_error (f, 0, NULL, "flow-deadline");
}

static void
deadline_counts_across_processes (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (Peers) peers = NULL;
  g_autoptr (GByteArray) begun = NULL;

  add_script (f, "a");
  peers = peers_new (f, "b", 0, 0);
  g_assert_true (imgimport_flow_set_deadline (f->flow, 10000, NULL));
  use_recorder (f, recorder);
  start_run (f);
  while (imgimport_engine_iterate (f->engine))
    continue;
  begun = recorder_join (recorder);
  complete_all (peers);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);

  recorder_set (recorder, begun->data, begun->len);
  _imgimport_clock_advance (f->clock, 10001 * 1000);
  g_ptr_array_set_size (peers->tasks, 0);
  start_run (f);
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_error (f, 0, NULL, "flow-deadline");
}

/* Forward only: what is not done when the budget is used up is owed. */
static void
budget_ends_in_success_with_debts (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_auto (GStrv) debts = NULL;
  Script *flaky;

  add_script (f, "pivot");
  flaky = add_script (f, "b");
  flaky->n_failures = 99;
  flaky->code = IMGIMPORT_ERROR_BUSY;
  add_script (f, "c");
  g_assert_true (imgimport_flow_set_retry (f->flow, "b", 99, 1000, 1000, NULL));
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", NULL));
  g_assert_true (imgimport_flow_set_budget (f->flow, 2500, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "pivot+ b! b! b!");
  debts = imgimport_run_dup_debts (f->run);
  g_assert_cmpuint (g_strv_length (debts), ==, 2);
  g_assert_cmpstr (debts[0], ==, "b");
  g_assert_cmpstr (debts[1], ==, "c");
  expect_error (f, 0, "b", "budget-exhausted");
  g_assert_cmpuint (imgimport_run_get_n_warnings (f->run), ==, 2);
}

static void
budget_stops_what_runs (void)
{
  g_autoptr (Fixture) f = fixture_in_real_time (1);
  g_auto (GStrv) debts = NULL;

  add_script (f, "pivot");
  add_script (f, "b")->hook = wait_for_cancel;
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", NULL));
  g_assert_true (imgimport_flow_set_budget (f->flow, 20, NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_error (f, 0, "b", "budget-exhausted");
  debts = imgimport_run_dup_debts (f->run);
  g_assert_cmpuint (g_strv_length (debts), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/T67/silent-peer", silent_peer_fails_and_its_late_answer_is_ignored);
  g_test_add_func ("/flow/timeout/attempt-is-retried", timed_out_attempt_is_retried);
  g_test_add_func ("/flow/timeout/progress-keeps-from-stalling",
                   progress_keeps_a_task_from_stalling);
  g_test_add_func ("/flow/timeout/hanging-task", hanging_task_is_told_to_stop);
  g_test_add_func ("/flow/timeout/stalled-task", stalled_task_is_told_to_stop);
  g_test_add_func ("/flow/timeout/cancel-reaches-it", cancel_reaches_a_task_with_a_timeout);
  g_test_add_func ("/flow/timeout/late-success", late_success_is_success);
  g_test_add_func ("/flow/deadline/late-run-is-reverted", late_run_is_reverted);
  g_test_add_func ("/flow/deadline/counts-across-processes", deadline_counts_across_processes);
  g_test_add_func ("/flow/budget/debts", budget_ends_in_success_with_debts);
  g_test_add_func ("/flow/budget/stops-what-runs", budget_stops_what_runs);
  return g_test_run ();
}
