/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service.h"

#include "service/txn.h"

#include <glib/gstdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES "0123456789"

static void
replace_copy (Fixture *f, const char *id, const char *store, const char *bytes)
{
  g_autofree char *key = key_in (f, id, store);
  ImgImportStore *handle = _imgimport_service_store (f->service, store, NULL);
  ImgImportStoreWriter *writer;
  g_autofree char *version = NULL;

  drop_copy (f, id, store);
  writer = _imgimport_store_begin (handle, key, IMGIMPORT_SIZE_UNKNOWN, NULL, &f->error);
  _imgimport_store_writer_write (writer, 0, bytes, strlen (bytes), NULL, &f->error);
  _imgimport_store_writer_commit (writer, strlen (bytes), &version, NULL, &f->error);
  g_assert_no_error (f->error);
}

/* ---- read ------------------------------------------------------------------------------------ */

static char *
slurp (GInputStream *stream)
{
  g_autoptr (GError) error = NULL;
  char buffer[64] = "";
  gsize n_read = 0;

  g_input_stream_read_all (stream, buffer, sizeof buffer - 1, &n_read, NULL, &error);
  g_assert_no_error (error);
  return g_strndup (buffer, n_read);
}

static void
expect_range (Fixture *f, const char *id, guint64 offset, guint64 length, const char *expected)
{
  g_autoptr (GInputStream) stream =
      imgimport_service_read_image (f->service, f->alice, id, offset, length, &f->error);
  g_autofree char *found = NULL;

  g_assert_no_error (f->error);
  found = slurp (stream);
  g_assert_cmpstr (found, ==, expected);
}

static void
test_ranges (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);

  expect_range (f, id, 0, IMGIMPORT_SIZE_UNKNOWN, BYTES);
  expect_range (f, id, 0, 10, BYTES);
  expect_range (f, id, 3, 4, "3456");
  expect_range (f, id, 9, IMGIMPORT_SIZE_UNKNOWN, "9");
  expect_range (f, id, 10, IMGIMPORT_SIZE_UNKNOWN, "");
  expect_range (f, id, 5, 0, "");
}

static void
expect_read_refused (Fixture *f, ImgImportContext *context, const char *id, ImgImportError code,
                     const char *reason)
{
  g_assert_null (
      imgimport_service_read_image (f->service, context, id, 0, IMGIMPORT_SIZE_UNKNOWN, &f->error));
  assert_refused (&f->error, code, reason);
  g_assert_false (imgimport_service_save_image (f->service, context, id, 0, NULL, &f->error));
  assert_refused (&f->error, code, reason);
}

static void
test_bad_ranges (Fixture *f, gconstpointer data)
{
  static const guint64 ranges[][2] = {
    { 11, 0 }, { 11, IMGIMPORT_SIZE_UNKNOWN }, { 0, 11 },
    { 10, 1 }, { 1, G_MAXUINT64 - 1 },         { G_MAXUINT64, 1 }
  };
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      g_assert_null (imgimport_service_read_image (f->service, f->alice, id, ranges[i][0],
                                                   ranges[i][1], &f->error));
      assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "range-invalid");
    }
}

static void
test_only_an_active_image_is_read (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);

  expect_read_refused (f, f->alice, id, IMGIMPORT_ERROR_INVALID_STATE, "image-not-active");
  stage (f->service, id, BYTES);
  expect_read_refused (f, f->alice, id, IMGIMPORT_ERROR_INVALID_STATE, "image-not-active");
  expect_read_refused (f, f->bob, id, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
}

static void
test_next_store_answers (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);

  drop_copy (f, id, "one");
  expect_range (f, id, 0, IMGIMPORT_SIZE_UNKNOWN, BYTES);
  drop_copy (f, id, "two");
  expect_read_refused (f, f->alice, id, IMGIMPORT_ERROR_UNAVAILABLE, "stores-unavailable");
}

static void
test_stream_outlives_the_deletion (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autoptr (GInputStream) stream =
      imgimport_service_read_image (f->service, f->alice, id, 0, IMGIMPORT_SIZE_UNKNOWN, &f->error);
  g_autofree char *found = NULL;

  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &f->error));
  found = slurp (stream);
  g_assert_cmpstr (found, ==, BYTES);
}

