/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow-recorder.h"

/* A task "s" that is started and does not answer by itself; "s>" in the trace. */
typedef struct
{
  Fixture *f;
  ImgImportTask *task; /* of the last start */
  GCancellable *cancellable;
  gint n_inside; /* atomic: slots that are being called */
  gint n_left;   /* atomic: those that were */
  guint n_starts;
  gboolean fails_at_once; /* the first attempt, from within start */
  gboolean waits;         /* start returns when it is told to stop */
} Silent;

static inline void
enter (Silent *self)
{
  g_assert_cmpint (g_atomic_int_add (&self->n_inside, 1), ==, 0);
}

static inline void
leave (Silent *self)
{
  g_atomic_int_inc (&self->n_left);
  g_atomic_int_add (&self->n_inside, -1);
}

/* Whether so many calls of its slots have returned, but for their last step. */
static inline gboolean
has_left (Silent *self, gint n)
{
  return g_atomic_int_get (&self->n_left) >= n;
}

static inline void
fail_from_within (Silent *self, ImgImportTask *task)
{
  GError *error = NULL;

  imgimport_error_set (&error, IMGIMPORT_ERROR_BUSY, "scripted", "busy");
  imgimport_task_complete (task, error);
  expect_task (self->f, "s", IMGIMPORT_TASK_RUNNING);
}

static inline gboolean
silent_start (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Silent *self = data;

  enter (self);
  self->n_starts++;
  leave_trace (self->f, "s", '>');
  self->task = task;
  g_set_object (&self->cancellable, cancellable);
  if (self->fails_at_once && self->n_starts == 1)
    fail_from_within (self, task);
  while (self->waits && !g_cancellable_is_cancelled (cancellable))
    g_thread_yield ();
  leave (self);
  return TRUE;
}

static inline gboolean
silent_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Silent *self = data;

  enter (self);
  leave_trace (self->f, "s", '-');
  leave (self);
  return TRUE;
}

static const ImgImportTaskVTable silent_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                   .revert = silent_revert, .start = silent_start };

static inline void
silent_free (Silent *self)
{
  g_clear_object (&self->cancellable);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Silent, silent_free)

static inline Silent *
add_silent (Fixture *f)
{
  Silent *self = g_new0 (Silent, 1);

  self->f = f;
  g_assert_true (imgimport_flow_add_task (f->flow, "s", &silent_vtable, self, NULL, NULL));
  return self;
}

static inline void
iterate_all (Fixture *f)
{
  while (imgimport_engine_iterate (f->engine))
    continue;
}
