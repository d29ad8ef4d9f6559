/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-store.h"

#define KIB ((guint64)1024)
#define MIB (KIB * 1024)
#define TIB (MIB * 1024 * 1024)

/* What a source has from `start` on, up to `end`, is data; all else are holes. */
typedef struct
{
  guint64 start;
  guint64 end;
} Extent;

typedef struct
{
  FakeSource source; /* `size` with all holes */
  const Extent *extents;
  gsize n_extents;
  guint n_asked;
  guint fail_asked; /* the n-th call fails; 0: none */
  guint64 n_read;
  GCancellable *cancel; /* at the first hole */
} SparseSource;

static gboolean
sparse_next_extent (gpointer source, guint64 *hole, guint64 *data, GCancellable *cancellable,
                    GError **error)
{
  SparseSource *self = source;
  guint64 offset = self->source.offset;
  guint64 start = self->source.size;
  guint64 end = start;

  if (!fake_fail (++self->n_asked == self->fail_asked, "next_extent", error))
    return FALSE;
  for (gsize i = self->n_extents; i > 0; i--)
    {
      if (self->extents[i - 1].end > offset)
        {
          start = MAX (offset, self->extents[i - 1].start);
          end = self->extents[i - 1].end;
        }
    }
  *hole = start - offset;
  *data = end - start;
  self->source.offset = start;
  if (self->cancel != NULL && *hole > 0)
    g_cancellable_cancel (self->cancel);
  return TRUE;
}

static gboolean
sparse_read (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
             GError **error)
{
  SparseSource *self = source;

  if (!fake_source_read (&self->source, buffer, length, n_read, cancellable, error))
    return FALSE;
  self->n_read += *n_read;
  return TRUE;
}

static GBytes *
sparse_content (const SparseSource *self)
{
  guint8 *data = g_malloc0 (self->source.size);

  for (gsize i = 0; i < self->n_extents; i++)
    for (guint64 at = self->extents[i].start; at < self->extents[i].end; at++)
      data[at] = fake_byte (at);
  return g_bytes_new_take (data, self->source.size);
}

/* ---- fixture --------------------------------------------------------------------------------- */

static const char *const sha256[] = { "sha256", NULL };

typedef struct
{
  FakeStore *fake;
  ImgImportStore *store;
  ImgImportSinkSpec sink;
  ImgImportPassSpec spec;
  GError *error;
} Fixture;

static void
set_up (Fixture *f, gconstpointer threads)
{
  f->store = fake_store_new (&f->fake);
  f->sink = (ImgImportSinkSpec){ .store = f->store, .key = "key" };
  f->spec = (ImgImportPassSpec){ .expected = IMGIMPORT_SIZE_UNKNOWN,
                                 .limit = IMGIMPORT_SIZE_UNKNOWN,
                                 .limit_name = "image_size_cap",
                                 .digests = sha256,
                                 .inspect = TRUE,
                                 .threads = threads != NULL,
                                 .sinks = &f->sink,
                                 .n_sinks = 1 };
}

static void
tear_down (Fixture *f, gconstpointer threads)
{
  _imgimport_plugin_unref (f->store);
  g_clear_error (&f->error);
}

/* FALSE with f->error. */
static gboolean
run (Fixture *f, SparseSource *source, ImgImportPassResult *result, GCancellable *cancellable)
{
  const ImgImportSource sparse = { sparse_read, sparse_next_extent, source };
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, cancellable, &f->error);

  return pass != NULL && _imgimport_pass_pull_sparse (pass, &sparse, cancellable, &f->error) &&
         _imgimport_pass_finish (pass, result, cancellable, &f->error);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The two members that tell where data lies. */
#define EXTENTS(...)                                                                               \
  .extents = (const Extent[]){ __VA_ARGS__ },                                                      \
  .n_extents = sizeof ((Extent[]){ __VA_ARGS__ }) / sizeof (Extent)

