/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow-model.h"

/*
 * Random graphs of tasks that fail, are retried, have alternatives, are optional or not to be run,
 * answer from another thread, fail to be undone; with a journal whose appends may fail. All of it
 * comes from one seed, but for what threads make of it: they hesitate now and then, so that orders
 * show that are seldom.
 */
typedef struct
{
  Plan plan;
  GRand *rand;
  ImgImportFlow *flow;
  ImgImportRun *run;
  ImgImportClock *clock;
  Recorder *recorder;
  ImgImportJournal *journal;
  guint n_until_append_fails; /* 0: none does */
  GQueue questions;           /* of Question, under lock; one without a task is the last */
  GThread *answerer;
  gint noise; /* atomic */
  GMutex lock;
  GCond cond;            /* there is a question */
  GCond called;          /* a slot was called */
  GArray *calls;         /* of Call, since the last start */
  guint cancel_at;       /* a task cancels its run; MAX_TASKS: none */
  gboolean is_cancelled; /* somebody did, since the last start */
  guint n_bad_reverts[MAX_TASKS];
} World;

typedef struct
{
  World *world;
  guint32 index;
} Task;

typedef struct
{
  Task *self;
  ImgImportTask *task;
  GCancellable *cancellable;
} Question;

static inline guint
pick (World *w, guint end)
{
  return (guint)g_rand_int_range (w->rand, 0, (gint32)end);
}

static inline gboolean
chance (World *w, guint one_in)
{
  return pick (w, one_in) == 0;
}

/* ---- what tasks do --------------------------------------------------------------------------- */

static inline void
call (Task *self, char what, guint attempt, guint mirror)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->world->lock);
  Call made = { self->index, what, attempt, mirror };

  g_array_append_val (self->world->calls, made);
  g_cond_signal (&self->world->called);
}

static inline void
cancel (World *w)
{
  gboolean cancelled = imgimport_run_cancel (w->run);
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  w->is_cancelled |= cancelled;
}

static inline guint
mirror_of (ImgImportTask *task)
{
  GVariant *mirror = imgimport_task_get_alternative (task);

  return mirror != NULL ? g_variant_get_uint32 (mirror) : 0;
}

static inline void
task_begin (Task *self, ImgImportTask *task)
{
  call (self, 'b', imgimport_task_get_attempt (task), mirror_of (task));
  if (self->index == self->world->cancel_at)
    cancel (self->world);
  hesitate (&self->world->noise);
}

static inline gboolean
task_end (Task *self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  const Plan *p = &self->world->plan;
  guint attempt = imgimport_task_get_attempt (task);
  guint mirror = mirror_of (task);
  gboolean fails = p->fails[self->index];

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      call (self, 'c', attempt, mirror);
      return FALSE;
    }
  if (!fails && attempt > p->n_busy[self->index] && mirror >= p->n_bad[self->index])
    {
      call (self, '+', attempt, mirror);
      return TRUE;
    }
  call (self, '!', attempt, mirror);
  imgimport_error_set (error, fails ? IMGIMPORT_ERROR_FAILED : IMGIMPORT_ERROR_BUSY, "scripted",
                       "failed");
  return FALSE;
}

static inline gboolean
task_execute (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  task_begin (data, task);
  return task_end (data, task, cancellable, error);
}

static inline void
answer (Task *self, ImgImportTask *task, GCancellable *cancellable)
{
  GError *error = NULL;

  task_end (self, task, cancellable, &error);
  imgimport_task_complete (task, error);
}

static inline Question *
await_question (World *w)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  while (w->questions.length == 0)
    g_cond_wait (&w->cond, &w->lock);
  return g_queue_pop_head (&w->questions);
}

static inline gpointer
answer_all (gpointer data)
{
  World *w = data;
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      Question *question = await_question (w);

      goes_on = question->task != NULL;
      hesitate (&w->noise);
      if (goes_on)
        answer (question->self, question->task, question->cancellable);
      g_clear_object (&question->cancellable);
      g_free (question);
    }
  return NULL;
}

