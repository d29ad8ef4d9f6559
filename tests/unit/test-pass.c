/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-store.h"

#define N_STORES 3u
#define N_BUFFERS 16u /* that a pass has */

typedef struct
{
  ImgImportStore *stores[N_STORES];
  FakeStore *fakes[N_STORES];
  ImgImportSinkSpec sinks[N_STORES];
  ImgImportPassSpec spec;
  GError *error;
} Fixture;

static const char *const two_digests[] = { "md5", "sha512", NULL };

static void
set_up (Fixture *f, gconstpointer threads)
{
  for (guint i = 0; i < N_STORES; i++)
    {
      f->stores[i] = fake_store_new (&f->fakes[i]);
      f->sinks[i] = (ImgImportSinkSpec){ .store = f->stores[i], .key = "key" };
    }
  f->spec = (ImgImportPassSpec){
    .expected = IMGIMPORT_SIZE_UNKNOWN,
    .limit = IMGIMPORT_SIZE_UNKNOWN,
    .digests = two_digests,
    .inspect = TRUE,
    .threads = threads != NULL,
    .sinks = f->sinks,
    .n_sinks = N_STORES,
  };
}

static void
tear_down (Fixture *f, gconstpointer threads)
{
  for (guint i = 0; i < N_STORES; i++)
    _imgimport_plugin_unref (f->stores[i]);
  g_clear_error (&f->error);
}

static void
assert_result (Fixture *f, const ImgImportPassResult *result, gsize size)
{
  g_autoptr (GBytes) content = fake_content (size);
  g_autofree char *md5 = g_compute_checksum_for_bytes (G_CHECKSUM_MD5, content);
  g_autofree char *sha512 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA512, content);
  g_autofree char *version = g_strdup_printf ("v%u", (guint)size);

  g_assert_cmpuint (result->size, ==, size);
  g_assert_cmpuint (g_hash_table_size (result->digests), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (result->digests, "md5"), ==, md5);
  g_assert_cmpstr (g_hash_table_lookup (result->digests, "sha512"), ==, sha512);
  g_assert_cmpuint (result->facts->size, ==, size);
  g_assert_cmpuint (result->n_sinks, ==, N_STORES);
  for (guint i = 0; i < N_STORES; i++)
    {
      g_assert_cmpstr (result->sinks[i].version, ==, version);
      g_assert_no_error (result->sinks[i].error);
      g_assert_true (g_bytes_equal (fake_store_peek (f->fakes[i], "key"), content));
      g_assert_cmpuint (f->fakes[i]->n_abort, ==, 0);
      g_assert_cmpuint (f->fakes[i]->n_open, ==, 0);
    }
}

static const gsize sizes[] = { 0,
                               1,
                               IMGIMPORT_BUFFER_SIZE - 1,
                               IMGIMPORT_BUFFER_SIZE,
                               IMGIMPORT_BUFFER_SIZE + 1,
                               19 * IMGIMPORT_BUFFER_SIZE + 17 };

static void
pulled_bytes_reach_all (Fixture *f, gconstpointer threads)
{
  static const gsize chunks[] = { 4096, 100000, G_MAXSIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes) * G_N_ELEMENTS (chunks); i++)
    {
      gsize size = sizes[i / G_N_ELEMENTS (chunks)];
      FakeSource source = { .size = size, .chunk = chunks[i % G_N_ELEMENTS (chunks)] };
      g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
      g_auto (ImgImportPassResult) result = { 0 };

      g_assert_no_error (f->error);
      g_assert_true (_imgimport_pass_pull (pass, fake_source_read, &source, NULL, &f->error));
      g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
      assert_result (f, &result, size);
    }
}

static void
pushed_bytes_reach_all (Fixture *f, gconstpointer threads)
{
  static const gsize chunks[] = { 4093, 100000, 5 * IMGIMPORT_BUFFER_SIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes) * G_N_ELEMENTS (chunks); i++)
    {
      gsize size = sizes[i / G_N_ELEMENTS (chunks)];
      gsize chunk = chunks[i % G_N_ELEMENTS (chunks)];
      g_autoptr (GBytes) content = fake_content (size);
      const guint8 *data = g_bytes_get_data (content, NULL);
      g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
      g_auto (ImgImportPassResult) result = { 0 };

      g_assert_no_error (f->error);
      for (gsize at = 0; at < size; at += chunk)
        g_assert_true (
            _imgimport_pass_push (pass, data + at, MIN (chunk, size - at), NULL, &f->error));
      g_assert_true (_imgimport_pass_push (pass, NULL, 0, NULL, &f->error));
      g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
      assert_result (f, &result, size);
    }
}

