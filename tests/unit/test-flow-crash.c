/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-fixture.h"

#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A process is killed right after each record it writes; the next one goes on and ends as one would
 * have that was never killed. What the tasks did is in a file of its own: "+name" for an effect,
 * "-name" for its end.
 */
#define N_TASKS 12

typedef struct
{
  char *directory;
  char *effects;
  guint failing;      /* N_TASKS: none */
  guint n_until_kill; /* records; 0: never */
  ImgImportJournal *file;
} Child;

typedef struct
{
  Child *child;
  guint index;
} Task;

static void
leave_effect (Child *self, char what, guint index)
{
  g_autofree char *line = g_strdup_printf ("%c%02u\n", what, index);
  int fd = open (self->effects, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, line, 4), ==, 4);
  close (fd);
}

static gboolean
task_execute (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Task *self = data;
  g_autofree char *name = g_strdup_printf ("v%u", self->index);

  leave_effect (self->child, '+', self->index);
  imgimport_task_set_output (task, name, g_variant_new_uint32 (self->index));
  if (self->index == self->child->failing)
    imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted", "failed");
  return self->index != self->child->failing;
}

static gboolean
task_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  leave_effect (((Task *)data)->child, '-', ((Task *)data)->index);
  return TRUE;
}

static const ImgImportTaskVTable task_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                 .execute = task_execute, .revert = task_revert };

/* Layers of three, each task fed by all of the layer before. */
static ImgImportFlow *
twelve_tasks (Child *child)
{
  ImgImportFlow *flow = imgimport_flow_new ("twelve");
  guint i;

  for (i = 0; i < N_TASKS; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);
      g_autofree char *output = g_strdup_printf ("v%u", i);
      Task *task = g_new0 (Task, 1);
      guint j;

      task->child = child;
      task->index = i;
      g_assert_true (imgimport_flow_add_task (flow, name, &task_vtable, task, g_free, NULL));
      g_assert_true (imgimport_flow_add_output (flow, name, output, NULL));
      for (j = 0; i >= 3 && j < 3; j++)
        {
          g_autofree char *input = g_strdup_printf ("v%u", i / 3 * 3 - 3 + j);

          g_assert_true (imgimport_flow_add_input (flow, name, input, NULL));
        }
    }
  return flow;
}

/* ---- the child ------------------------------------------------------------------------------- */

/* Each record is an append of its own, so that the process can end behind each. */
static gboolean
append_one_by_one (gpointer data, const char *run, const void *records, gsize length,
                   gboolean durable, GError **error)
{
  Child *self = data;
  const guint8 *at = records;

  while (length > 0)
    {
      gsize size = _imgimport_flow_record_fit (at, length, 1);

      if (!_imgimport_journal_append (self->file, run, at, size, durable && size == length, error))
        return FALSE;
      if (self->n_until_kill > 0 && --self->n_until_kill == 0)
        kill (getpid (), SIGKILL);
      at += size;
      length -= size;
    }
  return TRUE;
}

static gboolean
load (gpointer data, const char *run, ImgImportJournalFunc func, gpointer func_data, GError **error)
{
  return _imgimport_journal_load (((Child *)data)->file, run, func, func_data, error);
}

static gboolean
forget (gpointer data, const char *run, GError **error)
{
  return _imgimport_journal_forget (((Child *)data)->file, run, error);
}

static gboolean
claim (gpointer data, const char *run, GError **error)
{
  return _imgimport_journal_claim (((Child *)data)->file, run, error);
}

static void
release (gpointer data, const char *run)
{
  _imgimport_journal_release (((Child *)data)->file, run);
}

static const ImgImportJournalVTable child_vtable = {
  IMGIMPORT_JOURNAL_VTABLE_INIT,
  .append = append_one_by_one,
  .load = load,
  .forget = forget,
  .claim = claim,
  .release = release,
};

static int
child_main (Child *self)
{
  g_autoptr (ImgImportFlow) flow = twelve_tasks (self);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (0);
  g_autoptr (ImgImportJournal) journal = NULL;
  g_autoptr (ImgImportRun) run = NULL;
  g_autoptr (GError) error = NULL;

  self->file = imgimport_journal_new_directory (self->directory, &error);
  g_assert_no_error (error);
  journal = imgimport_journal_new (&child_vtable, self, NULL, NULL);
  run = imgimport_run_new (flow, "run", NULL, journal, &error);
  g_assert_no_error (error);
  g_assert_true (imgimport_run_start (run, engine, NULL));
  g_assert_true (imgimport_run_wait (run, -1));
  return (int)imgimport_run_get_state (run);
}

/* ---- the parent ------------------------------------------------------------------------------ */

/* Returns the end state, -1 where the child was killed. */
static int
run_child (Child *self, guint n_until_kill)
{
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      self->n_until_kill = n_until_kill;
      _exit (child_main (self));
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (WIFSIGNALED (status))
    g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

/* Which effects are there; and that nothing was undone that is not there. */
static guint
count_effects (Child *self)
{
  g_autofree char *text = NULL;
  gboolean present[N_TASKS] = { FALSE };
  guint n = 0;
  const char *line;
  guint i;

  g_assert_true (g_file_get_contents (self->effects, &text, NULL, NULL));
  for (line = text; *line != '\0'; line += 4)
    {
      guint index = (guint)g_ascii_strtoull (line + 1, NULL, 10);

      g_assert_cmpuint (index, <, N_TASKS);
      present[index] = *line == '+';
    }
  for (i = 0; i < N_TASKS; i++)
    n += present[i] ? 1 : 0;
  return n;
}

static void
remove_all (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_rmdir (directory);
}

/* Returns whether the child was killed: it was not where it wrote fewer records. */
static gboolean
kill_and_resume (guint failing, guint n_until_kill, ImgImportRunState expected)
{
  g_autofree char *top = g_dir_make_tmp ("imgimport-crash-XXXXXX", NULL);
  g_autofree char *directory = g_build_filename (top, "journal", NULL);
  g_autofree char *effects = g_build_filename (top, "effects", NULL);
  Child child = { .directory = directory, .effects = effects, .failing = failing };
  int first = run_child (&child, n_until_kill);

  g_assert_true (first == -1 || first == (int)expected);
  g_assert_cmpint (run_child (&child, 0), ==, expected);
  g_assert_cmpuint (count_effects (&child), ==, expected == IMGIMPORT_RUN_SUCCESS ? N_TASKS : 0);
  g_assert_cmpint (g_unlink (effects), ==, 0);
  remove_all (directory);
  remove_all (top);
  return first == -1;
}

static void
killed_forward (void)
{
  guint n = 1;

  while (kill_and_resume (N_TASKS, n, IMGIMPORT_RUN_SUCCESS))
    n++;
  /* The head, and intent and outcome of each task. */
  g_assert_cmpuint (n - 1, ==, 1 + 2 * N_TASKS);
}

static void
killed_backward (void)
{
  guint n = 1;

  while (kill_and_resume (7, n, IMGIMPORT_RUN_REVERTED))
    n++;
  /* Of its layer it comes first: six have succeeded, it has failed, seven are undone. */
  g_assert_cmpuint (n - 1, ==, 1 + 2 * 7 + 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/T56/killed-after-each-record-forward", killed_forward);
  g_test_add_func ("/flow/T56/killed-after-each-record-backward", killed_backward);
  return g_test_run ();
}
