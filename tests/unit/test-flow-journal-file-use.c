/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-files.h"

static void
assert_refused (Files *files, const char *run, gsize length, const char *reason)
{
  g_autofree char *data = g_malloc0 (length + 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (TABLE.append (files->journal, run, data, length, FALSE, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}

static void
bad_names_and_sizes_are_refused (Files *files, gconstpointer unused)
{
  g_autofree char *longest = g_strnfill (255, 'n');
  g_autofree char *too_long = g_strnfill (256, 'n');
  g_autoptr (GError) error = NULL;

  append (files, longest, "x", FALSE);
  append (files, "../etc/passwd", "x", FALSE);
  assert_refused (files, too_long, 1, "run-invalid");
  assert_refused (files, "", 1, "run-invalid");
  assert_refused (files, "\xff", 1, "run-invalid");
  assert_refused (files, "run", 0, "record-invalid");
  assert_refused (files, "run", IMGIMPORT_RECORD_MAX + 1, "record-invalid");
  g_assert_false (TABLE.load (files->journal, "", add_text, NULL, NULL));
  g_assert_false (TABLE.claim (files->journal, "", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
}

static void
a_directory_of_others_is_refused (Files *files, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportJournal) journal = NULL;

  g_assert_cmpint (g_chmod (files->directory, 0750), ==, 0);
  journal = imgimport_journal_new_directory (files->directory, &error);
  g_assert_null (journal);
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_PERMISSION);
}

static gpointer
fail_to_sync (gpointer data)
{
  Files *files = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) second = NULL;

  deny_syscall (SYS_fdatasync, EIO);
  deny_syscall (SYS_fsync, EIO);
  append (files, "a", "one", FALSE);
  g_assert_false (TABLE.append (files->journal, "a", "two", 3, TRUE, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_FAILED);
  g_assert_false (TABLE.append (files->journal, "b", "one", 3, FALSE, &second));
  g_assert_error (second, IMGIMPORT_ERROR, IMGIMPORT_ERROR_UNAVAILABLE);
  g_assert_cmpstr (imgimport_error_get_reason (second), ==, "journal-failed");
  return NULL;
}

static void
a_failed_sync_ends_the_journal (Files *files, gconstpointer unused)
{
  g_thread_join (_imgimport_thread_new ("denied", fail_to_sync, files, NULL));
}

static gpointer
fail_to_write (gpointer data)
{
  Files *files = data;
  g_autoptr (GError) error = NULL;

  append (files, "a", "one", FALSE);
  deny_syscall (SYS_pwrite64, ENOSPC);
  g_assert_false (TABLE.append (files->journal, "a", "two", 3, TRUE, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NO_SPACE);
  return NULL;
}

static void
a_failed_write_leaves_no_trace (Files *files, gconstpointer unused)
{
  g_thread_join (_imgimport_thread_new ("denied", fail_to_write, files, NULL));
  append (files, "a", "three", TRUE);
  assert_records (files, "a", "|one|three");
}

#define N_THREADS 16

/* Where the first sync stands still while it is closed. */
typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean is_closed; /* under lock */
  gboolean has_come;  /* under lock: a sync */
} Gate;

static Gate gate;

/* In the place of the C library's. */
int
fdatasync (int fd)
{
  gboolean is_first;

  g_mutex_lock (&gate.lock);
  is_first = !gate.has_come;
  gate.has_come = TRUE;
  g_cond_broadcast (&gate.cond);
  while (is_first && gate.is_closed)
    g_cond_wait (&gate.cond, &gate.lock);
  g_mutex_unlock (&gate.lock);
  return (int)syscall (SYS_fdatasync, fd);
}

static void
await_sync (void)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&gate.lock);

  while (!gate.has_come)
    g_cond_wait (&gate.cond, &gate.lock);
}

static void
set_gate (gboolean is_closed)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&gate.lock);

  gate.is_closed = is_closed;
  gate.has_come = FALSE;
  g_cond_broadcast (&gate.cond);
}

typedef struct
{
  Files *files;
  char run[16];
} Writer;

static gpointer
write_durably (gpointer data)
{
  Writer *self = data;

  append (self->files, self->run, "record", TRUE);
  return NULL;
}

