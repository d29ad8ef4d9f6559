/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-store.h"

#define SIZE 1000u

typedef struct
{
  FakeStore *fake;
  ImgImportStore *store;
  GBytes *content;
  GInputStream *stream;
  GError *error;
} Fixture;

typedef struct
{
  guint64 offset;
  guint64 length;
} Range;

static const Range whole = { 0, SIZE };
static const Range part = { 100, 50 };
static const Range open_end = { 900, IMGIMPORT_SIZE_UNKNOWN };
static const Range short_object = { 990, 50 };

static void
set_up (Fixture *f, gconstpointer data)
{
  const Range *range = data;
  ImgImportStoreReader *reader;

  f->store = fake_store_new (&f->fake);
  f->content = fake_content (SIZE);
  g_hash_table_insert (f->fake->objects, g_strdup ("key"), g_bytes_ref (f->content));
  reader = _imgimport_store_open (f->store, "key", NULL, &f->error);
  g_assert_no_error (f->error);
  f->stream = _imgimport_object_stream_new (reader, range->offset, range->length);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->stream);
  g_assert_cmpuint (f->fake->n_open, ==, 0);
  _imgimport_plugin_unref (f->store);
  g_bytes_unref (f->content);
  g_clear_error (&f->error);
}

static void
assert_rest (Fixture *f, guint64 offset, gsize length)
{
  guint8 buffer[SIZE + 1];
  gsize n_read = 0;

  g_assert_true (
      g_input_stream_read_all (f->stream, buffer, sizeof buffer, &n_read, NULL, &f->error));
  g_assert_no_error (f->error);
  g_assert_cmpuint (n_read, ==, length);
  g_assert_true (
      memcmp (buffer, (const guint8 *)g_bytes_get_data (f->content, NULL) + offset, length) == 0);
}

static void
range_is_read (Fixture *f, gconstpointer data)
{
  const Range *range = data;
  guint64 length = MIN (range->length, SIZE - range->offset);

  assert_rest (f, range->offset, (gsize)length);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (f->stream)), ==, (goffset)length);
  assert_rest (f, 0, 0);
  g_assert_true (g_seekable_seek (G_SEEKABLE (f->stream), 0, G_SEEK_SET, NULL, &f->error));
  assert_rest (f, range->offset, (gsize)length);
}

static void
seeks_stay_in_the_range (Fixture *f, gconstpointer data)
{
  GSeekable *seekable = G_SEEKABLE (f->stream);

  g_assert_true (g_seekable_can_seek (seekable));
  g_assert_true (g_seekable_seek (seekable, 10, G_SEEK_SET, NULL, &f->error));
  g_assert_true (g_seekable_seek (seekable, 5, G_SEEK_CUR, NULL, &f->error));
  g_assert_cmpint (g_seekable_tell (seekable), ==, 15);
  assert_rest (f, 115, 35);
  g_assert_true (g_seekable_seek (seekable, -50, G_SEEK_END, NULL, &f->error));
  assert_rest (f, 100, 50);
  g_assert_true (g_seekable_seek (seekable, 0, G_SEEK_END, NULL, &f->error));
  assert_rest (f, 0, 0);
  g_assert_true (g_seekable_seek (seekable, -1, G_SEEK_CUR, NULL, &f->error));
  g_assert_cmpint (g_input_stream_skip (f->stream, 10, NULL, &f->error), ==, 1);
}

static void
assert_seek_refused (Fixture *f, goffset offset, GSeekType type, const char *reason)
{
  GSeekable *seekable = G_SEEKABLE (f->stream);
  goffset before = g_seekable_tell (seekable);

  g_assert_false (g_seekable_seek (seekable, offset, type, NULL, &f->error));
  g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, reason);
  g_clear_error (&f->error);
  g_assert_cmpint (g_seekable_tell (seekable), ==, before);
  g_assert_false (g_input_stream_has_pending (f->stream));
}

