/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow/flow-private.h"

/*
 * Flows of scripted tasks that leave a trace: "a+" was executed, "a!" failed, "a-" was reverted,
 * "a~" failed to revert.
 */
typedef struct _Fixture Fixture;
typedef struct _Script Script;

struct _Script
{
  Fixture *fixture;
  const char *name;
  guint n_failures; /* how many attempts fail */
  ImgImportError code;
  gboolean revert_fails;
  gboolean holds_output; /* does not set its output */
  void (*hook) (Script *self, ImgImportTask *task, GCancellable *cancellable);
  const char *output; /* set to its name */
  const char *input;  /* seen in `got` */
  char *got;
  char *got_at_revert;
  guint last_attempt;
  gboolean saw_cancel;
  gboolean revert_saw_cancel;
  char *cause;
};

struct _Fixture
{
  guint threads;
  ImgImportClock *clock;
  ImgImportEngine *engine;
  ImgImportFlow *flow;
  ImgImportRun *run;
  ImgImportJournal *journal;
  gpointer journal_data; /* what is behind it */
  GMutex lock;
  GCond cond;
  GString *trace;
  GPtrArray *scripts;
  guint n_done;
  guint n_destroyed;
  guint n_gate; /* see gate_wait() */
};

static inline void
leave_trace (Fixture *f, const char *name, char what)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);

  g_string_append_printf (f->trace, "%s%s%c", f->trace->len > 0 ? " " : "", name, what);
}

static inline char *
dup_input (Script *self, ImgImportTask *task)
{
  GVariant *value = self->input != NULL ? imgimport_task_get_input (task, self->input) : NULL;

  return value != NULL ? g_variant_dup_string (value, NULL) : NULL;
}

static inline gboolean
script_execute (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Script *self = data;

  g_assert_cmpstr (imgimport_task_get_name (task), ==, self->name);
  g_assert_null (imgimport_task_get_cause (task));
  self->last_attempt = imgimport_task_get_attempt (task);
  g_free (self->got);
  self->got = dup_input (self, task);
  if (self->output != NULL && !self->holds_output)
    imgimport_task_set_output (task, self->output, g_variant_new_string (self->name));
  if (self->hook != NULL)
    self->hook (self, task, cancellable);
  self->saw_cancel = g_cancellable_is_cancelled (cancellable);
  if (self->saw_cancel)
    {
      leave_trace (self->fixture, self->name, '!');
      return g_cancellable_set_error_if_cancelled (cancellable, error) ? FALSE : TRUE;
    }
  if (self->n_failures > 0)
    {
      self->n_failures--;
      leave_trace (self->fixture, self->name, '!');
      imgimport_error_set (error, self->code, "scripted", self->name);
      return FALSE;
    }
  leave_trace (self->fixture, self->name, '+');
  return TRUE;
}

static inline gboolean
script_revert (gpointer data, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Script *self = data;
  const GError *cause = imgimport_task_get_cause (task);

  g_free (self->cause);
  self->cause = cause != NULL ? g_strdup (cause->message) : NULL;
  g_free (self->got_at_revert);
  self->got_at_revert = dup_input (self, task);
  self->revert_saw_cancel = g_cancellable_is_cancelled (cancellable);
  leave_trace (self->fixture, self->name, self->revert_fails ? '~' : '-');
  if (self->revert_fails)
    imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "scripted-revert", self->name);
  return !self->revert_fails;
}

static inline void
script_destroy (gpointer data)
{
  ((Script *)data)->fixture->n_destroyed++;
}

static inline void
script_free (gpointer data)
{
  Script *self = data;

  g_free (self->got);
  g_free (self->got_at_revert);
  g_free (self->cause);
  g_free (self);
}

static const ImgImportTaskVTable script_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                   .execute = script_execute,
                                                   .revert = script_revert };

static inline Fixture *
fixture_new (guint threads, gboolean linear)
{
  Fixture *f = g_new0 (Fixture, 1);

  f->threads = threads;
  f->clock = _imgimport_clock_new_fake (0);
  f->engine = _imgimport_engine_new_with_clock (threads, f->clock);
  f->flow = linear ? imgimport_flow_new_linear ("test") : imgimport_flow_new ("test");
  g_mutex_init (&f->lock);
  g_cond_init (&f->cond);
  f->trace = g_string_new (NULL);
  f->scripts = g_ptr_array_new_with_free_func (script_free);
  return f;
}

static inline void
use_real_time (Fixture *f)
{
  g_clear_object (&f->engine);
  _imgimport_clock_unref (f->clock);
  f->clock = _imgimport_clock_new_system ();
  f->engine = _imgimport_engine_new_with_clock (f->threads, f->clock);
}

/* A thread of the engine may be the one that frees the run. Its lock orders what was done here with
 * the run's values before that, which GLib's reference counts do unseen by ThreadSanitizer. */
static inline void
drop_run (Fixture *f)
{
  if (f->run != NULL)
    imgimport_run_get_state (f->run);
  g_clear_object (&f->run);
}