/* What is in the file waits for a sync: who writes holds the journal's lock until then. */
static gboolean
is_written (Files *files, const char *run)
{
  Files reader = { files->directory, NULL };
  GString *text;
  gboolean is_there;

  open_files (&reader);
  text = load (&reader, run);
  is_there = text->len > 0;
  g_string_free (text, TRUE);
  _imgimport_journal_file_free (reader.journal);
  return is_there;
}

/* Appends of different runs that wait at the same time are made durable by one sync. */
static void
concurrent_runs_share_syncs (Files *files, gconstpointer unused)
{
  Writer writers[N_THREADS];
  GThread *threads[N_THREADS];
  guint i;

  set_gate (TRUE);
  for (i = 0; i < N_THREADS; i++)
    {
      writers[i].files = files;
      g_snprintf (writers[i].run, sizeof writers[i].run, "r%u", i);
      threads[i] = _imgimport_thread_new ("writer", write_durably, &writers[i], NULL);
      await_sync ();
    }
  for (i = 0; i < N_THREADS; i++)
    while (!is_written (files, writers[i].run))
      g_thread_yield ();
  set_gate (FALSE);
  for (i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  /* The first one's, and that of all who came meanwhile. */
  g_assert_cmpuint (_imgimport_journal_file_count_syncs (files->journal), ==, 2);
}

/* A flow of three on a journal in files; the second fails. Answers its trace. */
static char *
run_flow (Files *files, gboolean *is_cut, GError **error)
{
  Fixture *f = fixture_new (0, TRUE);
  char *trace = NULL;

  f->journal = imgimport_journal_new_directory (files->directory, NULL);
  add_script (f, "a");
  add_script (f, "b")->n_failures = 1;
  add_script (f, "c");
  f->run = imgimport_run_new (f->flow, "run", NULL, f->journal, error);
  if (f->run != NULL)
    {
      imgimport_run_start (f->run, f->engine, NULL);
      imgimport_run_wait (f->run, -1);
      *is_cut = imgimport_run_is_journal_cut (f->run);
      trace = g_strdup (f->trace->str);
    }
  fixture_free (f);
  return trace;
}

static void
a_run_says_that_its_journal_was_cut (Files *files, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL;
  g_autofree char *path = NULL;
  struct stat facts;
  gboolean is_cut = TRUE;

  first = run_flow (files, &is_cut, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (first, ==, "a+ b! b- a-");
  g_assert_false (is_cut);
  path = segment_path (files, 0);
  g_assert_cmpint (stat (path, &facts), ==, 0);
  g_assert_cmpint (truncate (path, facts.st_size - 1), ==, 0);
  g_free (first);
  first = run_flow (files, &is_cut, &error);
  g_assert_no_error (error);
  g_assert_true (is_cut);
  g_assert_cmpstr (first, ==, "a-");
}

static void
a_run_that_others_run_is_refused (Files *files, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) refusal = NULL;
  g_autofree char *trace = NULL;
  gboolean is_cut = FALSE;

  g_assert_true (TABLE.claim (files->journal, "run", &error));
  trace = run_flow (files, &is_cut, &refusal);
  g_assert_null (trace);
  g_assert_error (refusal, IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY);
  g_assert_cmpstr (imgimport_error_get_reason (refusal), ==, "run-claimed");
  TABLE.release (files->journal, "run");
  trace = run_flow (files, &is_cut, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (trace, ==, "a+ b! b- a-");
  g_assert_true (TABLE.claim (files->journal, "run", &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, check)                                                                           \
  g_test_add ("/flow/journal-file/" name, Files, NULL, set_up, check, tear_down)
  ADD ("bad-names-and-sizes-are-refused", bad_names_and_sizes_are_refused);
  ADD ("a-directory-of-others-is-refused", a_directory_of_others_is_refused);
  ADD ("a-failed-sync-ends-the-journal", a_failed_sync_ends_the_journal);
  ADD ("a-failed-write-leaves-no-trace", a_failed_write_leaves_no_trace);
  ADD ("concurrent-runs-share-syncs", concurrent_runs_share_syncs);
  ADD ("T60/a-run-says-that-its-journal-was-cut", a_run_says_that_its_journal_was_cut);
  ADD ("a-run-that-others-run-is-refused", a_run_that_others_run_is_refused);
  return g_test_run ();
}