static void
seeks_out_of_the_range_are_refused (Fixture *f, gconstpointer data)
{
  g_assert_true (g_seekable_seek (G_SEEKABLE (f->stream), 20, G_SEEK_SET, NULL, &f->error));
  assert_seek_refused (f, -1, G_SEEK_SET, "seek-invalid");
  assert_seek_refused (f, 51, G_SEEK_SET, "seek-invalid");
  assert_seek_refused (f, -21, G_SEEK_CUR, "seek-invalid");
  assert_seek_refused (f, 31, G_SEEK_CUR, "seek-invalid");
  assert_seek_refused (f, 1, G_SEEK_END, "seek-invalid");
  assert_seek_refused (f, -51, G_SEEK_END, "seek-invalid");
  assert_seek_refused (f, G_MAXINT64, G_SEEK_CUR, "seek-invalid");
  assert_seek_refused (f, G_MININT64, G_SEEK_END, "seek-invalid");
}

static void
unknown_end_is_no_base (Fixture *f, gconstpointer data)
{
  assert_seek_refused (f, 0, G_SEEK_END, "seek-unsupported");
  assert_seek_refused (f, 0, (GSeekType)99, "seek-unsupported");
  g_assert_true (g_seekable_seek (G_SEEKABLE (f->stream), 2000, G_SEEK_SET, NULL, &f->error));
  assert_rest (f, 0, 0);
}

static void
truncation_is_refused (Fixture *f, gconstpointer data)
{
  g_assert_false (g_seekable_can_truncate (G_SEEKABLE (f->stream)));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (f->stream), 0, NULL, &f->error));
  g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, "truncate-unsupported");
}

static void
closed_stream_has_let_go_of_the_object (Fixture *f, gconstpointer data)
{
  char byte;

  g_assert_true (g_input_stream_close (f->stream, NULL, &f->error));
  g_assert_cmpuint (f->fake->n_open, ==, 0);
  g_assert_false (g_seekable_seek (G_SEEKABLE (f->stream), 0, G_SEEK_SET, NULL, &f->error));
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&f->error);
  g_assert_cmpint (g_input_stream_read (f->stream, &byte, 1, NULL, &f->error), ==, -1);
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
failed_read_is_told (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ImgImportObjectSource source = { _imgimport_store_open (f->store, "key", NULL, NULL), 0 };
  char byte;
  gsize n_read = 0;

  g_assert_true (_imgimport_object_source_read (&source, &byte, 1, &n_read, cancellable, NULL));
  g_assert_cmpuint (source.offset, ==, 1);
  g_cancellable_cancel (cancellable);
  g_assert_false (
      _imgimport_object_source_read (&source, &byte, 1, &n_read, cancellable, &f->error));
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (source.offset, ==, 1);
  g_clear_error (&f->error);
  _imgimport_store_reader_close (source.reader);

  f->fake->fail_read = TRUE;
  g_assert_cmpint (g_input_stream_read (f->stream, &byte, 1, NULL, &f->error), ==, -1);
  g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NO_SPACE);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (f->stream)), ==, 0);
}

static void
failed_search_for_an_extent_is_told (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportStoreReader) reader = _imgimport_store_open (f->store, "key", NULL, NULL);
  ImgImportObjectSource source = { reader, 7 };
  guint64 hole = 0;
  guint64 extent = 0;

  f->fake->fail_extent = TRUE;
  g_assert_false (_imgimport_object_source_next_extent (&source, &hole, &extent, NULL, &f->error));
  g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NO_SPACE);
  g_assert_cmpuint (source.offset, ==, 7);
}

/* An object is copied by a pass that reads it. */
static void
object_is_a_source (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportStoreReader) reader = _imgimport_store_open (f->store, "key", NULL, NULL);
  ImgImportObjectSource source = { reader, 0 };
  ImgImportSinkSpec sink = { .store = f->store, .key = "copy" };
  ImgImportPassSpec spec = {
    .expected = SIZE, .limit = IMGIMPORT_SIZE_UNKNOWN, .sinks = &sink, .n_sinks = 1
  };
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&spec, NULL, &f->error);
  g_auto (ImgImportPassResult) result = { 0 };

  g_assert_true (
      _imgimport_pass_pull (pass, _imgimport_object_source_read, &source, NULL, &f->error));
  g_assert_true (_imgimport_pass_finish (pass, &result, NULL, &f->error));
  g_assert_true (g_bytes_equal (fake_store_peek (f->fake, "copy"), f->content));
}

