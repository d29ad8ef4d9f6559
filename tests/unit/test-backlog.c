/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Journal records that wait for the next commit of their run. */

#include "service/txn.h"

typedef struct
{
  ImgImportBacklog *backlog;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->backlog = _imgimport_backlog_new ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  _imgimport_backlog_unref (f->backlog);
}

static void
add (Fixture *f, const char *run, const char *text)
{
  _imgimport_backlog_add (f->backlog, run, g_bytes_new (text, strlen (text)));
}

/* `expected`: the records one after the other, "" for none. */
static void
check (Fixture *f, const char *run, const char *expected)
{
  g_autoptr (GPtrArray) records = _imgimport_backlog_dup (f->backlog, run);
  g_autoptr (GString) found = g_string_new (NULL);

  for (guint i = 0; records != NULL && i < records->len; i++)
    {
      gsize length;
      const char *text = g_bytes_get_data (records->pdata[i], &length);

      g_string_append_len (found, text, (gssize)length);
    }
  g_assert_cmpstr (found->str, ==, expected);
  g_assert_true ((records == NULL) == (expected[0] == '\0'));
}

static void
records_stay_in_order_by_run (Fixture *f, gconstpointer data)
{
  check (f, "a", "");
  add (f, "a", "1");
  add (f, "b", "x");
  add (f, "a", "2");
  check (f, "a", "12");
  check (f, "b", "x");
}

static void
what_came_after_a_commit_began_stays (Fixture *f, gconstpointer data)
{
  add (f, "a", "1");
  add (f, "a", "2");
  add (f, "a", "3");
  _imgimport_backlog_written (f->backlog, "a", 2);
  check (f, "a", "3");
  _imgimport_backlog_written (f->backlog, "a", 1);
  check (f, "a", "");
}

static void
a_commit_without_records_changes_nothing (Fixture *f, gconstpointer data)
{
  _imgimport_backlog_written (f->backlog, "a", 0);
  _imgimport_backlog_written (f->backlog, "a", 1);
  add (f, "a", "1");
  _imgimport_backlog_written (f->backlog, "a", 0);
  check (f, "a", "1");
}

static void
a_run_that_is_forgotten_has_no_records (Fixture *f, gconstpointer data)
{
  add (f, "a", "1");
  add (f, "b", "x");
  _imgimport_backlog_forget (f->backlog, "a");
  _imgimport_backlog_forget (f->backlog, "a");
  check (f, "a", "");
  check (f, "b", "x");
}

static void
a_copy_outlives_what_it_is_of (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) records = NULL;
  ImgImportBacklog *other = _imgimport_backlog_ref (f->backlog);

  add (f, "a", "1");
  records = _imgimport_backlog_dup (other, "a");
  _imgimport_backlog_forget (other, "a");
  _imgimport_backlog_unref (other);
  g_assert_cmpuint (records->len, ==, 1);
  g_assert_cmpuint (g_bytes_get_size (records->pdata[0]), ==, 1);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/service/backlog/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("records-stay-in-order-by-run", records_stay_in_order_by_run);
  ADD ("what-came-after-a-commit-began-stays", what_came_after_a_commit_began_stays);
  ADD ("a-commit-without-records-changes-nothing", a_commit_without_records_changes_nothing);
  ADD ("a-run-that-is-forgotten-has-no-records", a_run_that_is_forgotten_has_no_records);
  ADD ("a-copy-outlives-what-it-is-of", a_copy_outlives_what_it_is_of);
  return g_test_run ();
}
