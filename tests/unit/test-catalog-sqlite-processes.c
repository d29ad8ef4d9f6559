/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-sqlite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define N_PROCESSES 3
#define N_INCREMENTS 200

/* ---- what a child does */

static gboolean
read_counter (const ImgImportRecord *record, gpointer counter)
{
  *(ImgImportRecord *)counter =
      (ImgImportRecord){ .created_us = atoi (record->body), .revision = record->revision };
  return TRUE;
}

/* Counts in the records "a" and "b" at once, and appends to a journal. */
static gboolean
count_on (gpointer catalog)
{
  ImgImportRecord before = { 0 };
  ImgImportRecord records[2] = { { .kind = "image", .id = "a" }, { .kind = "image", .id = "b" } };
  ImgImportOp puts[2] = { { 0 } };
  ImgImportOp append = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "run", .data = "x", .length = 1
  };
  const ImgImportOp *const ops[] = { &puts[0], &append, &puts[1] };
  g_autofree char *body = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (VTABLE.get (catalog, "image", "a", read_counter, &before, &error));
  g_assert_no_error (error);
  body = g_strdup_printf ("%d", (int)before.created_us + 1);
  for (guint i = 0; i < 2; i++)
    {
      records[i].body = body;
      puts[i] = (ImgImportOp){ .kind = IMGIMPORT_OP_PUT,
                               .expected = before.revision,
                               .record = &records[i] };
    }
  if (VTABLE.commit (catalog, ops, 3, before.created_us % 32 == 0, &error))
    return TRUE;
  assert_error (error, IMGIMPORT_ERROR_BUSY, "revision-conflict");
  return FALSE;
}

static void
child_counts (gpointer catalog)
{
  for (guint n = 0; n < N_INCREMENTS;)
    n += count_on (catalog) ? 1 : 0;
}

static void
child_counts_for_ever (gpointer catalog)
{
  for (;;)
    count_on (catalog);
}

static void
child_owns (gpointer catalog)
{
  g_autofree char *owner = NULL;
  g_autofree char *line = NULL;

  g_assert_true (VTABLE.owner_register (catalog, &owner, NULL));
  line = g_strconcat (owner, "\n", NULL);
  g_assert_cmpint (write (STDOUT_FILENO, line, strlen (line)), ==, (gssize)strlen (line));
  for (;;)
    pause ();
}

static void
child_fills_what_it_may (gpointer catalog)
{
  const struct rlimit limit = { 512 * 1024, 512 * 1024 };
  g_autofree char *body = g_strnfill (100 * 1024, 'b');
  g_autoptr (GError) error = NULL;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  for (guint i = 0; error == NULL; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      g_assert_cmpuint (i, <, 6);
      put (catalog, id, body, FALSE, &error);
    }
  assert_error (error, IMGIMPORT_ERROR_NO_SPACE, "catalog-full");
  assert_body (catalog, "0", body);
}

static const struct
{
  const char *role;
  void (*play) (gpointer catalog);
} roles[] = {
  { "count", child_counts },
  { "count-for-ever", child_counts_for_ever },
  { "own", child_owns },
  { "fill", child_fills_what_it_may },
};

static int
play (const char *role, const char *path)
{
  gpointer catalog = _imgimport_catalog_sqlite_new (path, NULL);

  g_assert_nonnull (catalog);
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    {
      if (g_str_equal (role, roles[i].role))
        roles[i].play (catalog);
    }
  _imgimport_catalog_sqlite_free (catalog);
  return 0;
}

/* ---- what the parent sees */

static GSubprocess *
start (Place *place, const char *role)
{
  g_autoptr (GError) error = NULL;
  GSubprocess *child = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "/proc/self/exe",
                                         "--play", role, place->path, NULL);

  g_assert_no_error (error);
  return child;
}

static void
kill_and_wait (GSubprocess *child)
{
  g_subprocess_force_exit (child);
  g_assert_true (g_subprocess_wait (child, NULL, NULL));
  g_assert_true (g_subprocess_get_if_signaled (child));
  g_assert_cmpint (g_subprocess_get_term_sig (child), ==, SIGKILL);
}

static int
number (gpointer catalog, const char *id)
{
  g_autofree char *body = get_body (catalog, id, NULL);

  return body == NULL ? 0 : atoi (body);
}

static guint
n_appended (gpointer catalog)
{
  guint n_entries = 0;

  g_assert_true (VTABLE.journal_load (catalog, "run", count_entry, &n_entries, NULL));
  return n_entries;
}

