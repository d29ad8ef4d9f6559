/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* Tasks that go on without a thread. */

#define MAX_STARTED 10000

typedef struct
{
  Fixture *f;
  const char *name;
  gboolean complete_at_once;
  gboolean refuse;
  gboolean complete_on_cancel;
  guint n_started;
  ImgImportTask *tasks[4];
  GCancellable *cancellable;
} Async;

static void
answer_cancel (GCancellable *cancellable, gpointer user_data)
{
  Async *self = user_data;

  imgimport_task_complete (g_steal_pointer (&self->tasks[0]),
                           g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
}

static gboolean
async_start (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Async *self = data;

  if (self->refuse)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted", "refused");
      return FALSE;
    }
  self->tasks[self->n_started++] = task;
  g_set_object (&self->cancellable, cancellable);
  if (self->complete_on_cancel)
    g_signal_connect (cancellable, "cancelled", G_CALLBACK (answer_cancel), self);
  leave_trace (self->f, self->name, '>');
  if (self->complete_at_once)
    {
      imgimport_task_set_output (task, self->name, g_variant_new_string ("at once"));
      imgimport_task_complete (task, NULL);
    }
  return TRUE;
}

static gboolean
async_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  leave_trace (((Async *)data)->f, imgimport_task_get_name (task), '-');
  return TRUE;
}

static const ImgImportTaskVTable async_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                  .revert = async_revert, .start = async_start };

static void
async_free (gpointer data)
{
  g_clear_object (&((Async *)data)->cancellable);
  g_free (data);
}

static Async *
add_async (Fixture *f, const char *name)
{
  Async *self = g_new0 (Async, 1);
  g_autoptr (GError) error = NULL;

  self->f = f;
  self->name = name;
  imgimport_flow_add_task (f->flow, name, &async_vtable, self, async_free, &error);
  g_assert_no_error (error);
  g_assert_true (imgimport_flow_add_output (f->flow, name, name, NULL));
  return self;
}

static gpointer
complete_later (gpointer data)
{
  Async *self = data;

  imgimport_task_set_output (self->tasks[0], self->name, g_variant_new_string ("later"));
  imgimport_task_complete (self->tasks[0], NULL);
  return NULL;
}

static void
completes_from_another_thread (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GVariant) value = NULL;
  GThread *thread;
  Async *a = add_async (f, "a");

  add_script (f, "b");
  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  g_assert_false (imgimport_engine_iterate (f->engine));
  expect_task (f, "a", IMGIMPORT_TASK_RUNNING);
  thread = _imgimport_thread_new ("completer", complete_later, a, NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  g_thread_join (thread);
  expect_trace (f, "a> b+");
  value = imgimport_run_get_output (f->run, "a");
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "later");
}

static void
completes_before_start_returns (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_async (f, "a")->complete_at_once = TRUE;
  add_script (f, "b");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a> b+");
}

static void
refused_start_fails (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_async (f, "b")->refuse = TRUE;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ b- a-");
  expect_error (f, 0, "b", "scripted");
}

static void
failure_is_retried_and_reverted (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Async *a = add_async (f, "a");
  guint i;

  g_assert_true (imgimport_flow_set_retry (f->flow, "a", 2, 10, 10, NULL));
  start_run (f);
  for (i = 0; i < 2; i++)
    {
      GError *error = NULL;

      while (a->n_started <= i)
        if (!imgimport_engine_iterate (f->engine))
          _imgimport_clock_advance (f->clock, 10000);
      g_assert_cmpuint (imgimport_task_get_attempt (a->tasks[i]), ==, i + 1);
      imgimport_error_set (&error, IMGIMPORT_ERROR_BUSY, "scripted", "busy");
      imgimport_task_complete (a->tasks[i], error);
    }
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a> a> a-");
}

static void
success_without_an_output_fails (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  Async *a = add_async (f, "a");

  start_run (f);
  g_assert_true (imgimport_engine_iterate (f->engine));
  imgimport_task_complete (a->tasks[0], NULL);
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_error (f, 0, "a", "output-missing");
}

