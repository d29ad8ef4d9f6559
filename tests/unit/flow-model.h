/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow-recorder.h"

/*
 * What a flow may do, judged by what was called, in order. Knows nothing of the engine: tasks are
 * numbers, and those that a task comes after have lower ones.
 */
#define MAX_TASKS 200
#define ATTEMPTS 3 /* of a task that is retried */

typedef struct
{
  guint32 task;
  char what; /* '+' executed, '!' failed, 'c' stopped by a cancellation, '-' reverted */
  guint attempt;
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
  guint pivot;           /* MAX_TASKS: none */
  guint cancel_at;       /* a task cancels its run */
  guint cancel_after;    /* so many calls; MAX_TASKS: nobody does from outside */
  gboolean is_cancelled; /* somebody did */
  gboolean fails[MAX_TASKS];
  gboolean optional[MAX_TASKS];
  gboolean unwanted[MAX_TASKS];          /* its condition says no */
  guint n_busy[MAX_TASKS];               /* so many attempts fail, and may be made again */
  gboolean linked[MAX_TASKS][MAX_TASKS]; /* [before][after], with what follows from it */
} World;

/* ---- the model ------------------------------------------------------------------------------- */

typedef struct
{
  guint attempts[MAX_TASKS];
  gboolean done[MAX_TASKS];
  gboolean failed[MAX_TASKS]; /* for good */
  guint n_reverts[MAX_TASKS];
  gboolean any_failed;
} Model;

static inline gboolean
has_passed (const World *w, const Model *m)
{
  return w->pivot != MAX_TASKS && m->done[w->pivot];
}

/* It, or what it comes after, is not to be run. */
static inline gboolean
is_skipped (const World *w, guint task)
{
  guint i;

  for (i = 0; i < task; i++)
    if (w->linked[i][task] && w->unwanted[i])
      return TRUE;
  return w->unwanted[task];
}

/* Whether what comes after it may begin. */
static inline gboolean
is_settled (const World *w, const Model *m, guint task)
{
  return m->done[task] ||
         (m->failed[task] && (w->optional[task] || (has_passed (w, m) && task > w->pivot)));
}

static inline void
judge_execution (const World *w, Model *m, const Call *made)
{
  guint i;

  g_assert_cmpuint (m->n_reverts[made->task], ==, 0);
  g_assert_cmpuint (made->attempt, ==, ++m->attempts[made->task]);
  g_assert_false (m->done[made->task] || m->failed[made->task]);
  g_assert_false (is_skipped (w, made->task));
  for (i = 0; i < made->task; i++)
    if (w->linked[i][made->task])
      g_assert_true (is_settled (w, m, i));
  m->done[made->task] = made->what == '+';
  m->failed[made->task] =
      made->what == '!' &&
      (w->fails[made->task] || w->n_busy[made->task] == 0 || made->attempt >= ATTEMPTS);
  m->any_failed |= m->failed[made->task] && !w->optional[made->task];
}

/* All that began after it and because of it is undone, and the pivot was not passed. */
static inline void
judge_revert (const World *w, Model *m, const Call *made)
{
  guint i;

  g_assert_cmpuint (m->attempts[made->task], >, 0);
  g_assert_false (has_passed (w, m));
  m->n_reverts[made->task]++;
  for (i = made->task + 1; i < w->n_tasks; i++)
    if (w->linked[made->task][i] && m->attempts[i] > 0)
      g_assert_cmpuint (m->n_reverts[i], >, 0);
}

static inline void
judge_end (const World *w, const Model *m)
{
  ImgImportRunState state = imgimport_run_get_state (w->run);
  guint i;

  if (state == IMGIMPORT_RUN_SUCCESS)
    {
      g_assert_true (!w->is_cancelled || has_passed (w, m));
      for (i = 0; i < w->n_tasks; i++)
        {
          g_assert_true (is_settled (w, m, i) || (is_skipped (w, i) && m->attempts[i] == 0));
          g_assert_cmpuint (m->n_reverts[i], ==, 0);
        }
      return;
    }
  g_assert_true (state == IMGIMPORT_RUN_REVERTED || state == IMGIMPORT_RUN_CANCELLED);
  g_assert_false (has_passed (w, m));
  g_assert_true (state == IMGIMPORT_RUN_CANCELLED || (m->any_failed && !w->is_cancelled));
  for (i = 0; i < w->n_tasks; i++)
    g_assert_cmpuint (m->n_reverts[i], ==, m->attempts[i] > 0 ? 1 : 0);
}

static inline void
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
