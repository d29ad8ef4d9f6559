/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* Many tasks, runs and threads at a time; to be looked at with ThreadSanitizer too. */

static gboolean
add_inputs (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  GVariant *left = imgimport_task_get_input (task, "left");
  gint *n_executed = self;

  g_atomic_int_inc (n_executed);
  if (left != NULL)
    g_assert_cmpint (g_variant_get_int32 (left), ==, 7);
  return TRUE;
}

static gboolean
set_left (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  imgimport_task_set_output (task, "left", g_variant_new_int32 (7));
  return TRUE;
}

static const ImgImportTaskVTable counting = { IMGIMPORT_TASK_VTABLE_INIT, .execute = add_inputs,
                                              .revert = add_inputs };
static const ImgImportTaskVTable setting = { IMGIMPORT_TASK_VTABLE_INIT, .execute = set_left };

/* One that provides a value, `n` that use it, one after all of them. */
static ImgImportFlow *
wide_flow (guint n, gint *n_executed)
{
  ImgImportFlow *flow = imgimport_flow_new ("wide");
  guint i;

  g_assert_true (imgimport_flow_add_task (flow, "first", &setting, NULL, NULL, NULL));
  g_assert_true (imgimport_flow_add_output (flow, "first", "left", NULL));
  g_assert_true (imgimport_flow_add_task (flow, "last", &counting, n_executed, NULL, NULL));
  for (i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      g_assert_true (imgimport_flow_add_task (flow, name, &counting, n_executed, NULL, NULL));
      g_assert_true (imgimport_flow_add_input (flow, name, "left", NULL));
      g_assert_true (imgimport_flow_link (flow, name, "last", NULL));
    }
  return flow;
}

static void
wide_flow_runs_each_task_once (void)
{
  gint n_executed = 0;
  g_autoptr (ImgImportFlow) flow = wide_flow (2000, &n_executed);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (4);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "run", NULL, NULL, NULL);

  g_assert_true (imgimport_run_start (run, engine, NULL));
  g_assert_true (imgimport_run_wait (run, -1));
  g_assert_cmpint (imgimport_run_get_state (run), ==, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpint (g_atomic_int_get (&n_executed), ==, 2001);
}

static void
count_run (ImgImportRun *run, gpointer user_data)
{
  g_atomic_int_inc ((gint *)user_data);
}

static void
many_runs_share_flow_engine_and_journal (void)
{
  gint n_executed = 0;
  gint n_done = 0;
  g_autoptr (ImgImportFlow) flow = wide_flow (20, &n_executed);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (4);
  g_autoptr (ImgImportJournal) journal = imgimport_journal_new_memory ();
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func (g_object_unref);
  guint i;

  for (i = 0; i < 50; i++)
    {
      g_autofree char *id = g_strdup_printf ("run-%u", i);
      ImgImportRun *run = imgimport_run_new (flow, id, NULL, i % 2 == 0 ? journal : NULL, NULL);

      g_ptr_array_add (runs, run);
      imgimport_run_set_done_func (run, count_run, &n_done, NULL);
      g_assert_true (imgimport_run_start (run, engine, NULL));
    }
  for (i = 0; i < runs->len; i++)
    {
      g_assert_true (imgimport_run_wait (g_ptr_array_index (runs, i), -1));
      g_assert_cmpint (imgimport_run_get_state (g_ptr_array_index (runs, i)), ==,
                       IMGIMPORT_RUN_SUCCESS);
    }
  g_assert_cmpint (g_atomic_int_get (&n_done), ==, 50);
  g_assert_cmpint (g_atomic_int_get (&n_executed), ==, 50 * 21);
}

/* Whatever it hits, it hits in some state that has to end as documented. */
static void
cancel_from_another_thread_at_any_moment (void)
{
  gint n_executed = 0;
  g_autoptr (ImgImportFlow) flow = wide_flow (50, &n_executed);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (2);
  g_autoptr (ImgImportJournal) journal = imgimport_journal_new_memory ();
  guint i;

  for (i = 0; i < 200; i++)
    {
      g_autofree char *id = g_strdup_printf ("run-%u", i);
      g_autoptr (ImgImportRun) run =
          imgimport_run_new (flow, id, NULL, i % 2 == 0 ? journal : NULL, NULL);
      gboolean cancelled;
      guint spin;

      g_assert_true (imgimport_run_start (run, engine, NULL));
      for (spin = 0; spin < i; spin++)
        imgimport_run_get_state (run);
      cancelled = imgimport_run_cancel (run);
      g_assert_true (imgimport_run_wait (run, -1));
      g_assert_cmpint (imgimport_run_get_state (run), ==,
                       cancelled ? IMGIMPORT_RUN_CANCELLED : IMGIMPORT_RUN_SUCCESS);
    }
}