/* The engine goes first: it waits for its threads. */
static inline void
fixture_free (Fixture *f)
{
  guint n_scripts = f->scripts->len;

  drop_run (f);
  g_assert_finalize_object (g_steal_pointer (&f->engine));
  g_assert_finalize_object (g_steal_pointer (&f->flow));
  g_assert_cmpuint (f->n_destroyed, ==, n_scripts);
  g_clear_object (&f->journal);
  _imgimport_clock_unref (f->clock);
  g_string_free (f->trace, TRUE);
  g_ptr_array_unref (f->scripts);
  g_cond_clear (&f->cond);
  g_mutex_clear (&f->lock);
  g_free (f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)

static inline Script *
add_script (Fixture *f, const char *name)
{
  Script *script = g_new0 (Script, 1);
  g_autoptr (GError) error = NULL;

  script->fixture = f;
  script->name = name;
  script->code = IMGIMPORT_ERROR_FAILED;
  g_ptr_array_add (f->scripts, script);
  imgimport_flow_add_task (f->flow, name, &script_vtable, script, script_destroy, &error);
  g_assert_no_error (error);
  return script;
}

static inline Script *
add_output (Script *script, const char *output)
{
  g_autoptr (GError) error = NULL;

  script->output = output;
  imgimport_flow_add_output (script->fixture->flow, script->name, output, &error);
  g_assert_no_error (error);
  return script;
}

static inline Script *
add_input (Script *script, const char *input)
{
  g_autoptr (GError) error = NULL;

  script->input = input;
  imgimport_flow_add_input (script->fixture->flow, script->name, input, &error);
  g_assert_no_error (error);
  return script;
}

static inline void
add_link (Fixture *f, const char *before, const char *after)
{
  g_autoptr (GError) error = NULL;

  imgimport_flow_link (f->flow, before, after, &error);
  g_assert_no_error (error);
}

static inline void
count_done (ImgImportRun *run, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true (imgimport_run_wait (run, -1));
  f->n_done++;
}

static inline void
prepare_run (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  drop_run (f);
  f->run = imgimport_run_new (f->flow, "run", NULL, f->journal, &error);
  g_assert_no_error (error);
  f->n_done = 0;
  imgimport_run_set_done_func (f->run, count_done, f, NULL);
}

static inline void
start_run (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  prepare_run (f);
  imgimport_run_start (f->run, f->engine, &error);
  g_assert_no_error (error);
}

static inline void
expect_state (Fixture *f, ImgImportRunState state)
{
  g_assert_cmpint (imgimport_run_get_state (f->run), ==, state);
}

/* Waits for the end. */
static inline void
expect_end (Fixture *f, ImgImportRunState state)
{
  g_assert_true (imgimport_run_wait (f->run, -1));
  expect_state (f, state);
  g_assert_cmpuint (f->n_done, ==, 1);
}

static inline void
run_to (Fixture *f, ImgImportRunState state)
{
  start_run (f);
  expect_end (f, state);
}

static inline void
expect_trace (Fixture *f, const char *trace)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);

  g_assert_cmpstr (f->trace->str, ==, trace);
}

static inline guint
count_in_trace (Fixture *f, char what)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);
  guint n = 0;
  gsize i;

  for (i = 0; i < f->trace->len; i++)
    n += f->trace->str[i] == what ? 1 : 0;
  return n;
}

static inline void
expect_order (Fixture *f, const char *first, const char *second)
{
  g_autofree char *text = g_strdup_printf (" %s ", f->trace->str);
  g_autofree char *a = g_strdup_printf (" %s ", first);
  g_autofree char *b = g_strdup_printf (" %s ", second);

  g_assert_nonnull (strstr (text, a));
  g_assert_nonnull (strstr (text, b));
  g_assert_true (strstr (text, a) < strstr (text, b));
}

static inline void
expect_task (Fixture *f, const char *name, ImgImportTaskState expected)
{
  g_autoptr (GError) error = NULL;
  ImgImportTaskState state;

  g_assert_true (imgimport_run_get_task_state (f->run, name, &state, &error));
  g_assert_cmpint (state, ==, expected);
}

static inline void
expect_error (Fixture *f, guint index, const char *task, const char *reason)
{
  const char *from;
  const GError *error = imgimport_run_get_error (f->run, index, &from);

  g_assert_nonnull (error);
  g_assert_cmpstr (from, ==, task);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}

/* Waits until `n` tasks have come here: tasks that are to run at the same time. */
static inline void
gate_wait (Fixture *f, guint n)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&f->lock);

  f->n_gate++;
  g_cond_broadcast (&f->cond);
  while (f->n_gate < n)
    g_cond_wait (&f->cond, &f->lock);
}

static inline void
cancel_own_run (Script *self, ImgImportTask *task, GCancellable *cancellable)
{
  imgimport_run_cancel (self->fixture->run);
}

/* Once with an engine that the caller drives, once with two threads. */
static inline void
add_both (const char *path, GTestDataFunc func)
{
  g_autofree char *alone = g_strconcat (path, "/0-threads", NULL);
  g_autofree char *threaded = g_strconcat (path, "/2-threads", NULL);

  g_test_add_data_func (alone, GUINT_TO_POINTER (0), func);
  g_test_add_data_func (threaded, GUINT_TO_POINTER (2), func);
}
