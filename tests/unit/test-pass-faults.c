/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-store.h"

#include "stream/pass.h"

#define N_STORES 2u
#define N_BUFFERS 20u /* more than a pass has */

typedef enum
{
  BEGIN,
  WRITE,
  COMMIT,
} Slot;

static const char *const digests[] = { "sha1", NULL };

typedef struct
{
  ImgImportStore *stores[N_STORES];
  FakeStore *fakes[N_STORES];
  GError *failures[N_STORES];
  FakeSource source;
  ImgImportPassResult result;
  GError *error;
} Run;

static void
run_init (Run *run)
{
  *run = (Run){ .source = { .size = N_BUFFERS * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE } };
  for (guint i = 0; i < N_STORES; i++)
    {
      run->stores[i] = fake_store_new (&run->fakes[i]);
      run->fakes[i]->discard = TRUE;
    }
}

static void
run_clear (Run *run)
{
  _imgimport_pass_result_clear (&run->result);
  for (guint i = 0; i < N_STORES; i++)
    {
      _imgimport_plugin_unref (run->stores[i]);
      g_clear_error (&run->failures[i]);
    }
  g_clear_error (&run->error);
}

static void
run_set_fault (Run *run, guint store, Slot slot, guint nth)
{
  if (slot == BEGIN)
    run->fakes[store]->fail_begin = nth;
  else if (slot == WRITE)
    run->fakes[store]->fail_write = nth;
  else
    run->fakes[store]->fail_commit = nth;
}

static gboolean
run_go (Run *run, gboolean threads, gboolean first_may_fail, gboolean second_may_fail)
{
  const ImgImportSinkSpec sinks[N_STORES] = {
    { run->stores[0], "key", first_may_fail, &run->failures[0] },
    { run->stores[1], "key", second_may_fail, &run->failures[1] },
  };
  const ImgImportPassSpec spec = {
    .expected = IMGIMPORT_SIZE_UNKNOWN,
    .limit = IMGIMPORT_SIZE_UNKNOWN,
    .digests = digests,
    .inspect = TRUE,
    .threads = threads,
    .sinks = sinks,
    .n_sinks = N_STORES,
  };
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&spec, NULL, &run->error);

  return pass != NULL &&
         _imgimport_pass_pull (pass, fake_source_read, &run->source, NULL, &run->error) &&
         _imgimport_pass_finish (pass, &run->result, NULL, &run->error);
}

static void
assert_failed_clean (const Run *run)
{
  g_assert_error (run->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NO_SPACE);
  g_assert_cmpstr (imgimport_error_get_reason (run->error), ==, "store-full");
  g_assert_null (run->result.digests);
  g_assert_null (run->result.facts);
  g_assert_null (run->result.sinks);
  for (guint i = 0; i < N_STORES; i++)
    fake_store_assert_empty (run->fakes[i]);
}

static guint
calls_of (Slot slot)
{
  return slot == WRITE ? N_BUFFERS : 1;
}

static void
every_fault_of_a_store_is_clean (gconstpointer threads)
{
  for (Slot slot = BEGIN; slot <= COMMIT; slot++)
    {
      for (guint i = 0; i < N_STORES * calls_of (slot); i++)
        {
          Run run;

          run_init (&run);
          run_set_fault (&run, i % N_STORES, slot, i / N_STORES + 1);
          g_assert_false (run_go (&run, threads != NULL, FALSE, FALSE));
          assert_failed_clean (&run);
          g_assert_nonnull (strstr (run.error->message, "store “fake”: "));
          g_assert_cmpstr (run.failures[i % N_STORES]->message, ==, run.error->message);
          g_assert_no_error (run.failures[1 - i % N_STORES]);
          /* The object of the first store was committed before the second failed to. */
          g_assert_cmpuint (run.fakes[0]->n_remove, ==, slot == COMMIT && i == 1);
          run_clear (&run);
        }
    }
}

static void
every_fault_of_the_source_is_clean (gconstpointer threads)
{
  for (guint nth = 1; nth <= N_BUFFERS + 1; nth++)
    {
      Run run;

      run_init (&run);
      run.source.fail_read = nth;
      g_assert_false (run_go (&run, threads != NULL, FALSE, TRUE));
      assert_failed_clean (&run);
      g_assert_cmpstr (run.error->message, ==, "read fails");
      g_assert_no_error (run.failures[0]);
      g_assert_no_error (run.failures[1]);
      g_assert_cmpuint (run.source.n_reads, ==, nth);
      run_clear (&run);
    }
}

static void
store_that_may_fail_has_its_own_verdict (gconstpointer threads)
{
  for (Slot slot = BEGIN; slot <= COMMIT; slot++)
    {
      for (guint i = 0; i < N_STORES * calls_of (slot); i++)
        {
          guint bad = i % N_STORES;
          g_autofree char *version = NULL;
          Run run;

          run_init (&run);
          version = g_strdup_printf ("v%" G_GUINT64_FORMAT, run.source.size);
          run_set_fault (&run, bad, slot, i / N_STORES + 1);
          /* The other one must succeed, or may fail but does not. */
          g_assert_true (
              run_go (&run, threads != NULL, bad == 0 || i % 3 == 0, bad == 1 || i % 3 == 0));
          g_assert_no_error (run.error);
          g_assert_error (run.result.sinks[bad].error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NO_SPACE);
          g_assert_null (run.result.sinks[bad].version);
          fake_store_assert_empty (run.fakes[bad]);
          g_assert_no_error (run.result.sinks[1 - bad].error);
          g_assert_cmpstr (run.result.sinks[1 - bad].version, ==, version);
          g_assert_nonnull (fake_store_peek (run.fakes[1 - bad], "key"));
          g_assert_cmpuint (run.result.size, ==, run.source.size);
          run_clear (&run);
        }
    }
}