static void
engine_outlives_its_last_outside_reference (void)
{
  gint n_executed = 0;
  guint i;

  for (i = 0; i < 20; i++)
    {
      g_autoptr (ImgImportFlow) flow = wide_flow (10, &n_executed);
      g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "run", NULL, NULL, NULL);
      ImgImportEngine *engine = imgimport_engine_new (2);

      g_assert_true (imgimport_run_start (run, engine, NULL));
      g_object_unref (engine);
      g_assert_true (imgimport_run_wait (run, -1));
      g_assert_cmpint (imgimport_run_get_state (run), ==, IMGIMPORT_RUN_SUCCESS);
    }
}

static void
meet_the_other (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  gate_wait (self->fixture, 2);
}

static void
independent_tasks_run_at_the_same_time (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (2, FALSE);

  use_recorder (f, recorder);
  add_script (f, "a")->hook = meet_the_other;
  add_script (f, "b")->hook = meet_the_other;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
}

static gpointer
iterate_until_end (gpointer data)
{
  Fixture *f = data;

  g_assert_true (imgimport_run_wait (f->run, -1));
  return NULL;
}

static void
several_callers_drive_one_engine (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  GThread *thread;

  add_script (f, "a")->hook = meet_the_other;
  add_script (f, "b")->hook = meet_the_other;
  start_run (f);
  thread = _imgimport_thread_new ("other", iterate_until_end, f, NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  g_thread_join (thread);
}

static gpointer
wait_for_start (gpointer data)
{
  Fixture *f = data;

  g_assert_false (imgimport_run_wait (f->run, 0));
  g_assert_false (imgimport_run_wait (f->run, 1));
  gate_wait (f, 1);
  g_assert_true (imgimport_run_wait (f->run, -1));
  return NULL;
}

static void
wait_may_come_before_the_start (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), FALSE);
  GThread *thread;

  add_script (f, "a");
  prepare_run (f);
  thread = _imgimport_thread_new ("waiter", wait_for_start, f, NULL);
  gate_wait (f, 2);
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  g_thread_join (thread);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
}

/* A process may fork, or unload the library, as soon as the engine is gone: what threads do at
 * their very end is over too. */
static void
end_slowly (gpointer n_ended)
{
  guint i;

  for (i = 0; i < 1000; i++)
    g_thread_yield ();
  g_atomic_int_inc ((gint *)n_ended);
}

static GPrivate at_end = G_PRIVATE_INIT (end_slowly);

typedef struct
{
  gint n_threads;
  gint n_ended;
} Threads;

static gboolean
mark_thread (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Threads *self = data;

  if (g_private_get (&at_end) == NULL)
    g_atomic_int_inc (&self->n_threads);
  g_private_set (&at_end, &self->n_ended);
  return TRUE;
}

static void
no_thread_is_left_of_an_engine (void)
{
  static const ImgImportTaskVTable marking = { IMGIMPORT_TASK_VTABLE_INIT, .execute = mark_thread };
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("marks");
  ImgImportEngine *engine = imgimport_engine_new (4);
  g_autoptr (ImgImportRun) run = NULL;
  Threads threads = { 0, 0 };
  guint i;

  for (i = 0; i < 200; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      g_assert_true (imgimport_flow_add_task (flow, name, &marking, &threads, NULL, NULL));
    }
  run = imgimport_run_new (flow, "run", NULL, NULL, NULL);
  g_assert_true (imgimport_run_start (run, engine, NULL));
  g_assert_true (imgimport_run_wait (run, G_MAXINT64)); /* does not help */
  g_assert_finalize_object (engine);
  g_assert_cmpint (g_atomic_int_get (&threads.n_threads), >, 0);
  g_assert_cmpint (g_atomic_int_get (&threads.n_ended), ==, threads.n_threads);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/T29/wide-flow-runs-each-task-once", wide_flow_runs_each_task_once);
  g_test_add_func ("/flow/threads/many-runs-share-flow-engine-and-journal",
                   many_runs_share_flow_engine_and_journal);
  g_test_add_func ("/flow/threads/cancel-at-any-moment", cancel_from_another_thread_at_any_moment);
  g_test_add_func ("/flow/threads/engine-outlives-its-last-outside-reference",
                   engine_outlives_its_last_outside_reference);
  g_test_add_func ("/flow/threads/none-is-left-of-an-engine", no_thread_is_left_of_an_engine);
  g_test_add_func ("/flow/threads/independent-tasks-run-at-the-same-time",
                   independent_tasks_run_at_the_same_time);
  g_test_add_func ("/flow/threads/several-callers-drive-one-engine",
                   several_callers_drive_one_engine);
  add_both ("/flow/threads/wait-may-come-before-the-start", wait_may_come_before_the_start);
  return g_test_run ();
}
