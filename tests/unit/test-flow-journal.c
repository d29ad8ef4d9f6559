/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

static Fixture *
with_abc (gconstpointer threads, Recorder *recorder)
{
  Fixture *f = fixture_new (GPOINTER_TO_UINT (threads), TRUE);

  add_script (f, "a");
  add_script (f, "b");
  add_script (f, "c");
  use_recorder (f, recorder);
  return f;
}

static Script *
script_at (Fixture *f, guint index)
{
  return g_ptr_array_index (f->scripts, index);
}

static void
intent_is_durable_once_and_pivot_too (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (GUINT_TO_POINTER (2), recorder);

  g_assert_true (imgimport_flow_set_pivot (f->flow, "b", NULL));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  /* a begins; a ends and b begins; b, the pivot, ends and c begins; c ends */
  g_assert_cmpstr (recorder->durable->str, ==, "d-d-");
}

static void
finished_run_reports_at_once (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);
  g_autoptr (GVariant) value = NULL;
  guint n_appends;

  add_output (script_at (f, 1), "x");
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  n_appends = recorder->appends->len;
  start_run (f);
  expect_state (f, IMGIMPORT_RUN_SUCCESS);
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+ c+");
  g_assert_cmpuint (recorder->appends->len, ==, n_appends);
  value = imgimport_run_get_output (f->run, "x");
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "b");
  g_assert_false (imgimport_run_cancel (f->run));
}

static void
failing_append_interrupts_and_can_go_on (gconstpointer threads)
{
  guint n;

  for (n = 1; n <= 4; n++)
    {
      g_autoptr (Recorder) recorder = recorder_new ();
      g_autoptr (Fixture) f = with_abc (threads, recorder);

      recorder->n_until_failure = n;
      run_to (f, IMGIMPORT_RUN_INTERRUPTED);
      g_assert_null (strchr (f->trace->str, '-'));
      g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 1);
      expect_error (f, 0, NULL, "store-full");
      run_to (f, IMGIMPORT_RUN_SUCCESS);
      expect_task (f, "c", IMGIMPORT_TASK_SUCCESS);
    }
}

static void
failing_append_during_revert_interrupts (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);

  script_at (f, 2)->n_failures = 1;
  recorder->n_until_failure = GPOINTER_TO_UINT (threads) > 0 ? 5 : 7;
  run_to (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_trace (f, "a+ b+ c! c-");
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_trace (f, "a+ b+ c! c- c- b- a-");
  expect_error (f, 0, "c", "scripted");
  g_assert_nonnull (strstr (script_at (f, 0)->cause, "“c”"));
}

static void
final_failure_is_reported_again (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);
  g_autofree char *message = NULL;

  script_at (f, 1)->n_failures = 1;
  script_at (f, 1)->code = IMGIMPORT_ERROR_CORRUPT;
  script_at (f, 0)->revert_fails = TRUE;
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  message = g_strdup (imgimport_run_get_error (f->run, 0, NULL)->message);
  run_to (f, IMGIMPORT_RUN_PARTIALLY_REVERTED);
  expect_trace (f, "a+ b! b- a~");
  g_assert_cmpuint (imgimport_run_get_n_errors (f->run), ==, 2);
  expect_error (f, 0, "b", "scripted");
  expect_error (f, 1, "a", "scripted-revert");
  g_assert_cmpint (imgimport_error_get_code (imgimport_run_get_error (f->run, 0, NULL)), ==,
                   IMGIMPORT_ERROR_CORRUPT);
  g_assert_cmpstr (imgimport_run_get_error (f->run, 0, NULL)->message, ==, message);
}

static void
cancellation_is_remembered (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);

  script_at (f, 1)->hook = cancel_own_run;
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  run_to (f, IMGIMPORT_RUN_CANCELLED);
  expect_trace (f, "a+ b! b- a-");
  g_assert_true (imgimport_error_is_cancelled (imgimport_run_get_error (f->run, 0, NULL)));
}

