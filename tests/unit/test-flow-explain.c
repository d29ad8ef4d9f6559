/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-watched.h"

static void
assert_explained (Fixture *f, const char *task, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = imgimport_run_explain (f->run, task, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
}

static void
explain_running (Script *script, ImgImportTask *task, GCancellable *cancellable)
{
  assert_explained (script->fixture, "a", "it is running: attempt 1");
}

static void
a_task_that_does_not_run_is_explained (void)
{
  g_autoptr (GError) error = NULL;
  Fixture *f = watched_flow ();
  Script *b;

  add_script (f, "a")->hook = explain_running;
  b = add_script (f, "b");
  b->n_failures = 2;
  b->code = IMGIMPORT_ERROR_UNAVAILABLE;
  imgimport_flow_set_retry (f->flow, "b", 2, 240, 240, NULL);
  add_script (f, "c");
  prepare_run (f);
  assert_explained (f, "a", "the run has not been started");
  go (f);
  assert_explained (f, "a", "ready: waits for a thread");
  assert_explained (f, "b", "waits for “a”");
  imgimport_engine_iterate (f->engine);
  assert_explained (f, "a", "done");
  imgimport_engine_iterate (f->engine);
  assert_explained (f, "b", "attempt 2 of 2 in 240 ms");
  imgimport_run_wait (f->run, -1);
  assert_explained (f, "a", "it was reverted");
  assert_explained (f, "c", "task “b” failed: it will not begin");
  g_assert_null (imgimport_run_explain (f->run, "x", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  fixture_free (f);
}

/* What it is given waits in the script's data until somebody completes it. */
static gboolean
start (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  *(ImgImportTask **)self = task;
  return TRUE;
}

static const ImgImportTaskVTable start_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .start = start };

static gboolean
never (ImgImportTask *task, gpointer user_data)
{
  return FALSE;
}

static void
a_task_that_has_to_wait_or_is_skipped_is_explained (void)
{
  g_autoptr (GError) error = NULL;
  ImgImportTask *tasks[2] = { NULL, NULL };
  Fixture *f = fixture_new (0, FALSE);

  _imgimport_clock_advance (f->clock, G_USEC_PER_SEC);
  imgimport_engine_set_limit (f->engine, IMGIMPORT_TASK_CLASS_NETWORK, 1);
  imgimport_flow_add_task (f->flow, "a", &start_vtable, &tasks[0], NULL, &error);
  imgimport_flow_add_task (f->flow, "b", &start_vtable, &tasks[1], NULL, &error);
  imgimport_flow_set_class (f->flow, "a", IMGIMPORT_TASK_CLASS_NETWORK, &error);
  imgimport_flow_set_class (f->flow, "b", IMGIMPORT_TASK_CLASS_NETWORK, &error);
  add_script (f, "c");
  imgimport_flow_set_condition (f->flow, "c", never, NULL, NULL, &error);
  g_assert_no_error (error);
  prepare_run (f);
  go (f);
  while (imgimport_engine_iterate (f->engine))
    continue;
  assert_explained (f, "a", "it is running: attempt 1");
  assert_explained (f, "b", "ready: waits until fewer tasks of its class run");
  assert_explained (f, "c",
                    "its condition, or that of a task before it, said that it is not to be run");
  imgimport_run_suspend (f->run);
  assert_explained (f, "b", "the run is being suspended");
  imgimport_task_complete (tasks[0], NULL);
  imgimport_run_wait (f->run, -1);
  assert_explained (f, "b", "the run is suspended");
  imgimport_run_resume (f->run, f->engine, &error);
  while (imgimport_engine_iterate (f->engine))
    continue;
  imgimport_run_cancel (f->run);
  imgimport_task_complete (tasks[1], NULL);
  imgimport_run_wait (f->run, -1);
  expect_state (f, IMGIMPORT_RUN_CANCELLED);
  fixture_free (f);
}

static void
a_revert_that_waits_is_explained (void)
{
  Fixture *f = watched_flow ();

  add_script (f, "a");
  add_script (f, "b")->revert_fails = TRUE;
  add_script (f, "c")->n_failures = 1;
  imgimport_flow_set_revert_retry (f->flow, "b", 2, 240, 240, NULL);
  imgimport_flow_set_class (f->flow, "b", IMGIMPORT_TASK_CLASS_DISK, NULL);
  imgimport_engine_set_limit (f->engine, IMGIMPORT_TASK_CLASS_DISK, 1);
  prepare_run (f);
  go (f);
  while (imgimport_engine_iterate (f->engine))
    continue;
  assert_explained (f, "a", "done: waits with its revert for that of “b”");
  assert_explained (f, "b", "its revert failed: it is tried again in 240 ms");
  imgimport_run_wait (f->run, -1);
  assert_explained (f, "a", "it was reverted");
  assert_explained (f, "b", "its revert failed");
  fixture_free (f);
}

static void
a_task_that_an_interrupted_run_left_is_explained (void)
{
  Fixture *f = watched_flow ();

  add_script (f, "a");
  add_script (f, "b");
  prepare_run (f);
  go (f);
  imgimport_engine_iterate (f->engine);
  _imgimport_engine_stop (f->engine);
  assert_explained (
      f, "b", "the run was interrupted before it was done: run “run”: its engine has been stopped");
  fixture_free (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/explain/a-task-that-does-not-run-is-explained",
                   a_task_that_does_not_run_is_explained);
  g_test_add_func ("/flow/explain/a-task-that-has-to-wait-or-is-skipped-is-explained",
                   a_task_that_has_to_wait_or_is_skipped_is_explained);
  g_test_add_func ("/flow/explain/a-revert-that-waits-is-explained",
                   a_revert_that_waits_is_explained);
  g_test_add_func ("/flow/explain/a-task-that-an-interrupted-run-left-is-explained",
                   a_task_that_an_interrupted_run_left_is_explained);
  return g_test_run ();
}