static void
pass_without_stages_counts (Fixture *f, gconstpointer threads)
{
  FakeSource source = { .size = 20 * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE, .zeros = TRUE };
  g_autoptr (ImgImportPass) pass = NULL;
  g_auto (ImgImportPassResult) result = { 0 };

  f->spec.digests = NULL;
  f->spec.inspect = FALSE;
  f->spec.n_sinks = 0;
  pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
  g_assert_true (_imgimport_pass_pull (pass, fake_source_read, &source, NULL, &f->error));
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
  g_assert_cmpuint (result.size, ==, source.size);
  g_assert_null (result.facts);
  g_assert_cmpuint (g_hash_table_size (result.digests), ==, 0);
}

static void
one_buffer_costs_no_thread (Fixture *f, gconstpointer threads)
{
  for (guint n = 1; n <= 2; n++)
    {
      FakeSource source = { .size = n * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE };
      g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
      g_auto (ImgImportPassResult) result = { 0 };
      gboolean elsewhere = threads != NULL && n == 2;

      g_assert_true (_imgimport_pass_pull (pass, fake_source_read, &source, NULL, &f->error));
      g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
      g_assert_true (f->fakes[0]->writer_thread == g_thread_self ());
      g_assert_true ((f->fakes[1]->writer_thread != g_thread_self ()) == elsewhere);
      g_assert_true ((f->fakes[2]->writer_thread != g_thread_self ()) == elsewhere);
    }
}

static void
trickle_is_gathered (Fixture *f, gconstpointer threads)
{
  FakeSource source = { .size = 200 * 1024, .chunk = 1 };
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
  g_auto (ImgImportPassResult) result = { 0 };

  g_assert_true (_imgimport_pass_pull (pass, fake_source_read, &source, NULL, &f->error));
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
  assert_result (f, &result, 200 * 1024);
  for (guint i = 0; i < N_STORES; i++)
    g_assert_cmpuint (f->fakes[i]->n_write, ==, 1);
}

/* ---- progress -------------------------------------------------------------------------------- */

typedef struct
{
  FakeSource source;
  ImgImportClock *clock;
  guint64 last_bytes;
  gint64 last_us;
  guint n_reports;
} Progress;

static gboolean
slow_read (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
           GError **error)
{
  Progress *self = source;

  _imgimport_clock_advance (self->clock, 30000);
  return fake_source_read (&self->source, buffer, length, n_read, cancellable, error);
}

static void
on_progress (guint64 bytes, gpointer user_data)
{
  Progress *self = user_data;
  gint64 now_us = _imgimport_clock_monotonic_us (self->clock);

  g_assert_cmpuint (bytes, >=, self->last_bytes);
  g_assert_true (bytes == self->source.size || now_us - self->last_us >= 100000);
  self->last_bytes = bytes;
  self->last_us = now_us;
  self->n_reports++;
}

static void
progress_is_told_ten_times_a_second (Fixture *f, gconstpointer threads)
{
  g_autoptr (ImgImportClock) clock = _imgimport_clock_new_fake (0);
  Progress progress = { .source = { .size = 200000, .chunk = 1000 }, .clock = clock };
  g_autoptr (ImgImportPass) pass = NULL;
  g_auto (ImgImportPassResult) result = { 0 };

  progress.last_us = _imgimport_clock_monotonic_us (clock);
  f->spec.clock = clock;
  f->spec.progress = on_progress;
  f->spec.progress_data = &progress;
  pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
  g_assert_true (_imgimport_pass_pull (pass, slow_read, &progress, NULL, &f->error));
  /* 200 reads of 30 ms: every fourth is 120 ms after the last report. */
  g_assert_cmpuint (progress.n_reports, ==, 50);
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
  g_assert_cmpuint (progress.n_reports, ==, 51);
  g_assert_cmpuint (progress.last_bytes, ==, 200000);
}

/* ---- back-pressure --------------------------------------------------------------------------- */

typedef struct
{
  FakeSource source;
  FakeStore *slow;
  guint n_before_release;
} Pressure;

/* The store stands still until the buffers must have run out: with all of them handed on but the
 * one being read into, nobody else could let it go on. */
static gboolean
pressing_read (gpointer source, void *buffer, gsize length, gsize *n_read,
               GCancellable *cancellable, GError **error)
{
  Pressure *self = source;

  g_mutex_lock (&self->slow->lock);
  if (self->slow->still)
    self->n_before_release++;
  g_mutex_unlock (&self->slow->lock);
  return fake_source_read (&self->source, buffer, length, n_read, cancellable, error);
}

static gpointer
release_when_stuck (gpointer data)
{
  Pressure *self = data;

  g_mutex_lock (&self->slow->lock);
  while (self->n_before_release < N_BUFFERS)
    {
      g_mutex_unlock (&self->slow->lock);
      g_thread_yield ();
      g_mutex_lock (&self->slow->lock);
    }
  self->slow->still = FALSE;
  g_cond_broadcast (&self->slow->changed);
  g_mutex_unlock (&self->slow->lock);
  return NULL;
}

