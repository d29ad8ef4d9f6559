/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-fixture.h"

static void
records_come_back_in_order (Journal *journal, gconstpointer unused)
{
  journal_append (journal->journal, "run", "one");
  journal_append (journal->journal, "run", "two");
  journal_append (journal->journal, "run", "one");
  journal_assert (journal->journal, "run", "one|two|one");
}

static void
runs_do_not_see_one_another (Journal *journal, gconstpointer unused)
{
  journal_append (journal->journal, "a", "a1");
  journal_append (journal->journal, "ab", "ab1");
  journal_append (journal->journal, "a", "a2");
  journal_append (journal->journal, "ab", "ab2");
  journal_assert (journal->journal, "a", "a1|a2");
  journal_forget (journal->journal, "a");
  journal_assert (journal->journal, "a", "");
  journal_assert (journal->journal, "ab", "ab1|ab2");
}

static void
what_is_forgotten_can_begin_again (Journal *journal, gconstpointer unused)
{
  journal_append (journal->journal, "other", "stays");
  journal_append (journal->journal, "run", "old");
  journal_append (journal->journal, "run", "older");
  journal_forget (journal->journal, "run");
  journal_append (journal->journal, "run", "new");
  journal_assert (journal->journal, "run", "new");
  journal_assert (journal->journal, "other", "stays");
  journal_forget (journal->journal, "run");
  journal_forget (journal->journal, "other");
  journal_append (journal->journal, "run", "newest");
  journal_assert (journal->journal, "run", "newest");
}

static void
an_unknown_run_is_empty_and_can_be_forgotten (Journal *journal, gconstpointer unused)
{
  journal_assert (journal->journal, "none", "");
  journal_forget (journal->journal, "none");
  journal_assert (journal->journal, "none", "");
}

static gboolean
is_ramp (const void *data, gsize length, gpointer n_calls)
{
  const guint8 *bytes = data;
  gsize i;

  g_assert_cmpuint (length, ==, IMGIMPORT_RECORD_MAX);
  for (i = 0; i < length; i++)
    g_assert_true (bytes[i] == (guint8)(i * 7));
  *(guint *)n_calls += 1;
  return TRUE;
}

static void
any_byte_and_a_mebibyte_are_kept (Journal *journal, gconstpointer unused)
{
  g_autofree guint8 *bytes = g_malloc (IMGIMPORT_RECORD_MAX);
  g_autoptr (GError) error = NULL;
  guint n_calls = 0;
  gsize i;

  for (i = 0; i < IMGIMPORT_RECORD_MAX; i++)
    bytes[i] = (guint8)(i * 7);
  for (i = 0; i < 6; i++)
    {
      _imgimport_journal_append (journal->journal, "run", bytes, IMGIMPORT_RECORD_MAX, i == 5,
                                 &error);
      g_assert_no_error (error);
    }
  _imgimport_journal_load (journal->journal, "run", is_ramp, &n_calls, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_calls, ==, 6);
}

static gboolean
stop_at_second (const void *data, gsize length, gpointer n_calls)
{
  return ++*(guint *)n_calls < 2;
}

static void
loading_stops_where_it_is_told_to (Journal *journal, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  guint n_calls = 0;

  journal_append (journal->journal, "run", "one");
  journal_append (journal->journal, "run", "two");
  journal_append (journal->journal, "run", "three");
  g_assert_true (
      _imgimport_journal_load (journal->journal, "run", stop_at_second, &n_calls, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_calls, ==, 2);
}

static void
another_object_sees_and_continues_the_same (Journal *journal, gconstpointer unused)
{
  g_autoptr (ImgImportJournal) other = journal_reopen (journal);
  g_autoptr (ImgImportJournal) third = NULL;

  journal_append (journal->journal, "run", "one");
  journal_append (journal->journal, "run", "two");
  journal_assert (other, "run", "one|two");
  journal_append (other, "run", "three");
  g_clear_object (&other);
  third = journal_reopen (journal);
  journal_assert (third, "run", "one|two|three");
  journal_append (third, "run", "four");
  journal_assert (journal->journal, "run", "one|two|three|four");
  journal_forget (journal->journal, "run");
  journal_assert (third, "run", "");
}

#define N_THREADS 8
#define N_APPENDS 40

typedef struct
{
  ImgImportJournal *journal;
  char run[16];
} Writer;

static gpointer
write_durably (gpointer data)
{
  Writer *self = data;
  guint i;

  for (i = 0; i < N_APPENDS; i++)
    {
      g_autoptr (GError) error = NULL;

      _imgimport_journal_append (self->journal, self->run, self->run, 2, i % 4 == 0, &error);
      g_assert_no_error (error);
    }
  return NULL;
}

static void
many_threads_write_their_runs (Journal *journal, gconstpointer unused)
{
  Writer writers[N_THREADS];
  GThread *threads[N_THREADS];
  guint i;

  for (i = 0; i < N_THREADS; i++)
    {
      writers[i].journal = journal->journal;
      g_snprintf (writers[i].run, sizeof writers[i].run, "r%u", i);
      threads[i] = _imgimport_thread_new ("writer", write_durably, &writers[i], NULL);
      g_assert_nonnull (threads[i]);
    }
  for (i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  for (i = 0; i < N_THREADS; i++)
    {
      g_autofree char *text = journal_read (journal->journal, writers[i].run);

      g_assert_cmpuint (strlen (text), ==, 3 * N_APPENDS - 1);
      g_assert_true (g_str_has_prefix (text, writers[i].run));
    }
}

void
journal_add_record_checks (const JournalFactory *factory)
{
  journal_add (factory, "records-come-back-in-order", records_come_back_in_order);
  journal_add (factory, "runs-do-not-see-one-another", runs_do_not_see_one_another);
  journal_add (factory, "what-is-forgotten-can-begin-again", what_is_forgotten_can_begin_again);
  journal_add (factory, "an-unknown-run-is-empty-and-can-be-forgotten",
               an_unknown_run_is_empty_and_can_be_forgotten);
  journal_add (factory, "any-byte-and-a-mebibyte-are-kept", any_byte_and_a_mebibyte_are_kept);
  journal_add (factory, "loading-stops-where-it-is-told-to", loading_stops_where_it_is_told_to);
  journal_add (factory, "many-threads-write-their-runs", many_threads_write_their_runs);
  if (factory->usurp != NULL)
    journal_add (factory, "another-object-sees-and-continues-the-same",
                 another_object_sees_and_continues_the_same);
}
