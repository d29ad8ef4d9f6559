/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-store.h"

typedef struct
{
  ImgImportStore *stores[2];
  FakeStore *fakes[2];
  ImgImportSinkSpec sinks[2];
  ImgImportPassSpec spec;
  GCancellable *cancellable;
  GError *error;
} Fixture;

static const char *const digests[] = { "md5", NULL };

static void
set_up (Fixture *f, gconstpointer threads)
{
  for (guint i = 0; i < 2; i++)
    {
      f->stores[i] = fake_store_new (&f->fakes[i]);
      f->fakes[i]->discard = TRUE;
      f->sinks[i] = (ImgImportSinkSpec){ .store = f->stores[i], .key = "key" };
    }
  f->cancellable = g_cancellable_new ();
  f->spec = (ImgImportPassSpec){ .expected = IMGIMPORT_SIZE_UNKNOWN,
                                 .limit = IMGIMPORT_SIZE_UNKNOWN,
                                 .digests = digests,
                                 .threads = threads != NULL,
                                 .sinks = f->sinks,
                                 .n_sinks = 2 };
}

static void
tear_down (Fixture *f, gconstpointer threads)
{
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&f->error);
  g_clear_object (&f->cancellable);
  for (guint i = 0; i < 2; i++)
    {
      fake_store_assert_empty (f->fakes[i]);
      _imgimport_plugin_unref (f->stores[i]);
    }
}

static void
cancelled_before_it_begins (Fixture *f, gconstpointer threads)
{
  g_cancellable_cancel (f->cancellable);
  g_assert_null (_imgimport_pass_new (&f->spec, f->cancellable, &f->error));
  g_assert_cmpuint (f->fakes[0]->n_begin, ==, 0);
}

static void
cancelled_between_pushes (Fixture *f, gconstpointer threads)
{
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, f->cancellable, &f->error);

  g_assert_true (_imgimport_pass_push (pass, "abc", 3, f->cancellable, &f->error));
  g_cancellable_cancel (f->cancellable);
  g_assert_false (_imgimport_pass_push (pass, "abc", 3, f->cancellable, &f->error));
}

static void
cancelled_before_finish (Fixture *f, gconstpointer threads)
{
  FakeSource source = { .size = 3 * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE };
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, f->cancellable, &f->error);
  g_auto (ImgImportPassResult) result = { 0 };

  g_assert_true (_imgimport_pass_pull (pass, fake_source_read, &source, f->cancellable, &f->error));
  g_cancellable_cancel (f->cancellable);
  g_assert_false (_imgimport_pass_finish (pass, &result, f->cancellable, &f->error));
  g_assert_cmpuint (f->fakes[0]->n_commit, ==, 0);
}

static void
cancelled_between_commits (Fixture *f, gconstpointer threads)
{
  g_autoptr (ImgImportPass) pass = NULL;
  g_auto (ImgImportPassResult) result = { 0 };

  f->sinks[0].may_fail = TRUE;
  f->sinks[1].may_fail = TRUE;
  f->fakes[0]->cancel_at_commit = f->cancellable;
  pass = _imgimport_pass_new (&f->spec, f->cancellable, &f->error);
  g_assert_false (_imgimport_pass_finish (pass, &result, f->cancellable, &f->error));
  g_assert_cmpuint (f->fakes[0]->n_remove, ==, 1);
  g_assert_cmpuint (f->fakes[1]->n_commit, ==, 0);
}

static void
cancelled_during_the_last_commit_is_too_late (Fixture *f, gconstpointer threads)
{
  g_autoptr (ImgImportPass) pass = NULL;
  g_auto (ImgImportPassResult) result = { 0 };

  f->fakes[1]->cancel_at_commit = f->cancellable;
  pass = _imgimport_pass_new (&f->spec, f->cancellable, &f->error);
  g_assert_true (_imgimport_pass_finish (pass, &result, f->cancellable, &f->error));
  g_assert_no_error (f->error);
  for (guint i = 0; i < 2; i++)
    g_assert_true (_imgimport_store_remove (f->stores[i], "key", NULL, NULL));
  g_assert_true (g_cancellable_set_error_if_cancelled (f->cancellable, &f->error));
}

/* ---- from another thread --------------------------------------------------------------------- */

typedef struct
{
  FakeSource source;
  guint block_at; /* the read that gives nothing until it is cancelled */
  GMutex lock;
  GCond changed;
  gboolean blocked;
  GCancellable *cancellable;
  FakeStore *store;
} Blocker;

static void
blocker_wake (GCancellable *cancellable, gpointer data)
{
  Blocker *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  g_cond_broadcast (&self->changed);
}

