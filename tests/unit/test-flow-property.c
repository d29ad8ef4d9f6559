/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-recorder.h"

/*
 * Random graphs with random failures, cancellations and ends of the process, judged by a model that
 * knows nothing of the engine: it only reads the list of what was called, in order.
 */
#define MAX_TASKS 200
#define N_GRAPHS 300

typedef struct
{
  guint32 task;
  char what; /* '+' executed, '!' failed, '-' reverted */
} Call;

typedef struct
{
  GRand *rand;
  ImgImportFlow *flow;
  ImgImportRun *run;
  Recorder *recorder;
  ImgImportJournal *journal;
  GMutex lock;
  GArray *calls; /* of Call, since the last start */
  guint n_tasks;
  guint pivot; /* MAX_TASKS: none */
  guint cancel_at;
  gboolean fails[MAX_TASKS];
  gboolean linked[MAX_TASKS][MAX_TASKS]; /* [before][after], with what follows from it */
} World;

typedef struct
{
  World *world;
  guint32 index;
} Task;

static void
call (Task *self, char what)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->world->lock);
  Call made = { self->index, what };

  g_array_append_val (self->world->calls, made);
}

static gboolean
task_execute (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Task *self = data;

  if (self->index == self->world->cancel_at)
    imgimport_run_cancel (self->world->run);
  if (g_cancellable_set_error_if_cancelled (cancellable, error) || self->world->fails[self->index])
    {
      call (self, '!');
      if (error == NULL || *error == NULL)
        imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted", "failed");
      return FALSE;
    }
  call (self, '+');
  return TRUE;
}

static gboolean
task_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  call (data, '-');
  return TRUE;
}

static const ImgImportTaskVTable task_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                 .execute = task_execute, .revert = task_revert };

static guint
pick (World *w, guint end)
{
  return (guint)g_rand_int_range (w->rand, 0, (gint32)end);
}

static void
link_tasks (World *w, guint before, guint after)
{
  g_autofree char *a = g_strdup_printf ("t%u", before);
  g_autofree char *b = g_strdup_printf ("t%u", after);
  guint i;

  g_assert_true (imgimport_flow_link (w->flow, a, b, NULL));
  for (i = 0; i <= before; i++)
    if (i == before || w->linked[i][before])
      w->linked[i][after] = TRUE;
}

/* Links go from lower to higher numbers. Around a pivot all come before it or after it. */
static void
make_graph (World *w)
{
  guint density = pick (w, 4);
  guint i;
  guint j;

  w->n_tasks = 1 + pick (w, MAX_TASKS);
  w->pivot = pick (w, 2) == 0 ? pick (w, w->n_tasks) : MAX_TASKS;
  w->cancel_at = pick (w, 3) == 0 ? pick (w, w->n_tasks) : MAX_TASKS;
  for (i = 0; i < w->n_tasks; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);
      Task *task = g_new0 (Task, 1);

      task->world = w;
      task->index = i;
      w->fails[i] = pick (w, 3 * w->n_tasks) == 0;
      g_assert_true (imgimport_flow_add_task (w->flow, name, &task_vtable, task, g_free, NULL));
      for (j = 0; i > 0 && j < density; j++)
        link_tasks (w, pick (w, i), i);
      if (w->pivot < i && !w->linked[w->pivot][i])
        link_tasks (w, w->pivot, i);
      for (j = 0; w->pivot == i && j < i; j++)
        if (!w->linked[j][i])
          link_tasks (w, j, i);
      if (w->pivot == i)
        g_assert_true (imgimport_flow_set_pivot (w->flow, name, NULL));
    }
}

static World *
world_new (guint32 seed)
{
  World *w = g_new0 (World, 1);

  w->rand = g_rand_new_with_seed (seed);
  w->flow = imgimport_flow_new ("random");
  w->recorder = recorder_new ();
  w->journal = imgimport_journal_new (&recorder_vtable, w->recorder, NULL, NULL);
  w->calls = g_array_new (FALSE, FALSE, sizeof (Call));
  make_graph (w);
  return w;
}