static inline void
ask (World *w, Task *self, ImgImportTask *task, GCancellable *cancellable)
{
  Question *question = g_new0 (Question, 1);
  g_autoptr (ImgImportLocker) locker = NULL;

  question->self = self;
  question->task = task;
  g_set_object (&question->cancellable, cancellable);
  locker = _imgimport_locker_new (&w->lock);
  g_queue_push_tail (&w->questions, question);
  g_cond_signal (&w->cond);
}

static inline gboolean
task_start (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Task *self = data;

  task_begin (self, task);
  if (self->index % 3 == 0)
    answer (self, task, cancellable);
  else
    ask (self->world, self, task, cancellable);
  hesitate (&self->world->noise);
  return TRUE;
}

static inline gboolean
task_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Task *self = data;
  guint *n_bad = &self->world->n_bad_reverts[self->index];

  hesitate (&self->world->noise);
  call (self, *n_bad > 0 ? '~' : '-', 0, 0);
  if (*n_bad == 0)
    return TRUE;
  --*n_bad;
  imgimport_error_set (error, IMGIMPORT_ERROR_BUSY, "scripted-revert", "not reverted");
  return FALSE;
}

static inline gboolean
is_wanted (ImgImportTask *task, gpointer data)
{
  Task *self = data;

  hesitate (&self->world->noise);
  return !self->world->plan.unwanted[self->index];
}

static const ImgImportTaskVTable task_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                 .execute = task_execute, .revert = task_revert };
static const ImgImportTaskVTable async_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .revert = task_revert,
                                                  .start = task_start };

/* ---- the journal ----------------------------------------------------------------------------- */

static inline gboolean
shaky_append (gpointer data, const char *run, const void *record, gsize length, gboolean durable,
              GError **error)
{
  World *w = data;

  hesitate (&w->noise);
  if (w->n_until_append_fails > 0 && --w->n_until_append_fails == 0)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_NO_SPACE, "store-full", "no space");
      return FALSE;
    }
  return recorder_append (w->recorder, run, record, length, durable, error);
}

static inline gboolean
shaky_load (gpointer data, const char *run, ImgImportJournalFunc func, gpointer func_data,
            GError **error)
{
  return recorder_load (((World *)data)->recorder, run, func, func_data, error);
}

static inline gboolean
shaky_forget (gpointer data, const char *run, GError **error)
{
  return recorder_forget (((World *)data)->recorder, run, error);
}

static const ImgImportJournalVTable shaky_vtable = { IMGIMPORT_JOURNAL_VTABLE_INIT,
                                                     .append = shaky_append, .load = shaky_load,
                                                     .forget = shaky_forget };

/* ---- graphs ---------------------------------------------------------------------------------- */

static inline void
link_tasks (World *w, guint before, guint after)
{
  g_autofree char *a = g_strdup_printf ("t%u", before);
  g_autofree char *b = g_strdup_printf ("t%u", after);
  guint i;

  g_assert_true (imgimport_flow_link (w->flow, a, b, NULL));
  for (i = 0; i <= before; i++)
    if (i == before || w->plan.linked[i][before])
      w->plan.linked[i][after] = TRUE;
}

static inline void
add_mirrors (World *w, const char *name, guint n_bad)
{
  const guint32 mirrors[MIRRORS] = { 0, 1, 2 };

  if (n_bad > 0)
    g_assert_true (imgimport_flow_set_alternatives (
        w->flow, name,
        g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, mirrors, MIRRORS, sizeof mirrors[0]),
        NULL));
}