static void
test_reading_all_finds_other_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autoptr (GInputStream) all = NULL;
  char buffer[64] = "";

  replace_copy (f, id, "one", "0123456788");
  expect_range (f, id, 0, 9, "012345678");
  expect_range (f, id, 1, IMGIMPORT_SIZE_UNKNOWN, "123456788");
  all =
      imgimport_service_read_image (f->service, f->alice, id, 0, IMGIMPORT_SIZE_UNKNOWN, &f->error);
  g_assert_false (g_input_stream_read_all (all, buffer, 10, NULL, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch");
}

/* ---- save ------------------------------------------------------------------------------------ */

static gboolean
save (Fixture *f, const char *id, char **bytes, GCancellable *cancellable)
{
  g_autofree char *path = NULL;
  g_auto (ImgImportFd) fd = g_file_open_tmp ("imgimport-XXXXXX", &path, &f->error);
  gboolean ok;

  g_assert_no_error (f->error);
  ok = imgimport_service_save_image (f->service, f->alice, id, fd, cancellable, &f->error);
  g_assert_true (g_file_get_contents (path, bytes, NULL, NULL));
  g_unlink (path);
  return ok;
}

static void
test_save_writes_all (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autofree char *bytes = NULL;

  g_assert_true (save (f, id, &bytes, NULL));
  g_assert_no_error (f->error);
  g_assert_cmpstr (bytes, ==, BYTES);
}

static void
test_save_finds_other_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autofree char *bytes = NULL;

  replace_copy (f, id, "one", "0123456788");
  g_assert_false (save (f, id, &bytes, NULL));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch");
}

/* Edits the record behind the service's back. */
static gboolean
set_hash (ImgImportTxn *txn, gpointer data, GError **error)
{
  ImgImportImage *image = _imgimport_txn_image (txn)->image;

  _imgimport_set_string (&image->os_hash_algo, "of-another-build");
  if (data != NULL)
    _imgimport_set_string (&image->checksum, NULL);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static void
test_save_falls_back_to_the_checksum (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autofree char *bytes = NULL;
  g_autofree char *other = NULL;

  _imgimport_txn_run (f->service, id, NULL, FALSE, set_hash, NULL, &f->error);
  g_assert_true (save (f, id, &bytes, NULL));
  replace_copy (f, id, "one", "x");
  g_assert_false (save (f, id, &other, NULL));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch");
}

static void
test_save_without_a_known_digest_writes_nothing (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autofree char *bytes = NULL;

  _imgimport_txn_run (f->service, id, NULL, FALSE, set_hash, f, &f->error);
  g_assert_false (save (f, id, &bytes, NULL));
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_SUPPORTED, "digest-unknown");
  g_assert_cmpstr (bytes, ==, "");
}

static void
test_save_is_cancelled (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *bytes = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (save (f, id, &bytes, cancellable));
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&f->error);
}

