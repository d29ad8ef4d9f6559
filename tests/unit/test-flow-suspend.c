/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* Runs that are stopped to go on later, and how many of a class run at a time. */

static void
suspend_own_run (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_assert_true (imgimport_run_suspend (self->fixture->run));
  g_assert_false (imgimport_run_suspend (self->fixture->run));
}

static void
resume (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->n_done = 0;
  imgimport_run_resume (f->run, f->engine, &error);
  g_assert_no_error (error);
}

static void
suspended_run_goes_on_where_it_was (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b")->hook = suspend_own_run;
  add_script (f, "c");
  run_to (f, IMGIMPORT_RUN_SUSPENDED);
  expect_trace (f, "a+ b+");
  expect_task (f, "c", IMGIMPORT_TASK_PENDING);
  resume (f);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+ c+");
}

static void
nothing_left_is_success (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a")->hook = suspend_own_run;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_false (imgimport_run_resume (f->run, f->engine, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-not-suspended");
}

/* The first two tasks take up both threads until the run is suspended. */
static void
suspend_before_the_others (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  if (self->fixture->threads > 0)
    gate_wait (self->fixture, 2);
  if (g_str_equal (self->name, "t00"))
    suspend_own_run (self, task, cancellable);
  if (self->fixture->threads > 0)
    gate_wait (self->fixture, 4);
}

/* A backlog neither runs nor is lost. */
static void
backlog_is_kept (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  guint n_first;
  guint i;

  for (i = 0; i < 40; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%02u", i);
      Script *script = add_script (f, g_intern_string (name));

      if (i < 2)
        script->hook = suspend_before_the_others;
    }
  run_to (f, IMGIMPORT_RUN_SUSPENDED);
  n_first = (guint)strlen (f->trace->str) / 5 + 1;
  g_assert_cmpuint (n_first, <, 20);
  resume (f);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpuint (strlen (f->trace->str), ==, 40 * 5 - 1);
}

static void
another_process_goes_on (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Script *b;

  add_script (f, "a");
  b = add_script (f, "b");
  b->hook = suspend_own_run;
  add_script (f, "c");
  use_recorder (f, recorder);
  run_to (f, IMGIMPORT_RUN_SUSPENDED);
  b->hook = NULL;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+ c+");
}

static void
waiting_retry_is_made_at_once (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  gint64 begin_us = _imgimport_clock_monotonic_us (f->clock);
  Script *a = add_script (f, "a");

  a->n_failures = 1;
  a->code = IMGIMPORT_ERROR_BUSY;
  g_assert_true (imgimport_flow_set_retry (f->flow, "a", 2, 60000, 60000, NULL));
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  g_assert_true (imgimport_run_suspend (f->run));
  expect_end (f, IMGIMPORT_RUN_SUSPENDED);
  resume (f);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpint (_imgimport_clock_monotonic_us (f->clock), ==, begin_us);
}

static gboolean
suspending_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Script *self = data;

  suspend_own_run (self, task, cancellable);
  return script_revert (data, task, cancellable, error);
}

static const ImgImportTaskVTable suspending_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                       .execute = script_execute,
                                                       .revert = suspending_revert };

static void
reverting_run_goes_on_reverting (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  Script *b = g_new0 (Script, 1);

  add_script (f, "a");
  b->fixture = f;
  b->name = "b";
  g_ptr_array_add (f->scripts, b);
  g_assert_true (
      imgimport_flow_add_task (f->flow, "b", &suspending_vtable, b, script_destroy, NULL));
  add_script (f, "c")->n_failures = 1;
  run_to (f, IMGIMPORT_RUN_SUSPENDED);
  expect_trace (f, "a+ b+ c! c- b-");
  resume (f);
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ b+ c! c- b- a-");
}

static void
cancelled_while_suspended_is_reverted (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a")->hook = suspend_own_run;
  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUSPENDED);
  g_assert_true (imgimport_run_cancel (f->run));
  g_assert_false (imgimport_run_cancel (f->run));
  resume (f);
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ a-");
}

static void
suspend_then_cancel (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  suspend_own_run (self, task, cancellable);
  imgimport_run_cancel (self->fixture->run);
}

static void
cancel_is_stronger (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b")->hook = suspend_then_cancel;
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ b! b- a-");
}