/* ---- digests --------------------------------------------------------------------------------- */

static void
expect_digest (Fixture *f, gboolean right)
{
  g_autofree char *digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, f->content);

  digest[63] = right ? digest[63] : (char)(digest[63] ^ 1);
  _imgimport_object_stream_expect (f->stream, _imgimport_digest_new ("sha256", &f->error), digest,
                                   "image x");
  g_assert_no_error (f->error);
}

static void
right_digest_is_silent (Fixture *f, gconstpointer data)
{
  expect_digest (f, TRUE);
  assert_rest (f, 0, SIZE);
  assert_rest (f, 0, 0);
}

/* Also for who knows the size and asks for no more than that. */
static void
wrong_digest_fails_the_read_of_the_last_byte (Fixture *f, gconstpointer data)
{
  guint8 buffer[SIZE];
  gsize n_read = 0;

  expect_digest (f, FALSE);
  g_assert_false (g_input_stream_read_all (f->stream, buffer, SIZE, &n_read, NULL, &f->error));
  g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_CORRUPT);
  g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, "digest-mismatch");
  g_assert_true (g_str_has_prefix (f->error->message, "image x: "));
  g_assert_cmpuint (n_read, <, SIZE);
  g_clear_error (&f->error);
  g_assert_cmpint (g_input_stream_read (f->stream, buffer, SIZE, NULL, &f->error), ==, -1);
  g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, "digest-failed");
}

static void
object_that_ends_early_fails_the_digest (Fixture *f, gconstpointer data)
{
  guint8 buffer[50];

  expect_digest (f, TRUE);
  g_assert_false (g_input_stream_read_all (f->stream, buffer, 50, NULL, NULL, &f->error));
  g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, "digest-mismatch");
}

static void
stream_that_seeks_is_not_checked (Fixture *f, gconstpointer data)
{
  guint8 byte;

  expect_digest (f, FALSE);
  g_assert_cmpint (g_input_stream_read (f->stream, &byte, 1, NULL, &f->error), ==, 1);
  g_assert_true (g_seekable_seek (G_SEEKABLE (f->stream), 0, G_SEEK_SET, NULL, &f->error));
  assert_rest (f, 0, SIZE);
}

static void
add (const char *path, const Range *range, void (*func) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, range, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/object-stream/whole", &whole, range_is_read);
  add ("/object-stream/part", &part, range_is_read);
  add ("/object-stream/open-end", &open_end, range_is_read);
  add ("/object-stream/short-object", &short_object, range_is_read);
  add ("/object-stream/seeks-stay-in-the-range", &part, seeks_stay_in_the_range);
  add ("/object-stream/seeks-out-of-the-range-are-refused", &part,
       seeks_out_of_the_range_are_refused);
  add ("/object-stream/unknown-end-is-no-base", &open_end, unknown_end_is_no_base);
  add ("/object-stream/security-51/right-digest-is-silent", &whole, right_digest_is_silent);
  add ("/object-stream/security-51/wrong-digest-fails-the-read-of-the-last-byte", &whole,
       wrong_digest_fails_the_read_of_the_last_byte);
  add ("/object-stream/security-51/object-that-ends-early-fails-the-digest", &short_object,
       object_that_ends_early_fails_the_digest);
  add ("/object-stream/stream-that-seeks-is-not-checked", &whole, stream_that_seeks_is_not_checked);
  add ("/object-stream/truncation-is-refused", &whole, truncation_is_refused);
  add ("/object-stream/closed-stream-has-let-go-of-the-object", &whole,
       closed_stream_has_let_go_of_the_object);
  add ("/object-stream/failed-read-is-told", &whole, failed_read_is_told);
  add ("/object-stream/failed-search-for-an-extent-is-told", &whole,
       failed_search_for_an_extent_is_told);
  add ("/object-stream/object-is-a-source", &whole, object_is_a_source);
  return g_test_run ();
}
