/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/*
 * A flow of twelve tasks in layers of three, with values on its edges. It is run once with a
 * journal; then a new process is played for each state in which the journal may have been left.
 */
#define N_TASKS 12

static const char *const names[N_TASKS] = { "a0", "a1", "a2", "b0", "b1", "b2",
                                            "c0", "c1", "c2", "d0", "d1", "d2" };
static const char *const values[N_TASKS] = { "v0", "v1", "v2", "v3", "v4",  "v5",
                                             "v6", "v7", "v8", "v9", "v10", "v11" };

/* The task `failing` fails, none for N_TASKS. */
static Fixture *
twelve_tasks (guint threads, guint failing, Recorder *recorder)
{
  Fixture *f = fixture_new (threads, FALSE);
  guint i;

  for (i = 0; i < N_TASKS; i++)
    {
      Script *script = add_output (add_script (f, names[i]), values[i]);
      guint j;

      for (j = 0; i >= 3 && j < 3; j++)
        add_input (script, values[i / 3 * 3 - 3 + j]);
      script->n_failures = i == failing ? G_MAXUINT : 0;
    }
  use_recorder (f, recorder);
  return f;
}

static gboolean
has_trace (Fixture *f, const char *name, char what)
{
  g_autofree char *text = g_strdup_printf (" %s ", f->trace->str);
  g_autofree char *mark = g_strdup_printf (" %s%c ", name, what);

  return strstr (text, mark) != NULL;
}

/* What a first process left behind. */
static GByteArray *
record_run (guint threads, guint failing, ImgImportRunState state)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = twelve_tasks (threads, failing, recorder);

  run_to (f, state);
  return recorder_join (recorder);
}

/* A process that finds the journal must end as the first one did, and have executed whatever had
 * not succeeded when it came; one more finds the end. */
static void
resume_forward (guint threads, Recorder *recorder)
{
  g_autoptr (Fixture) f = twelve_tasks (threads, N_TASKS, recorder);
  g_autoptr (GVariant) last = NULL;
  ImgImportTaskState before[N_TASKS];
  gsize length;
  guint i;

  prepare_run (f);
  for (i = 0; i < N_TASKS; i++)
    g_assert_true (imgimport_run_get_task_state (f->run, names[i], &before[i], NULL));
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  expect_end (f, IMGIMPORT_RUN_SUCCESS);
  for (i = 0; i < N_TASKS; i++)
    g_assert_cmpint (has_trace (f, names[i], '+'), !=, before[i] == IMGIMPORT_TASK_SUCCESS);
  last = imgimport_run_get_output (f->run, "v11");
  g_assert_cmpstr (g_variant_get_string (last, NULL), ==, "d2");

  length = f->trace->len;
  run_to (f, IMGIMPORT_RUN_SUCCESS);
  g_assert_cmpuint (f->trace->len, ==, length);
}

static void
crash_after_each_record_forward (gconstpointer data)
{
  guint threads = GPOINTER_TO_UINT (data);
  g_autoptr (GByteArray) all = record_run (threads, N_TASKS, IMGIMPORT_RUN_SUCCESS);
  guint n_records = 0;
  gsize at = 0;

  while (at <= all->len)
    {
      g_autoptr (Recorder) recorder = recorder_new ();

      recorder_set (recorder, all->data, at);
      resume_forward (threads, recorder);
      if (at == all->len)
        break;
      at += _imgimport_flow_record_fit (all->data + at, all->len - at, 1);
      n_records++;
    }
  g_assert_cmpuint (n_records, ==, 1 + 2 * N_TASKS);
}

/* The failing task fails again; nothing that has begun is left as it is. */
static void
resume_backward (guint threads, Recorder *recorder)
{
  g_autoptr (Fixture) f = twelve_tasks (threads, 7, recorder);
  ImgImportTaskState before[N_TASKS];
  guint32 begun[N_TASKS];
  guint i;

  prepare_run (f);
  for (i = 0; i < N_TASKS; i++)
    {
      g_assert_true (imgimport_run_get_task_state (f->run, names[i], &before[i], NULL));
      begun[i] = f->run->slots[i].attempt;
    }
  g_assert_true (imgimport_run_start (f->run, f->engine, NULL));
  expect_end (f, IMGIMPORT_RUN_REVERTED);
  expect_error (f, 0, "c1", "scripted");
  for (i = 0; i < N_TASKS; i++)
    {
      gboolean executed = has_trace (f, names[i], '+') || has_trace (f, names[i], '!');

      g_assert_cmpint (has_trace (f, names[i], '-'), ==,
                       (begun[i] > 0 || executed) && before[i] != IMGIMPORT_TASK_REVERTED);
      g_assert_false (executed && before[i] == IMGIMPORT_TASK_REVERTED);
    }
}