static void
processes_that_open_and_write_at_once_lose_nothing (Place *place, gconstpointer unused)
{
  GSubprocess *children[N_PROCESSES];
  g_autofree char *healthy = NULL;

  /* The file is not there yet: they race to make it, too. */
  for (guint i = 0; i < N_PROCESSES; i++)
    children[i] = start (place, "count");
  for (guint i = 0; i < N_PROCESSES; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (g_subprocess_wait_check (children[i], NULL, &error));
      g_assert_no_error (error);
      g_object_unref (children[i]);
    }
  place_open (place);
  g_assert_cmpint (number (place->catalog, "a"), ==, N_PROCESSES * N_INCREMENTS);
  g_assert_cmpint (number (place->catalog, "b"), ==, N_PROCESSES * N_INCREMENTS);
  g_assert_cmpuint (n_appended (place->catalog), ==, N_PROCESSES * N_INCREMENTS);
  healthy = ask_sql (place->path, "PRAGMA integrity_check");
  g_assert_cmpstr (healthy, ==, "ok");
}

static void
wait_for_number (gpointer catalog, int wanted)
{
  gint64 give_up_at_us = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  while (number (catalog, "a") < wanted)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, give_up_at_us);
      g_usleep (1000);
    }
}

static void
killing_a_process_amid_commits_leaves_all_or_nothing (Place *place, gconstpointer unused)
{
  int last = 0;

  place_open (place);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GSubprocess) child = start (place, "count-for-ever");

      wait_for_number (place->catalog, last + 20);
      kill_and_wait (child);
      last = number (place->catalog, "a");
      g_assert_cmpint (number (place->catalog, "b"), ==, last);
      g_assert_cmpuint (n_appended (place->catalog), ==, (guint)last);
    }
  /* And the next to open it recovers what the log has. */
  place_close (place);
  place_open (place);
  g_assert_cmpint (number (place->catalog, "a"), ==, last);
  g_assert_true (put (place->catalog, "a", "0", TRUE, NULL));
}

static gboolean
is_alive (Place *place, const char *owner)
{
  gboolean alive = FALSE;

  g_assert_true (VTABLE.owner_is_alive (place->catalog, owner, &alive, NULL));
  return alive;
}

static void
an_owner_is_dead_as_soon_as_its_process_is_killed (Place *place, gconstpointer unused)
{
  g_autoptr (GSubprocess) child = start (place, "own");
  g_autoptr (GSubprocess) other = start (place, "own");
  g_autoptr (GDataInputStream) output =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (child));
  g_autoptr (GDataInputStream) other_output =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (other));
  g_autofree char *owner = g_data_input_stream_read_line (output, NULL, NULL, NULL);
  g_autofree char *other_owner = g_data_input_stream_read_line (other_output, NULL, NULL, NULL);

  place_open (place);
  g_assert_cmpstr (owner, !=, other_owner);
  g_assert_true (is_alive (place, owner));
  g_assert_true (is_alive (place, other_owner));
  kill_and_wait (child);
  g_assert_false (is_alive (place, owner));
  g_assert_true (is_alive (place, other_owner));
  kill_and_wait (other);
  g_assert_false (is_alive (place, other_owner));
}

static void
a_file_that_may_not_grow_is_full (Place *place, gconstpointer unused)
{
  g_autoptr (GSubprocess) child = start (place, "fill");
  g_autoptr (GError) error = NULL;

  g_assert_true (g_subprocess_wait_check (child, NULL, &error));
  g_assert_no_error (error);
  place_open (place);
  g_assert_true (put (place->catalog, "a", "{}", FALSE, NULL));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/catalog-sqlite/processes/" name, Place, NULL, place_set_up, func, place_tear_down)

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], "--play"))
    return play (argv[2], argv[3]);
  g_test_init (&argc, &argv, NULL);
  ADD ("processes-that-open-and-write-at-once-lose-nothing",
       processes_that_open_and_write_at_once_lose_nothing);
  ADD ("killing-a-process-amid-commits-leaves-all-or-nothing",
       killing_a_process_amid_commits_leaves_all_or_nothing);
  ADD ("an-owner-is-dead-as-soon-as-its-process-is-killed",
       an_owner_is_dead_as_soon_as_its_process_is_killed);
  ADD ("a-file-that-may-not-grow-is-full", a_file_that_may_not_grow_is_full);
  return g_test_run ();
}