static inline void
add_options (World *w, Task *task, const char *name)
{
  Plan *p = &w->plan;
  guint i = task->index;

  p->optional[i] = p->pivot != i && chance (w, 4);
  p->unwanted[i] = chance (w, 4 * p->n_tasks);
  p->n_busy[i] = chance (w, 8) ? 1 + pick (w, chance (w, p->n_tasks) ? ATTEMPTS : ATTEMPTS - 1) : 0;
  if (p->n_busy[i] == 0 && !p->fails[i] && chance (w, 8))
    p->n_bad[i] = 1 + pick (w, chance (w, p->n_tasks) ? MIRRORS : MIRRORS - 1);
  w->n_bad_reverts[i] = chance (w, 8) ? 1 + pick (w, chance (w, p->n_tasks) ? 2 * REVERTS : 1) : 0;
  if (p->optional[i])
    {
      p->fails[i] = p->n_bad[i] == 0 && chance (w, 4);
      g_assert_true (imgimport_flow_set_optional (w->flow, name, TRUE, NULL));
    }
  add_mirrors (w, name, p->n_bad[i]);
  if (p->n_busy[i] > 0)
    g_assert_true (imgimport_flow_set_retry (w->flow, name, ATTEMPTS, pick (w, 2), 1, NULL));
  g_assert_true (imgimport_flow_set_revert_retry (w->flow, name, REVERTS, pick (w, 2), 1, NULL));
  g_assert_true (imgimport_flow_set_condition (w->flow, name, is_wanted, task, NULL, NULL));
}

/* Links go from lower to higher numbers. Around a pivot all come before it or after it. */
static inline void
add_links (World *w, guint i, guint density)
{
  const Plan *p = &w->plan;
  guint j;

  for (j = 0; i > 0 && j < density; j++)
    link_tasks (w, pick (w, i), i);
  if (p->pivot < i && !p->linked[p->pivot][i])
    link_tasks (w, p->pivot, i);
  for (j = 0; p->pivot == i && j < i; j++)
    if (!p->linked[j][i])
      link_tasks (w, j, i);
}

static inline void
make_graph (World *w, guint max_tasks)
{
  Plan *p = &w->plan;
  guint density = pick (w, 4);
  guint i;

  p->n_tasks = 1 + pick (w, max_tasks);
  p->pivot = chance (w, 2) ? pick (w, p->n_tasks) : MAX_TASKS;
  p->has_deadline = chance (w, 8);
  w->cancel_at = chance (w, 5) ? pick (w, p->n_tasks) : MAX_TASKS;
  for (i = 0; i < p->n_tasks; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);
      Task *task = g_new0 (Task, 1);

      task->world = w;
      task->index = i;
      p->fails[i] = pick (w, 3 * p->n_tasks) == 0;
      p->is_async[i] = chance (w, 4);
      g_assert_true (imgimport_flow_add_task (
          w->flow, name, p->is_async[i] ? &async_vtable : &task_vtable, task, g_free, NULL));
      add_options (w, task, name);
      add_links (w, i, density);
      if (p->pivot == i)
        g_assert_true (imgimport_flow_set_pivot (w->flow, name, NULL));
    }
  if (p->has_deadline)
    g_assert_true (imgimport_flow_set_deadline (w->flow, 2, NULL));
}

static inline World *
world_new (guint32 seed, guint max_tasks)
{
  World *w = g_new0 (World, 1);

  w->rand = g_rand_new_with_seed (seed);
  w->noise = (gint)(seed % 1000000 * 1000);
  w->flow = imgimport_flow_new ("random");
  w->clock = _imgimport_clock_new_fake (0);
  w->recorder = recorder_new ();
  w->journal = imgimport_journal_new (&shaky_vtable, w, NULL, NULL);
  g_mutex_init (&w->lock);
  g_cond_init (&w->cond);
  g_cond_init (&w->called);
  w->answerer = _imgimport_thread_new ("answerer", answer_all, w, NULL);
  w->calls = g_array_new (FALSE, FALSE, sizeof (Call));
  make_graph (w, max_tasks);
  return w;
}

static inline void
world_free (World *w)
{
  ask (w, NULL, NULL, NULL);
  g_thread_join (w->answerer);
  if (w->run != NULL)
    imgimport_run_get_state (w->run);
  g_clear_object (&w->run);
  g_object_unref (w->flow);
  g_object_unref (w->journal);
  g_cond_clear (&w->cond);
  g_cond_clear (&w->called);
  g_mutex_clear (&w->lock);
  recorder_free (w->recorder);
  _imgimport_clock_unref (w->clock);
  g_array_unref (w->calls);
  g_rand_free (w->rand);
  g_free (w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)
