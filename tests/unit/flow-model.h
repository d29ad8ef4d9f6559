/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow-recorder.h"

/*
 * What a flow may do, judged by what was called, in order, and by what the journal held before.
 * Knows nothing of the engine: tasks are numbers, and those that a task comes after have lower
 * ones.
 */
#define MAX_TASKS 200
#define ATTEMPTS 3 /* of a task that is retried */
#define MIRRORS 3  /* of a task that has alternatives */
#define REVERTS 2  /* how often a revert is tried */

typedef struct
{
  guint32 task;
  char what; /* 'b' begins, '+' executed, '!' failed, 'c' stopped, '-' reverted, '~' not reverted */
  guint attempt;
  guint mirror;
} Call;

typedef struct
{
  guint n_tasks;
  guint pivot; /* MAX_TASKS: none */
  gboolean has_deadline;
  gboolean fails[MAX_TASKS];
  gboolean optional[MAX_TASKS];
  gboolean unwanted[MAX_TASKS];          /* its condition says no */
  gboolean is_async[MAX_TASKS];          /* answers without a thread */
  guint n_busy[MAX_TASKS];               /* so many attempts fail, and may be made again */
  guint n_bad[MAX_TASKS];                /* so many of its alternatives fail; 0: it has none */
  gboolean linked[MAX_TASKS][MAX_TASKS]; /* [before][after], with what follows from it */
} Plan;

typedef struct
{
  guint attempts[MAX_TASKS];
  gboolean running[MAX_TASKS];
  gboolean done[MAX_TASKS];
  gboolean failed[MAX_TASKS]; /* for good */
  guint n_reverts[MAX_TASKS];
  guint n_tries[MAX_TASKS]; /* reverts that failed, in this process */
  gboolean revert_failed[MAX_TASKS];
  guint n_running;
  guint n_revert_failed;
  gboolean any_failed;
  gboolean is_reverting;
  gboolean is_cancelled;
} Model;

static inline gboolean
has_passed (const Plan *p, const Model *m)
{
  return p->pivot != MAX_TASKS && m->done[p->pivot];
}

/* It, or what it comes after, is not to be run. */
static inline gboolean
is_skipped (const Plan *p, guint task)
{
  guint i;

  for (i = 0; i < task; i++)
    if (p->linked[i][task] && p->unwanted[i])
      return TRUE;
  return p->unwanted[task];
}

/* Whether what comes after it may begin. */
static inline gboolean
is_settled (const Plan *p, const Model *m, guint task)
{
  return m->done[task] ||
         (m->failed[task] && (p->optional[task] || (has_passed (p, m) && task > p->pivot)));
}

static inline gboolean
is_for_good (const Plan *p, const Call *made)
{
  if (p->n_bad[made->task] > 0)
    return made->mirror + 1 >= MIRRORS;
  return p->fails[made->task] || p->n_busy[made->task] == 0 || made->attempt >= ATTEMPTS;
}

/* ---- the journal ----------------------------------------------------------------------------- */

static inline guint32
number_at (const guint8 *at)
{
  return (guint32)at[0] | (guint32)at[1] << 8 | (guint32)at[2] << 16 | (guint32)at[3] << 24;
}

static inline void
take_failure (const Plan *p, Model *m)
{
  m->any_failed = TRUE;
  m->is_reverting |= !has_passed (p, m);
}

/* By the table of types in docs/flow.md. */
static inline void
take_record (const Plan *p, Model *m, const guint8 *record)
{
  gboolean has_error = number_at (record) > 0;
  guint32 task = number_at (record + 12);

  switch (record[9])
    {
    case 3:
      m->attempts[task] = number_at (record + 16);
      break;
    case 4:
      m->done[task] = TRUE;
      m->is_reverting &= task != p->pivot;
      m->is_cancelled &= task != p->pivot;
      break;
    case 5:
      m->failed[task] = TRUE;
      take_failure (p, m);
      break;
    case 6:
      m->is_cancelled = m->is_reverting = TRUE;
      break;
    case 7:
      m->n_reverts[task] = 1;
      break;
    case 8:
      m->revert_failed[task] = TRUE;
      m->n_revert_failed++;
      break;
    case 9:
      m->failed[task] = has_error;
      break;
    case 10:
      take_failure (p, m);
      break;
    default:
      break;
    }
}

static inline gsize
record_size (const guint8 *record)
{
  return (gsize)24 + number_at (record);
}

