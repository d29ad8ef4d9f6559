/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-flow.h"

#include <glib/gstdio.h>
#include <malloc.h>

/* What a compilation, a task's memory, a resumption and durability cost. */

void
bench_compile (guint n)
{
  gint64 best_us = G_MAXINT64;
  guint i;

  for (i = 0; i < 5; i++)
    {
      g_autoptr (ImgImportFlow) flow = bench_build ("layered", n);
      gint64 began_us = g_get_monotonic_time ();
      gboolean ok = imgimport_flow_compile (flow, NULL);

      best_us = MIN (best_us, g_get_monotonic_time () - began_us);
      g_assert_true (ok);
    }
  g_print ("compile %u layered: %.2f ms\n", n, (double)best_us / 1000.0);
}

void
bench_memory (guint n)
{
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (0);
  struct mallinfo2 before = mallinfo2 ();
  g_autoptr (ImgImportFlow) flow = bench_build ("linear", n);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "bench", NULL, NULL, NULL);
  struct mallinfo2 after;
  gboolean ok = imgimport_run_start (run, engine, NULL) && imgimport_run_wait (run, -1);

  after = mallinfo2 ();
  g_assert_true (ok);
  g_print ("memory: %.0f bytes a task, definition, run, value and statistics\n",
           (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / n);
}

static void
remove_directory (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      g_unlink (file);
    }
  g_rmdir (path);
}

static void
run_on (ImgImportJournal *journal, ImgImportFlow *flow, const char *id)
{
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (0);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, id, NULL, journal, NULL);
  gboolean ok =
      run != NULL && imgimport_run_start (run, engine, NULL) && imgimport_run_wait (run, -1);

  g_assert_true (ok);
}

void
bench_resume (guint n)
{
  g_autofree char *directory = g_dir_make_tmp ("imgimport-bench-XXXXXX", NULL);
  g_autoptr (ImgImportJournal) journal = imgimport_journal_new_directory (directory, NULL);
  g_autoptr (ImgImportFlow) flow = bench_build ("linear", n);
  gint64 best_us = G_MAXINT64;
  guint i;

  run_on (journal, flow, "resumed");
  g_clear_object (&journal);
  for (i = 0; i < 5; i++)
    {
      gint64 began_us = g_get_monotonic_time ();

      journal = imgimport_journal_new_directory (directory, NULL);
      run_on (journal, flow, "resumed");
      best_us = MIN (best_us, g_get_monotonic_time () - began_us);
      g_clear_object (&journal);
    }
  g_print ("resume of a journal of %u tasks in files: %.2f ms\n", n, (double)best_us / 1000.0);
  remove_directory (directory);
}

#define N_RUNS 16
#define N_TASKS 20

typedef struct
{
  ImgImportJournal *journal;
  ImgImportFlow *flow;
  char id[16];
} Runner;

static gpointer
run_durably (gpointer data)
{
  Runner *self = data;

  run_on (self->journal, self->flow, self->id);
  return NULL;
}

/* A pivot at the end: the first intent, the pivot. */
static void
measure_durable (const char *directory, guint n_runs)
{
  g_autoptr (ImgImportFlow) flow = bench_build ("linear", N_TASKS);
  gpointer files = _imgimport_journal_file_new (directory, NULL);
  g_autoptr (ImgImportJournal) journal = imgimport_journal_new (
      &_imgimport_journal_file_vtable, files, _imgimport_journal_file_free, NULL);
  Runner runners[N_RUNS];
  GThread *threads[N_RUNS];
  gint64 began_us;
  guint64 n_syncs;
  guint i;

  imgimport_flow_set_pivot (flow, "t19", NULL);
  imgimport_flow_compile (flow, NULL);
  began_us = g_get_monotonic_time ();
  for (i = 0; i < n_runs; i++)
    {
      runners[i].journal = journal;
      runners[i].flow = flow;
      g_snprintf (runners[i].id, sizeof runners[i].id, "r%u-%u", n_runs, i);
      threads[i] = g_thread_new ("runner", run_durably, &runners[i]);
    }
  for (i = 0; i < n_runs; i++)
    g_thread_join (threads[i]);
  n_syncs = _imgimport_journal_file_count_syncs (files);
  g_print ("durable, %2u runs of %d tasks at a time: %.3f syncs a task, %.0f tasks/s\n", n_runs,
           N_TASKS, (double)n_syncs / (n_runs * N_TASKS),
           n_runs * N_TASKS * 1e6 / (double)(g_get_monotonic_time () - began_us));
}

void
bench_durable (void)
{
  g_autofree char *directory = g_dir_make_tmp ("imgimport-bench-XXXXXX", NULL);

  measure_durable (directory, 1);
  measure_durable (directory, N_RUNS);
  remove_directory (directory);
}