static void
crash_after_each_record_backward (gconstpointer data)
{
  guint threads = GPOINTER_TO_UINT (data);
  g_autoptr (GByteArray) all = record_run (threads, 7, IMGIMPORT_RUN_REVERTED);
  gsize at = 0;

  while (at <= all->len)
    {
      g_autoptr (Recorder) recorder = recorder_new ();

      recorder_set (recorder, all->data, at);
      resume_backward (threads, recorder);
      if (at == all->len)
        break;
      at += _imgimport_flow_record_fit (all->data + at, all->len - at, 1);
    }
}

static void
cut_at_every_byte (gconstpointer data)
{
  guint threads = GPOINTER_TO_UINT (data);
  g_autoptr (GByteArray) all = record_run (threads, N_TASKS, IMGIMPORT_RUN_SUCCESS);
  gsize at;

  for (at = 0; at <= all->len; at++)
    {
      g_autoptr (Recorder) recorder = recorder_new ();

      recorder_set (recorder, all->data, at);
      resume_forward (threads, recorder);
    }
}

static void
flip_every_byte (gconstpointer data)
{
  guint threads = GPOINTER_TO_UINT (data);
  g_autoptr (GByteArray) all = record_run (threads, N_TASKS, IMGIMPORT_RUN_SUCCESS);
  gsize at;

  for (at = 0; at < all->len; at++)
    {
      g_autoptr (Recorder) recorder = recorder_new ();

      all->data[at] ^= (guint8)(1u << (at % 8));
      recorder_set (recorder, all->data, all->len);
      all->data[at] ^= (guint8)(1u << (at % 8));
      resume_forward (threads, recorder);
    }
}

/* A process that fails at its fourth append, the third of which is then torn. */
static void
run_and_tear (Recorder *recorder)
{
  g_autoptr (Fixture) f = twelve_tasks (0, N_TASKS, recorder);
  gpointer *last;
  GBytes *whole;

  recorder->n_until_failure = 4;
  start_run (f);
  g_assert_true (imgimport_run_wait (f->run, -1));
  last = &recorder->appends->pdata[recorder->appends->len - 1];
  whole = *last;
  *last = g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) - 1);
  g_bytes_unref (whole);
}

/* Each finds what the one before it had achieved, but for what was torn. */
static void
torn_again_and_again (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = twelve_tasks (0, N_TASKS, recorder);
  guint i;

  for (i = 0; i < 2 * N_TASKS; i++)
    run_and_tear (recorder);
  prepare_run (f);
  for (i = 0; i + 1 < N_TASKS; i++)
    expect_task (f, names[i], IMGIMPORT_TASK_SUCCESS);
  expect_task (f, names[i], IMGIMPORT_TASK_PENDING);
  recorder->n_until_failure = 0;
  resume_forward (0, recorder);
}

static void
expect_foreign (Recorder *recorder, Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_run_new (f->flow, "run", NULL, f->journal, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_CORRUPT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "journal-foreign");
}

static void
journal_of_another_flow_is_refused (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) first = fixture_new (0, TRUE);
  g_autoptr (Fixture) second = fixture_new (0, TRUE);

  add_script (first, "a");
  use_recorder (first, recorder);
  run_to (first, IMGIMPORT_RUN_SUCCESS);
  add_script (second, "b");
  use_recorder (second, recorder);
  expect_foreign (recorder, second);
}