static const struct
{
  const char *name;
  guint64 size;
  const Extent *extents;
  gsize n_extents;
} rows[] = {
  { "nothing-but-a-hole", 5 * MIB + 3, NULL, 0 },
  { "hole-first", 3 * MIB, EXTENTS ({ 2 * MIB + 1, 3 * MIB }) },
  { "hole-last", 40 * MIB + 1, EXTENTS ({ 0, 70 * KIB }) },
  { "one-byte-of-data-at-the-end", 20 * MIB, EXTENTS ({ 20 * MIB - 1, 20 * MIB }) },
  { "holes-between", 9 * MIB,
    EXTENTS ({ 4 * KIB, 8 * KIB }, { 2 * MIB, 5 * MIB + 7 }, { 5 * MIB + 8, 6 * MIB }) },
  { "no-hole", 2 * MIB, EXTENTS ({ 0, 2 * MIB }) },
  { "empty", 0, NULL, 0 },
};

static void
holes_are_neither_read_nor_written (Fixture *f, gconstpointer threads)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      SparseSource source = { .source = { .size = rows[i].size, .chunk = 100000 },
                              .extents = rows[i].extents,
                              .n_extents = rows[i].n_extents };
      g_autoptr (GBytes) content = sparse_content (&source);
      g_autofree char *digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);
      g_auto (ImgImportPassResult) result = { 0 };
      guint64 n_data = 0;

      for (gsize n = 0; n < rows[i].n_extents; n++)
        n_data += rows[i].extents[n].end - rows[i].extents[n].start;
      f->fake->n_written = 0;
      g_assert_true (run (f, &source, &result, NULL));
      g_assert_cmpuint (source.n_read, ==, n_data);
      g_assert_cmpuint (f->fake->n_written, <=, n_data);
      g_assert_cmpuint (result.size, ==, rows[i].size);
      g_assert_cmpuint (result.facts->size, ==, rows[i].size);
      g_assert_cmpstr (g_hash_table_lookup (result.digests, "sha256"), ==, digest);
      g_assert_true (g_bytes_equal (fake_store_peek (f->fake, "key"), content));
    }
}

/* Of a source that knows no holes. */
static void
zeros_become_holes (Fixture *f, gconstpointer threads)
{
  const gsize size = 20 * IMGIMPORT_BUFFER_SIZE + 5;
  g_autofree guint8 *data = g_malloc0 (size);
  g_autoptr (GBytes) content = NULL;
  g_autofree char *digest = NULL;
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&f->spec, NULL, &f->error);
  g_auto (ImgImportPassResult) result = { 0 };

  data[7 * IMGIMPORT_BUFFER_SIZE] = 1;
  content = g_bytes_new_static (data, size);
  digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);
  g_assert_true (_imgimport_pass_push (pass, data, size, NULL, &f->error));
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
  g_assert_cmpuint (f->fake->n_written, ==, IMGIMPORT_BUFFER_SIZE);
  g_assert_cmpuint (result.facts->size, ==, size);
  g_assert_cmpstr (g_hash_table_lookup (result.digests, "sha256"), ==, digest);
  g_assert_true (g_bytes_equal (fake_store_peek (f->fake, "key"), content));
}

/* ---- sizes ----------------------------------------------------------------------------------- */

typedef struct
{
  guint64 last;
  guint n_reports;
} Progress;

static void
on_progress (guint64 bytes, gpointer user_data)
{
  Progress *self = user_data;

  g_assert_cmpuint (bytes, >=, self->last);
  self->last = bytes;
  self->n_reports++;
}

/* Nothing grows with what is not there but the digests' work, and there are none here. */
static void
tebibyte_of_holes_costs_nothing (Fixture *f, gconstpointer threads)
{
  g_autoptr (ImgImportClock) clock = _imgimport_clock_new_fake (0);
  Progress progress = { 0 };
  SparseSource source = { .source = { .size = TIB, .chunk = G_MAXSIZE },
                          EXTENTS ({ TIB / 2, TIB / 2 + 9 }, { TIB - 1, TIB }) };
  g_auto (ImgImportPassResult) result = { 0 };

  f->fake->discard = TRUE;
  f->spec.digests = NULL;
  f->spec.expected = f->spec.limit = TIB;
  f->spec.clock = clock;
  f->spec.progress = on_progress;
  f->spec.progress_data = &progress;
  g_assert_true (run (f, &source, &result, NULL));
  g_assert_cmpuint (source.n_read, ==, 10);
  g_assert_cmpuint (f->fake->n_written, ==, 10);
  g_assert_cmpuint (progress.last, ==, TIB);
  g_assert_cmpuint (result.size, ==, TIB);
  g_assert_cmpuint (result.facts->size, ==, TIB);
  g_assert_cmpstr (result.sinks[0].version, ==, "v1099511627776");
}