static void
cancel_before_start_reverts_what_the_journal_says (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);

  recorder->n_until_failure = GPOINTER_TO_UINT (threads) > 0 ? 3 : 5;
  run_to (f, IMGIMPORT_RUN_INTERRUPTED);
  prepare_run (f);
  expect_task (f, "a", IMGIMPORT_TASK_SUCCESS);
  g_assert_true (imgimport_run_cancel (f->run));
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  expect_end (f, IMGIMPORT_RUN_CANCELLED);
  g_assert_true (g_str_has_suffix (f->trace->str, "+ b- a-"));
}

static void
begun_task_is_executed_again_as_the_next_attempt (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);
  ImgImportFlowRecord begun = { .type = IMGIMPORT_FLOW_RECORD_BEGUN, .task = 0, .number = 4 };

  recorder_add_head (recorder, f->flow);
  recorder_add (recorder, &begun);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+ c+");
  g_assert_cmpuint (script_at (f, 0)->last_attempt, ==, 5);
}

static void
append_own_outcome (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autoptr (GBytes) record = imgimport_task_dup_outcome_record (task);
  gsize length;
  const void *data = g_bytes_get_data (record, &length);

  g_assert_true (
      _imgimport_journal_append (self->fixture->journal, "run", data, length, TRUE, NULL));
}

static void
outcome_that_the_task_appends_is_not_appended_again (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);

  g_assert_true (imgimport_flow_set_pivot (f->flow, "b", NULL));
  script_at (f, 1)->hook = append_own_outcome;
  add_output (script_at (f, 1), "x");
  recorder->n_until_failure = GPOINTER_TO_UINT (threads) > 0 ? 4 : 5;
  run_to (f, IMGIMPORT_RUN_INTERRUPTED);
  expect_trace (f, "a+ b+");
  g_assert_true (imgimport_run_is_past_pivot (f->run));
  prepare_run (f);
  g_assert_true (imgimport_run_is_past_pivot (f->run));
  g_assert_false (imgimport_run_cancel (f->run));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+ c+");
}

static void
set_large_output (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autofree char *text = g_strnfill (1024 * 1024, 'x');

  imgimport_task_set_output (task, "x", g_variant_new_string (text));
}

static void
output_too_large_for_a_record_fails (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);

  add_output (script_at (f, 0), "x")->hook = set_large_output;
  run_to (f, IMGIMPORT_RUN_REVERTED);
  expect_error (f, 0, "a", "output-too-large");
  g_clear_object (&f->journal);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
}

static void
set_nearly_too_large_output (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  g_autofree char *text = g_strnfill (1024 * 1024 - 40, 'x');

  imgimport_task_set_output (task, "x", g_variant_new_string (text));
}

/* The outcome and the next intent are more than one append holds: the recorder would object. */
static void
appends_are_split_at_their_limit (gconstpointer threads)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (threads, recorder);

  add_output (script_at (f, 0), "x")->hook = set_nearly_too_large_output;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ b+ c+");
}

static void
values_of_any_type_come_back (void)
{
  const char *const texts[] = { "''",
                                "'ä'",
                                "{'a': <1>, 'b': <'x'>}",
                                "@ay []",
                                "@mi nothing",
                                "<(1, true, 'x', -5.5)>",
                                "(byte 1, int64 -2, uint16 3)",
                                "[['a'], []]",
                                "@() ()" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GVariant) value = g_variant_parse (NULL, texts[i], NULL, NULL, NULL);
      ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_SUCCESS,
                                     .outputs = &value,
                                     .n_outputs = 1 };
      g_auto (ImgImportFlowRecord) parsed = { 0 };
      g_autoptr (GByteArray) bytes = g_byte_array_new ();

      g_assert_true (_imgimport_flow_record_append (&record, bytes));
      g_assert_cmpuint (_imgimport_flow_record_parse (&parsed, bytes->data, bytes->len), ==,
                        bytes->len);
      g_assert_cmpuint (parsed.n_outputs, ==, 1);
      g_assert_cmpvariant (parsed.outputs[0], value);
    }
}

