/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/* A pivot that commits its own outcome, and is told that the commit failed although it did not. */

static void
commit_outcome (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autoptr (GBytes) record = imgimport_task_dup_outcome_record (task);
  g_autoptr (GError) error = NULL;
  gsize length;
  const void *data = g_bytes_get_data (record, &length);

  _imgimport_journal_append (self->fixture->journal, "run", data, length, TRUE, &error);
  g_assert_no_error (error);
}

static Fixture *
three_tasks (guint threads, Recorder *recorder)
{
  Fixture *f = fixture_new (threads, TRUE);
  Script *pivot;

  add_script (f, "a");
  pivot = add_script (f, "pivot");
  pivot->hook = commit_outcome;
  pivot->n_failures = 1;
  add_script (f, "z");
  g_assert_true (imgimport_flow_set_pivot (f->flow, "pivot", NULL));
  use_recorder (f, recorder);
  return f;
}

/* The process that was told so goes back; one that comes after it finds the truth, and goes on. */
static void
test_outcome_that_was_committed_stands (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) first = three_tasks (GPOINTER_TO_UINT (threads), recorder);
  g_autoptr (Fixture) second = three_tasks (GPOINTER_TO_UINT (threads), recorder);
  g_autoptr (Fixture) third = three_tasks (GPOINTER_TO_UINT (threads), recorder);

  run_to (first, IMGIMPORT_RUN_REVERTED);
  expect_trace (first, "a+ pivot! pivot- a-");
  run_to (second, IMGIMPORT_RUN_SUCCESS);
  expect_trace (second, "z+");
  g_assert_cmpuint (imgimport_run_get_n_errors (second->run), ==, 0);
  run_to (third, IMGIMPORT_RUN_SUCCESS);
  expect_trace (third, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/flow/pivot/outcome-that-was-committed-stands/alone", GUINT_TO_POINTER (0),
                        test_outcome_that_was_committed_stands);
  g_test_add_data_func ("/flow/pivot/outcome-that-was-committed-stands/threads",
                        GUINT_TO_POINTER (2), test_outcome_that_was_committed_stands);
  return g_test_run ();
}