static void
not_running_is_not_suspended (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a");
  prepare_run (f);
  g_assert_false (imgimport_run_suspend (f->run));
  g_assert_false (imgimport_run_resume (f->run, f->engine, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-not-suspended");
}

/* ---- drain ----------------------------------------------------------------------------------- */

static void
drained_engine_has_suspended_its_runs (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) refused = NULL;
  guint i;

  for (i = 0; i < 1000; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      add_script (f, g_intern_string (name));
    }
  start_run (f);
  g_assert_true (imgimport_engine_drain (f->engine, -1));
  g_assert_true (imgimport_run_wait (f->run, -1));
  if (imgimport_run_get_state (f->run) == IMGIMPORT_RUN_SUSPENDED)
    {
      g_assert_false (imgimport_run_resume (f->run, f->engine, &refused));
      g_assert_cmpstr (imgimport_error_get_reason (refused), ==, "engine-stopped");
      expect_state (f, IMGIMPORT_RUN_SUSPENDED);
    }
  prepare_run (f);
  g_assert_false (imgimport_run_start (f->run, f->engine, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "engine-stopped");
}

/* ---- limits ---------------------------------------------------------------------------------- */

typedef struct
{
  Fixture *f;
  GPtrArray *tasks;
} Waiting;

static gboolean
waiting_start (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  leave_trace (((Waiting *)data)->f, imgimport_task_get_name (task), '>');
  g_ptr_array_add (((Waiting *)data)->tasks, task);
  return TRUE;
}

static const ImgImportTaskVTable waiting_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                    .start = waiting_start };

static void
iterate_all (Fixture *f)
{
  while (imgimport_engine_iterate (f->engine))
    continue;
}

static void
limit_holds_back_its_class_only (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new ();
  Waiting waiting = { f, tasks };
  const char *const names[] = { "n0", "n1", "n2", "n3" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_assert_true (
          imgimport_flow_add_task (f->flow, names[i], &waiting_vtable, &waiting, NULL, NULL));
      g_assert_true (
          imgimport_flow_set_class (f->flow, names[i], IMGIMPORT_TASK_CLASS_NETWORK, NULL));
    }
  add_script (f, "d");
  g_assert_true (imgimport_flow_set_class (f->flow, "d", IMGIMPORT_TASK_CLASS_DISK, NULL));
  imgimport_engine_set_limit (f->engine, IMGIMPORT_TASK_CLASS_NETWORK, 2);
  start_run (f);
  iterate_all (f);
  expect_trace (f, "n0> n1> d+");
  imgimport_task_complete (g_ptr_array_index (tasks, 0), NULL);
  iterate_all (f);
  expect_trace (f, "n0> n1> d+ n2>");
  imgimport_engine_set_limit (f->engine, IMGIMPORT_TASK_CLASS_NETWORK, 0);
  iterate_all (f);
  expect_trace (f, "n0> n1> d+ n2> n3>");
  for (i = 1; i < G_N_ELEMENTS (names); i++)
    imgimport_task_complete (g_ptr_array_index (tasks, i), NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
}

typedef struct
{
  GMutex lock;
  guint n;
  guint most;
} Gauge;

static gboolean
gauge_execute (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Gauge *self = data;

  g_mutex_lock (&self->lock);
  self->n++;
  self->most = MAX (self->most, self->n);
  g_mutex_unlock (&self->lock);
  g_thread_yield ();
  g_mutex_lock (&self->lock);
  self->n--;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static const ImgImportTaskVTable gauge_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                  .execute = gauge_execute };

static void
runs_share_the_limit (void)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (4); /* goes first */
  ImgImportRun *runs[4];
  Gauge gauge = { .n = 0 };
  guint i;

  for (i = 0; i < 200; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      g_assert_true (imgimport_flow_add_task (flow, name, &gauge_vtable, &gauge, NULL, NULL));
      g_assert_true (imgimport_flow_set_class (flow, name, IMGIMPORT_TASK_CLASS_CPU, NULL));
    }
  imgimport_engine_set_limit (engine, IMGIMPORT_TASK_CLASS_CPU, 2);
  for (i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      runs[i] = imgimport_run_new (flow, "run", NULL, NULL, NULL);
      g_assert_true (imgimport_run_start (runs[i], engine, NULL));
    }
  /* One of them goes away: what it had waiting is not waited for. */
  imgimport_run_cancel (runs[1]);
  for (i = 0; i < G_N_ELEMENTS (runs); i++)
    g_assert_true (imgimport_run_wait (runs[i], -1));
  g_assert_cmpuint (gauge.most, <=, 2);
  g_assert_cmpint (imgimport_run_get_state (runs[0]), ==, IMGIMPORT_RUN_SUCCESS);
  for (i = 0; i < G_N_ELEMENTS (runs); i++)
    g_object_unref (runs[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T51/goes-on-where-it-was", suspended_run_goes_on_where_it_was);
  add_both ("/flow/T54/nothing-left-is-success", nothing_left_is_success);
  add_both ("/flow/suspend/backlog-is-kept", backlog_is_kept);
  g_test_add_func ("/flow/T55/another-process-goes-on", another_process_goes_on);
  g_test_add_func ("/flow/suspend/waiting-retry-is-made-at-once", waiting_retry_is_made_at_once);
  add_both ("/flow/suspend/reverting", reverting_run_goes_on_reverting);
  add_both ("/flow/suspend/cancelled-while-suspended", cancelled_while_suspended_is_reverted);
  add_both ("/flow/suspend/cancel-is-stronger", cancel_is_stronger);
  g_test_add_func ("/flow/suspend/not-running", not_running_is_not_suspended);
  add_both ("/flow/drain/runs-are-suspended", drained_engine_has_suspended_its_runs);
  g_test_add_func ("/flow/limit/holds-back-its-class-only", limit_holds_back_its_class_only);
  g_test_add_func ("/flow/limit/runs-share-it", runs_share_the_limit);
  return g_test_run ();
}