static void
implausible_records_are_refused (void)
{
  g_autoptr (GError) error =
      _imgimport_error_new_dup_reason (IMGIMPORT_ERROR_FAILED, "scripted", "message");
  const ImgImportFlowRecord records[] = {
    { .type = IMGIMPORT_FLOW_RECORD_BEGUN, .task = N_TASKS, .number = 1 },
    { .type = IMGIMPORT_FLOW_RECORD_BEGUN, .task = 0, .number = 0 },
    { .type = IMGIMPORT_FLOW_RECORD_BEGUN, .task = 0, .number = G_MAXUINT32 },
    { .type = IMGIMPORT_FLOW_RECORD_SUCCESS, .task = 0 },
    { .type = IMGIMPORT_FLOW_RECORD_SUCCESS, .task = IMGIMPORT_TASK_NONE },
    { .type = IMGIMPORT_FLOW_RECORD_FAILURE, .task = 0 },
    { .type = IMGIMPORT_FLOW_RECORD_FAILURE, .task = N_TASKS, .error = error },
    { .type = IMGIMPORT_FLOW_RECORD_CANCELLED, .task = 0, .error = error },
    { .type = IMGIMPORT_FLOW_RECORD_REVERTED, .task = N_TASKS },
    { .type = IMGIMPORT_FLOW_RECORD_RESUMED, .task = 0, .number = 1 },
    { .type = (ImgImportFlowRecordType)99, .task = 0 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (records); i++)
    {
      g_autoptr (Recorder) recorder = recorder_new ();
      g_autoptr (Fixture) f = twelve_tasks (0, N_TASKS, recorder);

      recorder_add_head (recorder, f->flow);
      recorder_add (recorder, &records[i]);
      expect_foreign (recorder, f);
    }
}

static void
journal_without_a_head_is_refused (void)
{
  const ImgImportFlowRecord begun = { .type = IMGIMPORT_FLOW_RECORD_BEGUN, .task = 0, .number = 1 };
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = twelve_tasks (0, N_TASKS, recorder);

  recorder_add (recorder, &begun);
  expect_foreign (recorder, f);
}

/* CRC-32C, bit by bit. */
static guint32
crc32c (guint32 crc, const guint8 *data, gsize length)
{
  gsize i;

  for (i = 0; i < length * 8; i++)
    {
      crc ^= (i % 8 == 0) ? data[i / 8] : 0u;
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    }
  return crc;
}

static void
another_format_version_is_refused (void)
{
  g_autoptr (Recorder) recorder = recorder_new ();
  g_autoptr (Fixture) f = twelve_tasks (0, N_TASKS, recorder);
  g_autoptr (GByteArray) head = NULL;
  guint32 crc;

  g_assert_cmphex (~crc32c (G_MAXUINT32, (const guint8 *)"123456789", 9), ==, 0xe3069283u);
  recorder_add_head (recorder, f->flow);
  head = recorder_join (recorder);
  head->data[8]++;
  crc = crc32c (G_MAXUINT32, head->data, 4);
  crc = GUINT32_TO_LE (~crc32c (crc, head->data + 8, head->len - 8));
  memcpy (head->data + 4, &crc, sizeof crc);
  recorder_set (recorder, head->data, head->len);
  expect_foreign (recorder, f);
}

typedef struct
{
  guint8 type;
  const char *body;
  gsize length;
} Broken;

#define BROKEN(type, body)                                                                         \
  {                                                                                                \
    type, body, sizeof body - 1                                                                    \
  }

static void
append_checked (Recorder *recorder, const Broken *broken)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 header[24] = { 0 };
  guint32 crc;

  header[0] = (guint8)broken->length;
  header[8] = 1;
  header[9] = broken->type;
  g_byte_array_append (bytes, header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *)broken->body, (guint)broken->length);
  crc = crc32c (crc32c (G_MAXUINT32, bytes->data, 4), bytes->data + 8, bytes->len - 8);
  crc = GUINT32_TO_LE (~crc);
  memcpy (bytes->data + 4, &crc, sizeof crc);
  g_ptr_array_add (recorder->appends, g_bytes_new (bytes->data, bytes->len));
}

/* A right checksum does not make a record right. */
static void
broken_bodies_end_the_journal (void)
{
  static const Broken cases[] = {
    BROKEN (IMGIMPORT_FLOW_RECORD_FAILURE, "\1\0"),
    BROKEN (IMGIMPORT_FLOW_RECORD_FAILURE, "\1\0\0\0x"),
    BROKEN (IMGIMPORT_FLOW_RECORD_FAILURE, "\xff\xff\xff\xffx"),
    BROKEN (IMGIMPORT_FLOW_RECORD_FAILURE, "\1\0\0\0x\1\0\0\0y\1\0\0\0zz"),
    BROKEN (IMGIMPORT_FLOW_RECORD_FAILURE, "\1\0\0\0\xff\1\0\0\0y\1\0\0\0z"),
    BROKEN (IMGIMPORT_FLOW_RECORD_SUCCESS, "\1\0\0\0!\1\0\0\0z"),
    BROKEN (IMGIMPORT_FLOW_RECORD_SUCCESS, "\1\0\0\0*\1\0\0\0z"),
    BROKEN (IMGIMPORT_FLOW_RECORD_SUCCESS, "\1\0\0\0s"),
    BROKEN (IMGIMPORT_FLOW_RECORD_SUCCESS, "\1\0\0\0s\1\0\0\0z"),
    BROKEN (IMGIMPORT_FLOW_RECORD_SUCCESS, "\1\0\0\0b\1\0\0\0z"),
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Recorder) recorder = recorder_new ();
      g_autoptr (Fixture) f = twelve_tasks (0, N_TASKS, recorder);

      recorder_add_head (recorder, f->flow);
      append_checked (recorder, &cases[i]);
      resume_forward (0, recorder);
      g_assert_cmpuint (recorder->appends->len, >, 2);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T55/crash-after-each-record-forward", crash_after_each_record_forward);
  add_both ("/flow/T56/crash-after-each-record-backward", crash_after_each_record_backward);
  add_both ("/flow/T60/cut-at-every-byte", cut_at_every_byte);
  add_both ("/flow/T60/flip-every-byte", flip_every_byte);
  g_test_add_func ("/flow/T60/torn-again-and-again", torn_again_and_again);
  g_test_add_func ("/flow/resume/journal-of-another-flow-is-refused",
                   journal_of_another_flow_is_refused);
  g_test_add_func ("/flow/resume/implausible-records-are-refused", implausible_records_are_refused);
  g_test_add_func ("/flow/resume/journal-without-a-head-is-refused",
                   journal_without_a_head_is_refused);
  g_test_add_func ("/flow/resume/another-format-version-is-refused",
                   another_format_version_is_refused);
  g_test_add_func ("/flow/T60/broken-bodies-end-the-journal", broken_bodies_end_the_journal);
  return g_test_run ();
}
