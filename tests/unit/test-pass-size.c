/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-store.h"

#define UNKNOWN IMGIMPORT_SIZE_UNKNOWN
#define MIB ((guint64)IMGIMPORT_BUFFER_SIZE)

typedef struct
{
  const char *name;
  guint64 expected;
  guint64 limit;
  guint64 size;
  const char *reason; /* NULL: accepted */
} Row;

static const Row rows[] = {
  { "empty", UNKNOWN, UNKNOWN, 0, NULL },
  { "empty-as-expected", 0, 0, 0, NULL },
  { "not-empty-as-expected", 0, UNKNOWN, 1, "size-mismatch" },
  { "F118/as-expected", 100, UNKNOWN, 100, NULL },
  { "F118/one-less", 100, UNKNOWN, 99, "size-mismatch" },
  { "F118/none-of-some", 100, UNKNOWN, 0, "size-mismatch" },
  { "F118/one-more", 100, UNKNOWN, 101, "size-mismatch" },
  { "F118/one-more-than-a-buffer", MIB, UNKNOWN, MIB + 1, "size-mismatch" },
  { "F118/one-less-than-two-buffers", 2 * MIB, UNKNOWN, 2 * MIB - 1, "size-mismatch" },
  { "at-limit", UNKNOWN, 100, 100, NULL },
  { "beyond-limit", UNKNOWN, 100, 101, "image-size-cap" },
  { "limit-of-nothing", UNKNOWN, 0, 1, "image-size-cap" },
  { "at-limit-of-buffers", UNKNOWN, 3 * MIB, 3 * MIB, NULL },
  { "beyond-limit-of-buffers", UNKNOWN, 3 * MIB, 3 * MIB + 1, "image-size-cap" },
  { "far-beyond-limit", UNKNOWN, 3 * MIB + 5, 20 * MIB, "image-size-cap" },
  { "more-than-expected-within-limit", 5, 10, 7, "size-mismatch" },
  { "more-than-expected-and-limit", 5, 5, 7, "size-mismatch" },
};

typedef struct
{
  FakeStore *fake;
  FakeSource source;
  GError *error;
} Run;

static gboolean
feed (Run *run, ImgImportPass *pass, gboolean push)
{
  g_autofree guint8 *chunk = g_malloc0 (99991);

  if (!push)
    return _imgimport_pass_pull (pass, fake_source_read, &run->source, NULL, &run->error);
  while (run->source.offset < run->source.size)
    {
      gsize n = (gsize)MIN (99991, run->source.size - run->source.offset);

      if (!_imgimport_pass_push (pass, chunk, n, NULL, &run->error))
        return FALSE;
      run->source.offset += n;
    }
  return TRUE;
}

static void
assert_outcome (const Row *row, Run *run, const ImgImportPassResult *result, gboolean ok)
{
  guint64 most = MIN (row->expected, row->limit);
  gboolean capped = g_strcmp0 (row->reason, "image-size-cap") == 0;
  int code = capped ? IMGIMPORT_ERROR_LIMIT : IMGIMPORT_ERROR_CORRUPT;

  if (row->reason == NULL)
    {
      g_assert_no_error (run->error);
      g_assert_true (ok);
      g_assert_cmpuint (result->size, ==, row->size);
      return;
    }
  g_assert_false (ok);
  g_assert_error (run->error, IMGIMPORT_ERROR, code);
  g_assert_cmpstr (imgimport_error_get_reason (run->error), ==, row->reason);
  if (strcmp (row->reason, "size-mismatch") == 0)
    g_assert_true (g_str_has_prefix (run->error->message, row->size < most ? "fewer" : "more"));
  if (capped)
    g_assert_nonnull (strstr (run->error->message, "image_size_cap"));
  fake_store_assert_empty (run->fake);
  g_assert_cmpuint (run->fake->n_written, <=, most);
  /* Known as soon as one byte too many is there: nothing is read after it. */
  g_assert_true (run->source.n_reads == 0 || row->size < most || run->source.offset == most + 1);
}

static void
sizes_are_enforced (gconstpointer data)
{
  const Row *row = data;

  for (guint i = 0; i < 4; i++)
    {
      Run run = { .source = { .size = row->size, .chunk = G_MAXSIZE, .zeros = TRUE } };
      g_autoptr (ImgImportStore) store = fake_store_new (&run.fake);
      ImgImportSinkSpec sink = { .store = store, .key = "key" };
      ImgImportPassSpec spec = { .expected = row->expected,
                                 .limit = row->limit,
                                 .limit_name = "image_size_cap",
                                 .threads = (i & 1) != 0,
                                 .sinks = &sink,
                                 .n_sinks = 1 };
      g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&spec, NULL, &run.error);
      g_auto (ImgImportPassResult) result = { 0 };
      gboolean ok;

      run.fake->discard = TRUE;
      g_assert_no_error (run.error);
      ok = feed (&run, pass, (i & 2) != 0) &&
           _imgimport_pass_finish (pass, &result, NULL, &run.error);
      g_clear_pointer (&pass, _imgimport_pass_free);
      assert_outcome (row, &run, &result, ok);
      g_clear_error (&run.error);
    }
}

