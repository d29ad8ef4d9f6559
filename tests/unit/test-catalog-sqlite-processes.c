/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-sqlite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
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
child_counts_until_killed (gpointer catalog)
{
  const pid_t parent = getppid ();

  while (getppid () == parent)
    count_on (catalog);
}

static void
child_owns_until_killed (gpointer catalog)
{
  g_autofree char *owner = NULL;
  g_autofree char *line = NULL;

  g_assert_true (VTABLE.owner_register (catalog, &owner, NULL));
  line = g_strconcat (owner, "\n", NULL);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  g_assert_cmpint (write (STDOUT_FILENO, line, strlen (line)), ==, (gssize)strlen (line));
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

static void
child_opens (gpointer catalog)
{
  g_assert_true (put (catalog, "a", "{}", FALSE, NULL));
}

static const struct
{
  const char *role;
  void (*play) (gpointer catalog);
} roles[] = {
  { "open", child_opens },
  { "count", child_counts },
  { "count-until-killed", child_counts_until_killed },
  { "own", child_owns_until_killed },
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

typedef struct
{
  GPid pid;
  int output;
} Child;

static Child
start (Place *place, const char *role)
{
  const char *const arguments[] = { "/proc/self/exe", "--play", role, place->path, NULL };
  g_autoptr (GError) error = NULL;
  Child child = { 0 };

  g_spawn_async_with_pipes (NULL, (char **)arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                            &child.pid, NULL, &child.output, NULL, &error);
  g_assert_no_error (error);
  return child;
}

static int
wait_for (Child *child)
{
  int status = 0;

  g_assert_cmpint (waitpid (child->pid, &status, 0), ==, child->pid);
  _imgimport_fd_close (child->output);
  return status;
}

static void
kill_and_wait (Child *child)
{
  int status = 0;

  g_assert_cmpint (kill (child->pid, SIGKILL), ==, 0);
  status = wait_for (child);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static char *
read_owner (Child *child)
{
  char text[32] = { 0 };

  g_assert_cmpint (read (child->output, text, sizeof text - 1), >, 1);
  return g_strdup (g_strchomp (text));
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
processes_that_make_the_file_at_once_all_succeed (Place *place, gconstpointer unused)
{
  for (guint round = 0; round < 20; round++)
    {
      Child children[2 * N_PROCESSES];

      for (guint i = 0; i < G_N_ELEMENTS (children); i++)
        children[i] = start (place, "open");
      for (guint i = 0; i < G_N_ELEMENTS (children); i++)
        g_assert_cmpint (wait_for (&children[i]), ==, 0);
      g_assert_cmpint (g_unlink (place->path), ==, 0);
    }
}

static void
processes_that_open_and_write_at_once_lose_nothing (Place *place, gconstpointer unused)
{
  Child children[N_PROCESSES];
  g_autofree char *healthy = NULL;

  /* The file is not there yet: they race to make it, too. */
  for (guint i = 0; i < N_PROCESSES; i++)
    children[i] = start (place, "count");
  for (guint i = 0; i < N_PROCESSES; i++)
    g_assert_cmpint (wait_for (&children[i]), ==, 0);
  place_open (place);
  g_assert_cmpint (number (place->catalog, "a"), ==, N_PROCESSES * N_INCREMENTS);
  g_assert_cmpint (number (place->catalog, "b"), ==, N_PROCESSES * N_INCREMENTS);
  g_assert_cmpuint (n_appended (place->catalog), ==, N_PROCESSES * N_INCREMENTS);
  healthy = ask_sql (place->path, "PRAGMA integrity_check");
  g_assert_cmpstr (healthy, ==, "ok");
}

static void
wait_for_number (gpointer catalog, const Child *child, int wanted)
{
  while (number (catalog, "a") < wanted)
    {
      g_assert_cmpint (waitpid (child->pid, NULL, WNOHANG), ==, 0);
      g_thread_yield ();
    }
}

static void
killing_a_process_amid_commits_leaves_all_or_nothing (Place *place, gconstpointer unused)
{
  int last = 0;

  place_open (place);
  for (guint i = 0; i < 5; i++)
    {
      Child child = start (place, "count-until-killed");

      wait_for_number (place->catalog, &child, last + 20);
      kill_and_wait (&child);
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
  Child child = start (place, "own");
  Child other = start (place, "own");
  g_autofree char *owner = read_owner (&child);
  g_autofree char *other_owner = read_owner (&other);

  place_open (place);
  g_assert_cmpstr (owner, !=, other_owner);
  g_assert_true (is_alive (place, owner));
  g_assert_true (is_alive (place, other_owner));
  kill_and_wait (&child);
  g_assert_false (is_alive (place, owner));
  g_assert_true (is_alive (place, other_owner));
  kill_and_wait (&other);
  g_assert_false (is_alive (place, other_owner));
}

static void
a_file_that_may_not_grow_is_full (Place *place, gconstpointer unused)
{
  Child child = start (place, "fill");

  g_assert_cmpint (wait_for (&child), ==, 0);
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
  ADD ("processes-that-make-the-file-at-once-all-succeed",
       processes_that_make_the_file_at_once_all_succeed);
  ADD ("processes-that-open-and-write-at-once-lose-nothing",
       processes_that_open_and_write_at_once_lose_nothing);
  ADD ("killing-a-process-amid-commits-leaves-all-or-nothing",
       killing_a_process_amid_commits_leaves_all_or_nothing);
  ADD ("an-owner-is-dead-as-soon-as-its-process-is-killed",
       an_owner_is_dead_as_soon_as_its_process_is_killed);
  ADD ("a-file-that-may-not-grow-is-full", a_file_that_may_not_grow_is_full);
  return g_test_run ();
}