static void
world_free (World *w)
{
  if (w->run != NULL)
    imgimport_run_get_state (w->run);
  g_clear_object (&w->run);
  g_object_unref (w->flow);
  g_object_unref (w->journal);
  recorder_free (w->recorder);
  g_array_unref (w->calls);
  g_rand_free (w->rand);
  g_free (w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

/* ---- the model ------------------------------------------------------------------------------- */

typedef struct
{
  gboolean begun[MAX_TASKS];
  gboolean done[MAX_TASKS];
  guint n_reverts[MAX_TASKS];
  gboolean any_failed;
} Model;

static void
judge_execution (const World *w, Model *m, const Call *made)
{
  guint i;

  g_assert_cmpuint (m->n_reverts[made->task], ==, 0);
  for (i = 0; i < made->task; i++)
    if (w->linked[i][made->task])
      g_assert_true (m->done[i] || (w->pivot < i && m->done[w->pivot] && m->begun[i]));
  m->begun[made->task] = TRUE;
  m->done[made->task] = made->what == '+';
  m->any_failed |= made->what == '!';
}

/* All that began after it and because of it is undone, and the pivot was not passed. */
static void
judge_revert (const World *w, Model *m, const Call *made)
{
  guint i;

  g_assert_true (m->begun[made->task]);
  g_assert_true (w->pivot == MAX_TASKS || !m->done[w->pivot]);
  m->n_reverts[made->task]++;
  for (i = made->task + 1; i < w->n_tasks; i++)
    if (w->linked[made->task][i] && m->begun[i])
      g_assert_cmpuint (m->n_reverts[i], >, 0);
}

static void
judge_end (const World *w, const Model *m)
{
  ImgImportRunState state = imgimport_run_get_state (w->run);
  gboolean passed = w->pivot != MAX_TASKS && m->done[w->pivot];
  guint i;

  if (state == IMGIMPORT_RUN_SUCCESS)
    {
      for (i = 0; i < w->n_tasks; i++)
        {
          g_assert_true (m->done[i] || (passed && i > w->pivot && m->begun[i]));
          g_assert_cmpuint (m->n_reverts[i], ==, 0);
        }
      return;
    }
  g_assert_true (state == IMGIMPORT_RUN_REVERTED || state == IMGIMPORT_RUN_CANCELLED);
  g_assert_false (passed);
  if (state == IMGIMPORT_RUN_REVERTED)
    g_assert_true (m->any_failed);
  for (i = 0; i < w->n_tasks; i++)
    g_assert_cmpuint (m->n_reverts[i], ==, m->begun[i] ? 1 : 0);
}

static void
judge_calls (const World *w, Model *m)
{
  guint i;

  for (i = 0; i < w->calls->len; i++)
    {
      const Call *made = &g_array_index (w->calls, Call, i);

      if (made->what == '-')
        judge_revert (w, m, made);
      else
        judge_execution (w, m, made);
    }
}

/* ---- the runs -------------------------------------------------------------------------------- */

static void
run_once (World *w, guint threads)
{
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (threads);
  g_autoptr (GError) error = NULL;

  g_clear_object (&w->run);
  w->run = imgimport_run_new (w->flow, "run", NULL, w->journal, &error);
  g_assert_no_error (error);
  g_array_set_size (w->calls, 0);
  g_assert_true (imgimport_run_start (w->run, engine, NULL));
  g_assert_true (imgimport_run_wait (w->run, -1));
}

static void
random_graphs_end_well (gconstpointer threads)
{
  guint32 seed;

  for (seed = 1; seed <= N_GRAPHS; seed++)
    {
      g_autoptr (World) w = world_new (seed);
      g_autofree Model *m = g_new0 (Model, 1);

      run_once (w, GPOINTER_TO_UINT (threads));
      judge_calls (w, m);
      judge_end (w, m);
    }
}

/* The journal is what a process that ended at some moment left: a later one knows only that. What
 * the first one had called after that moment may be called again, and must be undone. */
static void
cut_journal (World *w)
{
  g_autoptr (GByteArray) all = recorder_join (w->recorder);
  gsize at = 0;
  guint n = pick (w, 3 * w->n_tasks + 2);

  while (n-- > 0 && at < all->len)
    at += _imgimport_flow_record_fit (all->data + at, all->len - at, 1);
  recorder_set (w->recorder, all->data, at);
}

/* What the journal says was done: the memory of the model. */
static void
read_journal (World *w, Model *m)
{
  g_autoptr (ImgImportRun) run = imgimport_run_new (w->flow, "run", NULL, w->journal, NULL);
  guint i;

  g_assert_nonnull (run);
  m->any_failed = run->errors->len > 0;
  for (i = 0; i < w->n_tasks; i++)
    {
      const ImgImportSlot *slot = &run->slots[i];

      m->begun[i] = slot->attempt > 0;
      m->done[i] = slot->state == IMGIMPORT_TASK_SUCCESS;
      m->n_reverts[i] = slot->state == IMGIMPORT_TASK_REVERTED ? 1 : 0;
    }
}

static void
random_graphs_end_well_after_crashes (gconstpointer threads)
{
  guint32 seed;

  for (seed = 1; seed <= N_GRAPHS; seed++)
    {
      g_autoptr (World) w = world_new (seed);
      guint n_crashes;

      run_once (w, GPOINTER_TO_UINT (threads));
      for (n_crashes = 0; n_crashes < 3; n_crashes++)
        {
          g_autofree Model *m = g_new0 (Model, 1);

          cut_journal (w);
          read_journal (w, m);
          run_once (w, GPOINTER_TO_UINT (threads));
          judge_calls (w, m);
          judge_end (w, m);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("/flow/T21-T25/random-graphs", random_graphs_end_well);
  add_both ("/flow/T56/random-graphs-after-crashes", random_graphs_end_well_after_crashes);
  return g_test_run ();
}