static gboolean
blocking_read (gpointer source, void *buffer, gsize length, gsize *n_read,
               GCancellable *cancellable, GError **error)
{
  Blocker *self = source;
  gulong id;

  if (self->source.n_reads + 1 < self->block_at)
    return fake_source_read (&self->source, buffer, length, n_read, cancellable, error);
  id = g_cancellable_connect (cancellable, G_CALLBACK (blocker_wake), self, NULL);
  g_mutex_lock (&self->lock);
  self->blocked = TRUE;
  g_cond_broadcast (&self->changed);
  while (!g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, id);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gpointer
cancel_when_blocked (gpointer data)
{
  Blocker *self = data;

  g_mutex_lock (&self->lock);
  while (!self->blocked)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
cancelled_while_the_source_blocks (Fixture *f, gconstpointer threads)
{
  for (guint at = 1; at <= 4; at++)
    {
      Blocker blocker = { .source = { .size = 9 * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE },
                          .block_at = at };
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, cancellable, &f->error);
      GThread *helper;

      g_mutex_init (&blocker.lock);
      g_cond_init (&blocker.changed);
      blocker.cancellable = cancellable;
      helper = _imgimport_thread_new ("cancel", cancel_when_blocked, &blocker, NULL);
      g_clear_error (&f->error);
      g_assert_false (_imgimport_pass_pull (pass, blocking_read, &blocker, cancellable, &f->error));
      g_thread_join (helper);
      g_mutex_clear (&blocker.lock);
      g_cond_clear (&blocker.changed);
    }
}

static gpointer
cancel_when_written (gpointer data)
{
  Blocker *self = data;

  g_mutex_lock (&self->store->lock);
  while (self->store->n_write == 0)
    g_cond_wait (&self->store->changed, &self->store->lock);
  g_mutex_unlock (&self->store->lock);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

/* Whatever a store says to it: a cancelled write is no verdict on the store. */
static void
cancelled_while_a_sink_blocks (Fixture *f, gconstpointer threads)
{
  for (guint i = 0; i < 2; i++)
    {
      FakeSource source = { .size = 30 * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE };
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Blocker blocker = { .store = f->fakes[i], .cancellable = cancellable };
      g_autoptr (ImgImportPass) pass = NULL;
      GThread *helper;

      f->sinks[i].may_fail = i == 1;
      f->fakes[i]->own_words = TRUE;
      f->fakes[i]->n_write = 0;
      f->fakes[i]->still = TRUE;
      pass = _imgimport_pass_new (&f->spec, cancellable, &f->error);
      helper = _imgimport_thread_new ("cancel", cancel_when_written, &blocker, NULL);
      g_clear_error (&f->error);
      g_assert_false (
          _imgimport_pass_pull (pass, fake_source_read, &source, cancellable, &f->error));
      g_thread_join (helper);
      g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_pointer (&pass, _imgimport_pass_free);
      f->fakes[i]->still = FALSE;
    }
}

/* The source blocks for ever, but a store has failed: that ends the pass, with its error. */
static void
failing_sink_wakes_the_source (Fixture *f, gconstpointer threads)
{
  Blocker blocker = { .source = { .size = 9 * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE },
                      .block_at = 4 };
  g_autoptr (ImgImportPass) pass = NULL;

  g_mutex_init (&blocker.lock);
  g_cond_init (&blocker.changed);
  f->fakes[1]->fail_write = 3;
  pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
  g_assert_false (_imgimport_pass_pull (pass, blocking_read, &blocker, NULL, &f->error));
  g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NO_SPACE);
  g_clear_error (&f->error);
  g_clear_pointer (&pass, _imgimport_pass_free);
  g_mutex_clear (&blocker.lock);
  g_cond_clear (&blocker.changed);
  g_set_error (&f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "as every other case ends");
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *inline_path = g_strdup_printf ("/pass/cancel/inline/%s", name);
  g_autofree char *threads_path = g_strdup_printf ("/pass/cancel/threads/%s", name);

  g_test_add (inline_path, Fixture, NULL, set_up, func, tear_down);
  g_test_add (threads_path, Fixture, "threads", set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("before-it-begins", cancelled_before_it_begins);
  add ("between-pushes", cancelled_between_pushes);
  add ("before-finish", cancelled_before_finish);
  add ("between-commits", cancelled_between_commits);
  add ("during-the-last-commit-is-too-late", cancelled_during_the_last_commit_is_too_late);
  add ("while-the-source-blocks", cancelled_while_the_source_blocks);
  add ("while-a-sink-blocks", cancelled_while_a_sink_blocks);
  add ("failing-sink-wakes-the-source", failing_sink_wakes_the_source);
  return g_test_run ();
}