static void
slow_sink_holds_up_the_source (Fixture *f, gconstpointer threads)
{
  Pressure pressure = { .source = { .size = 30 * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE },
                        .slow = f->fakes[2] };
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
  g_auto (ImgImportPassResult) result = { 0 };
  GThread *helper;

  f->fakes[2]->still = TRUE;
  helper = _imgimport_thread_new ("release", release_when_stuck, &pressure, NULL);
  g_assert_true (_imgimport_pass_pull (pass, pressing_read, &pressure, NULL, &f->error));
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
  g_thread_join (helper);
  g_assert_cmpuint (pressure.n_before_release, ==, N_BUFFERS);
  assert_result (f, &result, 30 * IMGIMPORT_BUFFER_SIZE);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void
unknown_digest_begins_no_sink (Fixture *f, gconstpointer threads)
{
  static const char *const digests[] = { "md5", "crc32", NULL };

  f->spec.digests = digests;
  g_assert_null (_imgimport_pass_new (&f->spec, NULL, &f->error));
  g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_SUPPORTED);
  g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, "digest-unknown");
  g_assert_cmpuint (f->fakes[0]->n_begin, ==, 0);
}

/* Also of an algorithm that is computed for no other reason. */
static void
digests_are_verified_before_any_commit (Fixture *f, gconstpointer threads)
{
  static const char *const names[] = { "sha512", "sha256" };
  g_autoptr (GBytes) content = fake_content (3 * IMGIMPORT_BUFFER_SIZE);
  g_autofree char *sha256 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GHashTable) verify = g_hash_table_new (g_str_hash, g_str_equal);
      FakeSource source = { .size = 3 * IMGIMPORT_BUFFER_SIZE, .chunk = G_MAXSIZE };
      g_autoptr (ImgImportPass) pass = NULL;
      g_auto (ImgImportPassResult) result = { 0 };

      g_hash_table_insert (verify, (gpointer)names[i % 2], i == 1 ? sha256 : (gpointer) "00");
      f->spec.verify = verify;
      pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
      g_assert_true (_imgimport_pass_pull (pass, fake_source_read, &source, NULL, &f->error));
      if (i == 1)
        {
          g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
          g_assert_cmpstr (g_hash_table_lookup (result.digests, "sha256"), ==, sha256);
          continue;
        }
      g_assert_false (_imgimport_pass_finish (pass, &result, NULL, &f->error));
      g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_CORRUPT);
      g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, "staging-changed");
      g_assert_cmpuint (f->fakes[0]->n_commit, ==, i / 2);
      g_clear_error (&f->error);
    }
}

static void
dropped_pass_leaves_nothing (Fixture *f, gconstpointer threads)
{
  g_autoptr (GBytes) content = fake_content (3 * IMGIMPORT_BUFFER_SIZE + 5);
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, NULL, &f->error);

  g_assert_true (_imgimport_pass_push (pass, g_bytes_get_data (content, NULL),
                                       g_bytes_get_size (content), NULL, &f->error));
  g_clear_pointer (&pass, _imgimport_pass_free);
  for (guint i = 0; i < N_STORES; i++)
    {
      fake_store_assert_empty (f->fakes[i]);
      g_assert_cmpuint (f->fakes[i]->n_abort, ==, 1);
    }
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *inline_path = g_strdup_printf ("/pass/inline/%s", name);
  g_autofree char *threads_path = g_strdup_printf ("/pass/threads/%s", name);

  g_test_add (inline_path, Fixture, NULL, set_up, func, tear_down);
  g_test_add (threads_path, Fixture, "threads", set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("pulled-bytes-reach-all", pulled_bytes_reach_all);
  add ("pushed-bytes-reach-all", pushed_bytes_reach_all);
  add ("pass-without-stages-counts", pass_without_stages_counts);
  add ("one-buffer-costs-no-thread", one_buffer_costs_no_thread);
  add ("trickle-is-gathered", trickle_is_gathered);
  add ("progress-is-told-ten-times-a-second", progress_is_told_ten_times_a_second);
  g_test_add ("/pass/threads/slow-sink-holds-up-the-source", Fixture, "threads", set_up,
              slow_sink_holds_up_the_source, tear_down);
  add ("unknown-digest-begins-no-sink", unknown_digest_begins_no_sink);
  add ("security-46/digests-are-verified-before-any-commit",
       digests_are_verified_before_any_commit);
  add ("dropped-pass-leaves-nothing", dropped_pass_leaves_nothing);
  return g_test_run ();
}