static void
cancel_is_delivered (gconstpointer threads)
{
  g_autoptr (Fixture) f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_async (f, "b")->complete_on_cancel = TRUE;
  start_run (f);
  if (f->threads == 0)
    while (imgimport_engine_iterate (f->engine))
      continue;
  while (count_in_trace (f, '>') == 0)
    g_thread_yield ();
  g_assert_true (imgimport_run_cancel (f->run));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  expect_order (f, "b>", "b-");
  expect_order (f, "b-", "a-");
}

/* Ten thousand wait, and no thread is held. */
static ImgImportTask *waiting_task (GPtrArray *tasks);

static gboolean
collect_start (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  g_ptr_array_add (data, task);
  return TRUE;
}

static ImgImportTask *
waiting_task (GPtrArray *tasks)
{
  return g_ptr_array_steal_index_fast (tasks, tasks->len - 1);
}

static const ImgImportTaskVTable collect_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                    .start = collect_start };

static void
many_wait_without_a_thread (void)
{
  g_autoptr (Fixture) f = fixture_new (0, FALSE);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new ();
  guint i;

  for (i = 0; i < MAX_STARTED; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      g_assert_true (imgimport_flow_add_task (f->flow, name, &collect_vtable, tasks, NULL, NULL));
    }
  start_run (f);
  while (imgimport_engine_iterate (f->engine))
    continue;
  g_assert_cmpuint (tasks->len, ==, MAX_STARTED);
  while (tasks->len > 0)
    imgimport_task_complete (waiting_task (tasks), NULL);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
}

static void
execute_and_start_are_one_of_two (void)
{
  const ImgImportTaskVTable both = { IMGIMPORT_TASK_VTABLE_INIT, .execute = script_execute,
                                     .start = async_start };
  const ImgImportTaskVTable none = { IMGIMPORT_TASK_VTABLE_INIT, .revert = async_revert };
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");
  g_autoptr (GError) error = NULL;

  g_assert_false (imgimport_flow_add_task (flow, "a", &both, NULL, NULL, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "vtable-invalid");
  g_assert_nonnull (strstr (error->message, "both “execute” and “start”"));
  g_assert_false (imgimport_flow_add_task (flow, "a", &none, NULL, NULL, NULL));
}

/* What an older caller knows of the table. */
static void
shorter_table_is_taken (void)
{
  ImgImportTaskVTable old = { .execute = script_execute };
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("f");

  old.struct_size = G_STRUCT_OFFSET (ImgImportTaskVTable, start);
  old.start = async_start;
  g_assert_true (imgimport_flow_add_task (flow, "a", &old, NULL, NULL, NULL));
  g_assert_true (_imgimport_flow_task (flow, 0)->vtable.start == NULL);
}

static void
outcome_is_in_the_journal (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GVariant) value = NULL;

  add_async (f, "a")->complete_at_once = TRUE;
  use_recorder (f, recorder);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a>");
  value = imgimport_run_get_output (f->run, "a");
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "at once");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/async/completes-from-another-thread", completes_from_another_thread);
  add_both ("/flow/async/completes-before-start-returns", completes_before_start_returns);
  add_both ("/flow/async/refused-start-fails", refused_start_fails);
  g_test_add_func ("/flow/async/failure-is-retried", failure_is_retried_and_reverted);
  g_test_add_func ("/flow/async/missing-output-fails", success_without_an_output_fails);
  add_both ("/flow/async/cancel-is-delivered", cancel_is_delivered);
  g_test_add_func ("/flow/async/many-wait-without-a-thread", many_wait_without_a_thread);
  g_test_add_func ("/flow/async/execute-or-start", execute_and_start_are_one_of_two);
  g_test_add_func ("/flow/async/shorter-table", shorter_table_is_taken);
  g_test_add_func ("/flow/async/outcome-is-in-the-journal", outcome_is_in_the_journal);
  return g_test_run ();
}