static void
expecting_more_than_the_limit_begins_nothing (void)
{
  FakeStore *fake;
  g_autoptr (ImgImportStore) store = fake_store_new (&fake);
  ImgImportSinkSpec sink = { .store = store, .key = "key" };
  ImgImportPassSpec spec = { .expected = 11, .limit = 10, .sinks = &sink, .n_sinks = 1 };
  g_autoptr (GError) error = NULL;

  g_assert_null (_imgimport_pass_new (&spec, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_LIMIT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "image-size-cap");
  g_assert_cmpuint (fake->n_begin, ==, 0);
}

static void
more_than_32_bits_pass (gconstpointer threads)
{
  static const guint64 size = (G_GUINT64_CONSTANT (1) << 32) + 1;
  FakeStore *fake;
  g_autoptr (ImgImportStore) store = fake_store_new (&fake);
  ImgImportSinkSpec sink = { .store = store, .key = "key" };
  FakeSource source = { .size = size, .chunk = G_MAXSIZE, .zeros = TRUE };
  ImgImportPassSpec spec = { .expected = size,
                             .limit = size,
                             .inspect = TRUE,
                             .threads = threads != NULL,
                             .sinks = &sink,
                             .n_sinks = 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&spec, NULL, &error);
  g_auto (ImgImportPassResult) result = { 0 };

  fake->discard = TRUE;
  g_assert_true (_imgimport_pass_pull (pass, fake_source_read, &source, NULL, &error));
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &error));
  g_assert_cmpuint (result.size, ==, size);
  g_assert_cmpuint (result.facts->size, ==, size);
  g_assert_cmpstr (result.sinks[0].version, ==, "v4294967297");
}

/* ---- digests of as much ---------------------------------------------------------------------- */

typedef struct
{
  guint64 size;
  guint64 offset;
  guint8 last;
} LongSource;

/* Zeros but for the last byte. */
static gboolean
long_next_extent (gpointer source, guint64 *hole, guint64 *data, GCancellable *cancellable,
                  GError **error)
{
  LongSource *self = source;

  *hole = self->offset < self->size ? self->size - 1 - self->offset : 0;
  *data = self->offset < self->size ? 1 : 0;
  self->offset += *hole;
  return TRUE;
}

static gboolean
long_read (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
           GError **error)
{
  LongSource *self = source;

  *n_read = self->offset < self->size ? 1 : 0;
  self->offset += *n_read;
  *(guint8 *)buffer = self->last;
  return TRUE;
}

static char *
digest_of (guint64 size, guint8 last)
{
  static const char *const names[] = { "sha256", NULL };
  LongSource source = { .size = size, .last = last };
  const ImgImportSource sparse = { long_read, long_next_extent, &source };
  const ImgImportPassSpec spec = { .expected = size, .limit = size, .digests = names };
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&spec, NULL, &error);
  g_auto (ImgImportPassResult) result = { 0 };

  g_assert_true (_imgimport_pass_pull_sparse (pass, &sparse, NULL, &error));
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &error));
  return g_strdup (g_hash_table_lookup (result.digests, "sha256"));
}

/* The sums of: head -c $((N - 1)) /dev/zero; printf '\1' */
static void
last_byte_counts (gconstpointer unused)
{
  static const struct
  {
    guint64 size;
    const char *digest;
  } sums[] = {
    { G_GUINT64_CONSTANT (67108865),
      "b5fd4a67696b61f2e649e8ed40d418ba6bf13f66601313c60460af25a740908d" },
    { G_GUINT64_CONSTANT (2147483647),
      "8205a80b4855a39a4dac5cd8c3c34ac6207512ebd17c185fd071f58c1625b775" },
    { G_GUINT64_CONSTANT (2147483648),
      "1773c73dbcc295e96b66825cfc722d567a7e6ebbb79eb6319f1b94689d005b95" },
    { G_GUINT64_CONSTANT (2147483649),
      "60f8b76720e075ea4e7151a3b56c5ebc97934e47f08ee20f9fffc891c35882fc" },
    { G_GUINT64_CONSTANT (4294967297),
      "d6cba2fb80a815340cd82d98754730a8e86af2d14a136d3b20bbc1e13ece5c11" },
  };
  gsize n = g_getenv ("IMGIMPORT_TEST_LONG") != NULL ? G_N_ELEMENTS (sums) : 1;

  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *found = digest_of (sums[i].size, 1);
      g_autofree char *flipped = digest_of (sums[i].size, 0);

      g_assert_cmpstr (found, ==, sums[i].digest);
      g_assert_cmpstr (flipped, !=, found);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/pass/size/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], sizes_are_enforced);
    }
  g_test_add_func ("/pass/size/expecting-more-than-the-limit-begins-nothing",
                   expecting_more_than_the_limit_begins_nothing);
  g_test_add_data_func ("/pass/size/security-47/last-byte-counts", NULL, last_byte_counts);
  g_test_add_data_func ("/pass/size/D47/inline/more-than-32-bits-pass", NULL,
                        more_than_32_bits_pass);
  g_test_add_data_func ("/pass/size/D47/threads/more-than-32-bits-pass", "threads",
                        more_than_32_bits_pass);
  return g_test_run ();
}