static void
sizes_count_holes (Fixture *f, gconstpointer threads)
{
  static const struct
  {
    guint64 expected;
    guint64 limit;
    ImgImportError code;
    const char *reason;
  } refusals[] = {
    { 8 * MIB - 1, IMGIMPORT_SIZE_UNKNOWN, IMGIMPORT_ERROR_CORRUPT, "size-mismatch" },
    { 8 * MIB + 1, IMGIMPORT_SIZE_UNKNOWN, IMGIMPORT_ERROR_CORRUPT, "size-mismatch" },
    { IMGIMPORT_SIZE_UNKNOWN, 8 * MIB - 1, IMGIMPORT_ERROR_LIMIT, "image-size-cap" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      SparseSource source = { .source = { .size = 8 * MIB, .chunk = G_MAXSIZE },
                              EXTENTS ({ MIB, 2 * MIB }) };
      g_auto (ImgImportPassResult) result = { 0 };

      f->spec.expected = refusals[i].expected;
      f->spec.limit = refusals[i].limit;
      g_assert_false (run (f, &source, &result, NULL));
      g_assert_error (f->error, IMGIMPORT_ERROR, (int)refusals[i].code);
      g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, refusals[i].reason);
      fake_store_assert_empty (f->fake);
      g_clear_error (&f->error);
    }
}

/* ---- failures -------------------------------------------------------------------------------- */

static void
any_question_for_an_extent_may_fail (Fixture *f, gconstpointer threads)
{
  gboolean ok = FALSE;

  for (guint n = 1; !ok; n++)
    {
      SparseSource source = { .source = { .size = 9 * MIB, .chunk = G_MAXSIZE },
                              EXTENTS ({ 0, 1 }, { MIB, 2 * MIB }, { 4 * MIB, 5 * MIB }),
                              .fail_asked = n };
      g_auto (ImgImportPassResult) result = { 0 };

      ok = run (f, &source, &result, NULL);
      if (ok)
        {
          g_assert_cmpuint (n, ==, source.n_asked + 1);
          break;
        }
      g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NO_SPACE);
      fake_store_assert_empty (f->fake);
      g_clear_error (&f->error);
    }
}

static void
pass_is_cancelled_within_a_hole (Fixture *f, gconstpointer threads)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  SparseSource source = { .source = { .size = TIB, .chunk = G_MAXSIZE }, .cancel = cancellable };
  g_auto (ImgImportPassResult) result = { 0 };

  g_assert_false (run (f, &source, &result, cancellable));
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  fake_store_assert_empty (f->fake);
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *inline_path = g_strdup_printf ("/pass/sparse/inline/%s", name);
  g_autofree char *threads_path = g_strdup_printf ("/pass/sparse/threads/%s", name);

  g_test_add (inline_path, Fixture, NULL, set_up, func, tear_down);
  g_test_add (threads_path, Fixture, "threads", set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("holes-are-neither-read-nor-written", holes_are_neither_read_nor_written);
  add ("zeros-become-holes", zeros_become_holes);
  add ("security-77-tebibyte-of-holes-costs-nothing", tebibyte_of_holes_costs_nothing);
  add ("security-77-sizes-count-holes", sizes_count_holes);
  add ("any-question-for-an-extent-may-fail", any_question_for_an_extent_may_fail);
  add ("pass-is-cancelled-within-a-hole", pass_is_cancelled_within_a_hole);
  return g_test_run ();
}