/* The first store's error counts, whichever fails first. */
static void
all_that_may_fail_do (gconstpointer threads)
{
  for (guint i = 0; i < 9; i++)
    {
      Slot first = i / 3;
      Slot second = i % 3;
      Run run;

      run_init (&run);
      run_set_fault (&run, 0, first, 1);
      run_set_fault (&run, 1, second, 1);
      g_assert_false (run_go (&run, threads != NULL, TRUE, TRUE));
      assert_failed_clean (&run);
      g_assert_nonnull (strstr (run.error->message, first == BEGIN   ? "begin"
                                                    : first == WRITE ? "write"
                                                                     : "commit"));
      /* Nothing is read for nobody. */
      if (first == BEGIN && second == BEGIN)
        g_assert_cmpuint (run.source.n_reads, ==, 0);
      if (threads == NULL && first == WRITE && second == WRITE)
        g_assert_cmpuint (run.source.n_reads, ==, 1);
      run_clear (&run);
    }
}

static void
must_succeed_outweighs_may_fail (gconstpointer threads)
{
  Run run;

  run_init (&run);
  run_set_fault (&run, 0, COMMIT, 1);
  run_set_fault (&run, 1, WRITE, 3);
  g_assert_false (run_go (&run, threads != NULL, FALSE, TRUE));
  assert_failed_clean (&run);
  g_assert_nonnull (strstr (run.error->message, "commit"));
  run_clear (&run);
}

static void
later_calls_answer_the_first_error (gconstpointer threads)
{
  Run run;
  ImgImportSinkSpec sink;
  ImgImportPassSpec spec = {
    .expected = 10, .limit = 10, .threads = threads != NULL, .sinks = &sink, .n_sinks = 1
  };
  g_autoptr (ImgImportPass) pass = NULL;

  run_init (&run);
  sink = (ImgImportSinkSpec){ .store = run.stores[0], .key = "key" };
  pass = _imgimport_pass_new (&spec, NULL, &run.error);
  g_assert_false (_imgimport_pass_push (pass, "more than ten", 13, NULL, &run.error));
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpstr (imgimport_error_get_reason (run.error), ==, "size-mismatch");
      g_clear_error (&run.error);
      if (i == 0)
        g_assert_false (_imgimport_pass_push (pass, "x", 1, NULL, &run.error));
      else if (i == 1)
        g_assert_false (
            _imgimport_pass_pull (pass, fake_source_read, &run.source, NULL, &run.error));
      else
        g_assert_false (_imgimport_pass_finish (pass, &run.result, NULL, &run.error));
    }
  g_assert_cmpstr (imgimport_error_get_reason (run.error), ==, "size-mismatch");
  g_assert_cmpuint (run.source.n_reads, ==, 0);
  g_assert_cmpuint (run.fakes[0]->n_write, ==, 0);
  g_clear_pointer (&pass, _imgimport_pass_free);
  run_clear (&run);
}

/* A digest that was finished takes no more, as one whose library fails. */
static void
fault_of_a_digest_is_clean (gconstpointer threads)
{
  for (guint n = 0; n <= N_BUFFERS; n += N_BUFFERS)
    {
      FakeStore *fake = NULL;
      g_autoptr (ImgImportStore) store = fake_store_new (&fake);
      const ImgImportSinkSpec sink = { .store = store, .key = "key" };
      const ImgImportPassSpec spec = { .expected = IMGIMPORT_SIZE_UNKNOWN,
                                       .limit = IMGIMPORT_SIZE_UNKNOWN,
                                       .digests = digests,
                                       .threads = threads != NULL,
                                       .sinks = &sink,
                                       .n_sinks = 1 };
      FakeSource source = { .size = n * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE };
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&spec, NULL, &error);
      g_auto (ImgImportPassResult) result = { 0 };

      /* A digest that has ended refuses all that comes. */
      g_free (_imgimport_digest_finish (pass->stages[0].digest, &error));
      g_assert_no_error (error);
      g_assert_false (_imgimport_pass_pull (pass, fake_source_read, &source, NULL, &error) &&
                      _imgimport_pass_finish (pass, &result, NULL, &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_FAILED);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "digest-failed");
      g_assert_null (result.digests);
      g_clear_pointer (&pass, _imgimport_pass_free);
      fake_store_assert_empty (fake);
    }
}

static void
add (const char *name, GTestDataFunc func)
{
  g_autofree char *inline_path = g_strdup_printf ("/pass/faults/inline/%s", name);
  g_autofree char *threads_path = g_strdup_printf ("/pass/faults/threads/%s", name);

  g_test_add_data_func (inline_path, NULL, func);
  g_test_add_data_func (threads_path, "threads", func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("E63/every-fault-of-a-store-is-clean", every_fault_of_a_store_is_clean);
  add ("E63/every-fault-of-the-source-is-clean", every_fault_of_the_source_is_clean);
  add ("store-that-may-fail-has-its-own-verdict", store_that_may_fail_has_its_own_verdict);
  add ("all-that-may-fail-do", all_that_may_fail_do);
  add ("must-succeed-outweighs-may-fail", must_succeed_outweighs_may_fail);
  add ("fault-of-a-digest-is-clean", fault_of_a_digest_is_clean);
  add ("later-calls-answer-the-first-error", later_calls_answer_the_first_error);
  return g_test_run ();
}
