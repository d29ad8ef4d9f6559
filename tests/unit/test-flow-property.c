/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-model.h"

/*
 * Random graphs of tasks that fail, are retried, are optional or not to be run, with cancellations
 * from within and from outside and ends of the process, judged by a model that knows nothing of the
 * engine: it only reads the list of what was called, in order.
 */
#define N_GRAPHS 300

typedef struct
{
  World *world;
  guint32 index;
} Task;

static void
call (Task *self, char what, guint attempt)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->world->lock);
  Call made = { self->index, what, attempt };

  g_array_append_val (self->world->calls, made);
}

static gboolean
task_execute (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Task *self = data;

  guint attempt = imgimport_task_get_attempt (task);

  if (self->index == self->world->cancel_at)
    imgimport_run_cancel (self->world->run);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      call (self, 'c', attempt);
      return FALSE;
    }
  if (self->world->fails[self->index] || attempt <= self->world->n_busy[self->index])
    {
      call (self, '!', attempt);
      imgimport_error_set (
          error, self->world->fails[self->index] ? IMGIMPORT_ERROR_FAILED : IMGIMPORT_ERROR_BUSY,
          "scripted", "failed");
      return FALSE;
    }
  call (self, '+', attempt);
  return TRUE;
}

static gboolean
task_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  call (data, '-', 0);
  return TRUE;
}

static gboolean
is_wanted (ImgImportTask *task, gpointer data)
{
  Task *self = data;

  return !self->world->unwanted[self->index];
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

static gboolean
chance (World *w, guint one_in)
{
  return pick (w, one_in) == 0;
}

static void
add_options (World *w, Task *task, const char *name)
{
  guint i = task->index;

  w->optional[i] = w->pivot != i && chance (w, 4);
  w->unwanted[i] = chance (w, 4 * w->n_tasks);
  w->n_busy[i] = chance (w, 8) ? 1 + pick (w, chance (w, w->n_tasks) ? ATTEMPTS : ATTEMPTS - 1) : 0;
  if (w->optional[i])
    {
      w->fails[i] = chance (w, 4);
      g_assert_true (imgimport_flow_set_optional (w->flow, name, TRUE, NULL));
    }
  if (w->n_busy[i] > 0)
    g_assert_true (imgimport_flow_set_retry (w->flow, name, ATTEMPTS, 0, 0, NULL));
  g_assert_true (imgimport_flow_set_condition (w->flow, name, is_wanted, task, NULL, NULL));
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
  w->cancel_at = chance (w, 5) ? pick (w, w->n_tasks) : MAX_TASKS;
  w->cancel_after = chance (w, 5) ? pick (w, w->n_tasks) : MAX_TASKS;
  for (i = 0; i < w->n_tasks; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);
      Task *task = g_new0 (Task, 1);

      task->world = w;
      task->index = i;
      w->fails[i] = pick (w, 3 * w->n_tasks) == 0;
      g_assert_true (imgimport_flow_add_task (w->flow, name, &task_vtable, task, g_free, NULL));
      add_options (w, task, name);
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

/* ---- the runs -------------------------------------------------------------------------------- */

static guint
count_calls (World *w)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  return w->calls->len;
}

/* Between two tasks, or at whatever moment. */
static void
cancel_from_outside (World *w, ImgImportEngine *engine)
{
  while (count_calls (w) < w->cancel_after && !imgimport_run_wait (w->run, 0))
    if (!imgimport_engine_iterate (engine))
      g_thread_yield ();
  w->is_cancelled = imgimport_run_cancel (w->run);
}

static void
run_once (World *w, guint threads)
{
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (threads);
  g_autoptr (GError) error = NULL;

  g_clear_object (&w->run);
  w->run = imgimport_run_new (w->flow, "run", NULL, w->journal, &error);
  g_assert_no_error (error);
  g_array_set_size (w->calls, 0);
  w->is_cancelled = FALSE;
  g_assert_true (imgimport_run_start (w->run, engine, NULL));
  if (w->cancel_after < MAX_TASKS)
    cancel_from_outside (w, engine);
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

      m->attempts[i] = slot->attempt;
      m->done[i] = slot->state == IMGIMPORT_TASK_SUCCESS;
      m->failed[i] = slot->state == IMGIMPORT_TASK_FAILURE ||
                     (slot->state == IMGIMPORT_TASK_SKIPPED && slot->attempt > 0);
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