static void
long_message_is_cut_between_characters (void)
{
  g_autofree char *spaces = g_strnfill (4095, 'x');
  g_autofree char *message = g_strconcat (spaces, "äöü", NULL);
  g_autoptr (GError) error = _imgimport_error_new_dup_reason (IMGIMPORT_ERROR_BUSY, "why", message);
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_FAILURE, .error = error };
  g_auto (ImgImportFlowRecord) parsed = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_assert_true (_imgimport_flow_record_append (&record, bytes));
  g_assert_cmpuint (_imgimport_flow_record_parse (&parsed, bytes->data, bytes->len), >, 0);
  g_assert_error (parsed.error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY);
  g_assert_cmpstr (imgimport_error_get_reason (parsed.error), ==, "why");
  g_assert_cmpstr (parsed.error->message, ==, spaces);
}

static void
failing_load_refuses_the_run (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = with_abc (NULL, recorder);
  g_autoptr (GError) error = NULL;

  recorder->load_fails = TRUE;
  g_assert_null (imgimport_run_new (f->flow, "run", NULL, f->journal, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_PLUGIN);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "no-error-given");
}

static void
journal_without_a_slot_is_refused (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  guint i;

  for (i = 0; i < 4; i++)
    {
      ImgImportJournalVTable vtable = recorder_vtable;
      g_autoptr (ImgImportJournal) journal = NULL;
      g_autoptr (GError) error = NULL;

      if (i == 0)
        vtable.append = NULL;
      else if (i == 1)
        vtable.load = NULL;
      else if (i == 2)
        vtable.forget = NULL;
      else
        vtable.struct_size--;
      journal = imgimport_journal_new (&vtable, recorder, recorder_destroy, &error);
      g_assert_null (journal);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_cmpuint (recorder->n_destroyed, ==, i + 1);
    }
}

static void
memory_journal_keeps_runs_apart_and_forgets (void)
{
  g_autoptr (Fixture) f = fixture_new (0, TRUE);
  g_autoptr (GError) error = NULL;

  add_script (f, "a");
  f->journal = imgimport_journal_new_memory ();
  g_assert_true (_imgimport_journal_append (f->journal, "other", "x", 1, FALSE, &error));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+");
  g_assert_true (_imgimport_journal_forget (f->journal, "run", &error));
  g_assert_true (_imgimport_journal_forget (f->journal, "none", &error));
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  expect_trace (f, "a+ a+");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/journal/intent-is-durable-once-and-pivot-too",
                   intent_is_durable_once_and_pivot_too);
  add_both ("/flow/T31/finished-run-reports-at-once", finished_run_reports_at_once);
  add_both ("/flow/journal/failing-append-interrupts-and-can-go-on",
            failing_append_interrupts_and_can_go_on);
  add_both ("/flow/journal/failing-append-during-revert-interrupts",
            failing_append_during_revert_interrupts);
  add_both ("/flow/journal/final-failure-is-reported-again", final_failure_is_reported_again);
  add_both ("/flow/journal/cancellation-is-remembered", cancellation_is_remembered);
  add_both ("/flow/journal/cancel-before-start-reverts-what-it-says",
            cancel_before_start_reverts_what_the_journal_says);
  add_both ("/flow/T56/begun-task-is-executed-again-as-the-next-attempt",
            begun_task_is_executed_again_as_the_next_attempt);
  add_both ("/flow/journal/outcome-that-the-task-appends-is-not-appended-again",
            outcome_that_the_task_appends_is_not_appended_again);
  add_both ("/flow/journal/output-too-large-for-a-record-fails",
            output_too_large_for_a_record_fails);
  add_both ("/flow/journal/appends-are-split-at-their-limit", appends_are_split_at_their_limit);
  g_test_add_func ("/flow/journal/values-of-any-type-come-back", values_of_any_type_come_back);
  g_test_add_func ("/flow/journal/long-message-is-cut-between-characters",
                   long_message_is_cut_between_characters);
  g_test_add_func ("/flow/journal/failing-load-refuses-the-run", failing_load_refuses_the_run);
  g_test_add_func ("/flow/journal/without-a-slot-is-refused", journal_without_a_slot_is_refused);
  g_test_add_func ("/flow/journal/memory-keeps-runs-apart-and-forgets",
                   memory_journal_keeps_runs_apart_and_forgets);
  return g_test_run ();
}