/* Edits the record behind the service's back. */
static gboolean
drop_digests (ImgImportTxn *txn, gpointer data, GError **error)
{
  ImgImportImage *image = _imgimport_txn_image (txn)->image;

  _imgimport_set_string (&image->os_hash_algo, NULL);
  _imgimport_set_string (&image->os_hash_value, NULL);
  _imgimport_set_string (&image->checksum, NULL);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static void
test_save_without_digests_compares_the_size (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autofree char *bytes = NULL;
  g_autofree char *other = NULL;

  _imgimport_txn_run (f->service, id, NULL, FALSE, drop_digests, NULL, &f->error);
  g_assert_true (save (f, id, &bytes, NULL));
  g_assert_cmpstr (bytes, ==, BYTES);
  replace_copy (f, id, "one", "x");
  g_assert_false (save (f, id, &other, NULL));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch");
}

/* No more than the record says is written to the caller's disk. */
static void
test_save_stops_where_the_image_should_end (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autofree char *bytes = NULL;

  replace_copy (f, id, "one", BYTES "0");
  g_assert_false (save (f, id, &bytes, NULL));
  g_assert_nonnull (strstr (f->error->message, id));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch");
  g_assert_cmpstr (bytes, ==, "");
}

/* Zeros alone, to a file that cannot have as many of them. */
static void
test_save_tells_that_a_hole_does_not_fit (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *zeros = g_malloc0 (IMGIMPORT_BUFFER_SIZE);
  g_autoptr (GInputStream) stream =
      g_memory_input_stream_new_from_data (zeros, (gssize)IMGIMPORT_BUFFER_SIZE, NULL);
  g_autoptr (ImgImportImage) image = NULL;
  g_auto (ImgImportFd) sealed = memfd_create ("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  g_auto (ImgImportFd) far = memfd_create ("far", MFD_CLOEXEC);

  image = imgimport_service_stage_stream (f->service, f->alice, id, stream, IMGIMPORT_SIZE_UNKNOWN,
                                          NULL, &f->error);
  g_assert_no_error (f->error);
  import (f->service, id, NULL);

  g_assert_cmpint (fcntl (sealed, F_ADD_SEALS, F_SEAL_GROW), ==, 0);
  g_assert_false (imgimport_service_save_image (f->service, f->alice, id, sealed, NULL, &f->error));
  g_assert_nonnull (strstr (f->error->message, id));
  assert_refused (&f->error, IMGIMPORT_ERROR_PERMISSION, "access-denied");

  g_assert_cmpint (lseek (far, G_MAXINT64 - 9, SEEK_SET), >, 0);
  g_assert_false (imgimport_service_save_image (f->service, f->alice, id, far, NULL, &f->error));
  g_assert_nonnull (strstr (f->error->message, id));
  assert_refused (&f->error, IMGIMPORT_ERROR_FAILED, "io-error");
}

/* Zeros, one byte, zeros, into a file that holds something else from `kept` on. */
static void
check_zeros (Fixture *f, gsize kept)
{
  const gsize size = 3 * IMGIMPORT_BUFFER_SIZE;
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *data = g_malloc0 (size);
  g_autofree char *path = NULL;
  g_autofree char *found = NULL;
  g_auto (ImgImportFd) fd = g_file_open_tmp ("imgimport-XXXXXX", &path, &f->error);
  g_autoptr (GInputStream) stream = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  GStatBuf info;
  gsize n_found = 0;

  data[size / 2] = 'x';
  stream = g_memory_input_stream_new_from_data (data, (gssize)size, NULL);
  image = imgimport_service_stage_stream (f->service, f->alice, id, stream, size, NULL, &f->error);
  g_assert_no_error (f->error);
  import (f->service, id, "{\"method\": {\"name\": \"glance-direct\"}, \"all_stores\": true}");
  if (kept > 0)
    g_assert_true (g_file_set_contents (path, "kept", 4, NULL));
  _imgimport_fd_close (fd);
  fd = g_open (path, O_RDWR | O_CLOEXEC, 0);
  g_assert_true (imgimport_service_save_image (f->service, f->alice, id, fd, NULL, &f->error));
  g_assert_no_error (f->error);
  g_assert_true (g_file_get_contents (path, &found, &n_found, NULL));
  g_assert_cmpuint (n_found, ==, size);
  g_assert_true (memcmp (found, data, size) == 0);
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  if (kept == 0)
    g_assert_cmpuint ((guint64)info.st_blocks * 512, <, size);
  g_unlink (path);
}

static void
test_zeros_become_holes_of_a_new_file (Fixture *f, gconstpointer data)
{
  check_zeros (f, 0);
}

static void
test_zeros_overwrite_what_a_file_holds (Fixture *f, gconstpointer data)
{
  check_zeros (f, 4);
}

#define ADD(path, value, func)                                                                     \
  g_test_add ("/images-read/" path, Fixture, value, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("A53/ranges", NULL, test_ranges);
  ADD ("ranges-beyond-the-end-are-refused", NULL, test_bad_ranges);
  ADD ("A52/only-an-active-image-is-read", NULL, test_only_an_active_image_is_read);
  ADD ("next-store-answers", NULL, test_next_store_answers);
  ADD ("stream-outlives-the-deletion", NULL, test_stream_outlives_the_deletion);
  ADD ("save-writes-all", NULL, test_save_writes_all);
  ADD ("save-finds-other-bytes", NULL, test_save_finds_other_bytes);
  ADD ("save-falls-back-to-the-checksum", NULL, test_save_falls_back_to_the_checksum);
  ADD ("save-without-a-known-digest-writes-nothing", NULL,
       test_save_without_a_known_digest_writes_nothing);
  ADD ("save-without-digests-compares-the-size", NULL, test_save_without_digests_compares_the_size);
  ADD ("save-stops-where-the-image-should-end", NULL, test_save_stops_where_the_image_should_end);
  ADD ("save-tells-that-a-hole-does-not-fit", NULL, test_save_tells_that_a_hole_does_not_fit);
  ADD ("zeros-become-holes-of-a-new-file", NULL, test_zeros_become_holes_of_a_new_file);
  ADD ("zeros-overwrite-what-a-file-holds", NULL, test_zeros_overwrite_what_a_file_holds);
  ADD ("security-51/reading-all-finds-other-bytes", NULL, test_reading_all_finds_other_bytes);
  ADD ("save-is-cancelled", NULL, test_save_is_cancelled);
  return g_test_run ();
}