/* What a process that finds this journal knows. */
static inline Model *
model_new (const Plan *p, const GByteArray *journal)
{
  Model *m = g_new0 (Model, 1);
  gsize at;

  for (at = 0; at < journal->len; at += record_size (journal->data + at))
    take_record (p, m, journal->data + at);
  return m;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static inline void
judge_begin (const Plan *p, Model *m, const Call *made)
{
  guint i;

  g_assert_false (m->is_reverting || m->running[made->task]);
  g_assert_cmpuint (m->n_reverts[made->task], ==, 0);
  g_assert_cmpuint (made->attempt, ==, ++m->attempts[made->task]);
  g_assert_false (m->done[made->task] || m->failed[made->task]);
  g_assert_false (is_skipped (p, made->task));
  for (i = 0; i < made->task; i++)
    if (p->linked[i][made->task])
      g_assert_true (is_settled (p, m, i));
  m->running[made->task] = TRUE;
  m->n_running++;
}

static inline void
judge_outcome (const Plan *p, Model *m, const Call *made)
{
  g_assert_true (m->running[made->task]);
  m->running[made->task] = FALSE;
  m->n_running--;
  m->done[made->task] = made->what == '+';
  m->failed[made->task] = made->what == '!' && is_for_good (p, made);
  m->any_failed |= m->failed[made->task] && !p->optional[made->task];
}

/* All that began after it and because of it is undone, what ran was awaited, and the pivot was not
 * passed. */
static inline void
judge_revert (const Plan *p, Model *m, const Call *made)
{
  guint i;

  g_assert_cmpuint (m->attempts[made->task], >, 0);
  g_assert_cmpuint (m->n_reverts[made->task], ==, 0);
  g_assert_cmpuint (m->n_running, ==, 0);
  g_assert_false (has_passed (p, m) || m->revert_failed[made->task]);
  m->is_reverting = TRUE;
  for (i = made->task + 1; i < p->n_tasks; i++)
    if (p->linked[made->task][i] && m->attempts[i] > 0)
      g_assert_true (m->n_reverts[i] > 0 || m->revert_failed[i]);
  if (made->what == '-')
    m->n_reverts[made->task]++;
  else if (++m->n_tries[made->task] == REVERTS)
    {
      m->revert_failed[made->task] = TRUE;
      m->n_revert_failed++;
    }
}

static inline void
judge_calls (const Plan *p, Model *m, const GArray *calls)
{
  guint i;

  for (i = 0; i < calls->len; i++)
    {
      const Call *made = &g_array_index (calls, Call, i);

      if (made->what == 'b')
        judge_begin (p, m, made);
      else if (made->what == '-' || made->what == '~')
        judge_revert (p, m, made);
      else
        judge_outcome (p, m, made);
    }
  g_assert_cmpuint (m->n_running, ==, 0);
}

/* ---- the end --------------------------------------------------------------------------------- */

static inline void
judge_success (const Plan *p, const Model *m)
{
  guint i;

  g_assert_true (!m->is_cancelled || has_passed (p, m));
  g_assert_false (m->is_reverting);
  for (i = 0; i < p->n_tasks; i++)
    {
      g_assert_true (is_settled (p, m, i) || (is_skipped (p, i) && m->attempts[i] == 0));
      g_assert_cmpuint (m->n_reverts[i], ==, 0);
    }
}

/* A run that went to its end: not one that is suspended or interrupted. */
static inline void
judge_end (const Plan *p, const Model *m, ImgImportRunState state)
{
  guint i;

  if (state == IMGIMPORT_RUN_SUCCESS)
    {
      judge_success (p, m);
      return;
    }
  g_assert_false (has_passed (p, m));
  g_assert_true (m->is_cancelled || m->any_failed || p->has_deadline);
  g_assert_cmpint (state, ==,
                   m->n_revert_failed > 0 ? IMGIMPORT_RUN_PARTIALLY_REVERTED
                   : m->is_cancelled      ? IMGIMPORT_RUN_CANCELLED
                                          : IMGIMPORT_RUN_REVERTED);
  for (i = 0; i < p->n_tasks; i++)
    g_assert_cmpuint (m->n_reverts[i] + (m->revert_failed[i] ? 1 : 0), ==,
                      m->attempts[i] > 0 ? 1 : 0);
}

/* Any thread. The processor is given away seldom: where others want it, that takes long. */
static inline void
hesitate (gint *noise)
{
  guint64 random = _imgimport_mix ((guint64)g_atomic_int_add (noise, 1));

  if (random % 128 == 1)
    g_thread_yield ();
  for (random = random % 4 == 0 ? (random >> 8) % 512 : 0; random > 0; random--)
    _imgimport_pause ();
}
