/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-fixture.h"

#include <glib/gstdio.h>

static void
set_up (Journal *journal, gconstpointer factory)
{
  g_autoptr (GError) error = NULL;

  journal->factory = factory;
  journal->directory = g_dir_make_tmp ("imgimport-journal-XXXXXX", &error);
  g_assert_no_error (error);
  journal->journal = journal->factory->open (journal->directory, &error);
  g_assert_no_error (error);
}

static void
tear_down (Journal *journal, gconstpointer unused)
{
  g_autoptr (GDir) dir = g_dir_open (journal->directory, 0, NULL);
  const char *name;

  g_object_unref (journal->journal);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (journal->directory, name, NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (journal->directory), ==, 0);
  g_free (journal->directory);
}

void
journal_add (const JournalFactory *factory, const char *name, JournalCheck check)
{
  g_autofree char *path = g_strdup_printf ("/contract/journal/%s/%s", factory->name, name);

  g_test_add (path, Journal, factory, set_up, check, tear_down);
}

ImgImportJournal *
journal_reopen (Journal *journal)
{
  g_autoptr (GError) error = NULL;
  ImgImportJournal *other = journal->factory->open (journal->directory, &error);

  g_assert_no_error (error);
  return other;
}

void
journal_append (ImgImportJournal *journal, const char *run, const char *text)
{
  g_autoptr (GError) error = NULL;

  _imgimport_journal_append (journal, run, text, strlen (text), FALSE, &error);
  g_assert_no_error (error);
}

void
journal_forget (ImgImportJournal *journal, const char *run)
{
  g_autoptr (GError) error = NULL;

  imgimport_journal_forget (journal, run, &error);
  g_assert_no_error (error);
}

static gboolean
add_text (const void *data, gsize length, gpointer text)
{
  if (((GString *)text)->len > 0)
    g_string_append_c (text, '|');
  g_string_append_len (text, data, (gssize)length);
  return TRUE;
}

char *
journal_read (ImgImportJournal *journal, const char *run)
{
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);

  _imgimport_journal_load (journal, run, add_text, text, &error);
  g_assert_no_error (error);
  return g_string_free (text, FALSE);
}

void
journal_assert (ImgImportJournal *journal, const char *run, const char *expected)
{
  g_autofree char *text = journal_read (journal, run);

  g_assert_cmpstr (text, ==, expected);
}
