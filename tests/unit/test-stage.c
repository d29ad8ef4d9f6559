/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Staging by push, by stream and by descriptor, and taking it back. */

#include <unistd.h>

#include "service.h"

#define UNKNOWN_ID "99999999-2222-4333-8444-555555555555"

static void
assert_status (Fixture *f, const char *id, ImgImportStatus status, ImgImportStageState state)
{
  g_autoptr (ImgImportImage) image = get (f->service, id);

  g_assert_cmpint ((int)imgimport_image_get_status (image), ==, (int)status);
  g_assert_cmpint ((int)imgimport_image_get_stage_state (image), ==, (int)state);
}

/* Nothing is left behind in staging: no bytes that a note would name, and no note. */
static gboolean
count_record (const ImgImportRecord *record, gpointer user_data)
{
  (*(guint *)user_data)++;
  return TRUE;
}

static void
assert_no_notes (Fixture *f)
{
  static const char *const kinds[] = { IMGIMPORT_KIND_OBJECT, IMGIMPORT_KIND_RUN };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const ImgImportQuery query = { .struct_size = sizeof query,
                                     .kind = kinds[i],
                                     .created_from_us = G_MININT64,
                                     .created_to_us = G_MAXINT64 };
      guint n = 0;

      g_assert_true (
          _imgimport_catalog_scan (f->service->catalog, &query, count_record, &n, &f->error));
      g_assert_cmpuint (n, ==, 0);
    }
}

static ImgImportUpload *
begin (Fixture *f, const char *id, guint64 expected)
{
  ImgImportUpload *upload =
      imgimport_service_stage_begin (f->service, f->alice, id, expected, &f->error);

  g_assert_no_error (f->error);
  return upload;
}

static void
push (Fixture *f, ImgImportUpload *upload, const char *bytes)
{
  g_assert_true (imgimport_upload_write (upload, bytes, strlen (bytes), NULL, &f->error));
  g_assert_no_error (f->error);
}

/* ---- push ------------------------------------------------------------------------------------ */

static void
test_pushed_bytes_are_sealed (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportImageRecord) record = NULL;

  assert_status (f, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_RECEIVING);
  push (f, upload, "ab");
  push (f, upload, "");
  push (f, upload, "cd");
  image = imgimport_upload_commit (upload, NULL, &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpuint (imgimport_image_get_size (image), ==, 4);
  g_assert_cmpuint (imgimport_image_get_stage_bytes (image), ==, 4);
  g_assert_cmpint ((int)imgimport_image_get_stage_state (image), ==, (int)IMGIMPORT_STAGE_SEALED);

  record = _imgimport_image_record_load (f->service, id, &f->error);
  g_assert_cmpint ((int)record->claim.kind, ==, (int)IMGIMPORT_CLAIM_NONE);
  g_assert_cmpstr (g_hash_table_lookup (record->staged.digests, "md5"), ==,
                   "e2fc714c4727ee9395f324cd2e7f331f");
  g_assert_nonnull (g_hash_table_lookup (record->staged.digests, "sha512"));
  g_assert_cmpuint (record->staged.facts->size, ==, 4);
  assert_no_notes (f);
}

static void
test_ended_upload_takes_nothing_more (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload = begin (f, id, 1);
  g_autoptr (ImgImportImage) image = NULL;

  push (f, upload, "a");
  image = imgimport_upload_commit (upload, NULL, &f->error);
  g_assert_nonnull (image);
  imgimport_upload_abort (upload);
  assert_status (f, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  g_assert_false (imgimport_upload_write (upload, "b", 1, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "upload-ended");
  g_assert_null (imgimport_upload_commit (upload, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "upload-ended");
}

static void
test_abort_and_drop_return_the_image (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  ImgImportUpload *upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);

  push (f, upload, "ab");
  imgimport_upload_abort (upload);
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_assert_finalize_object (upload);
  upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);
  push (f, upload, "ab");
  g_assert_finalize_object (upload);
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (f);
}

/* A declared size holds both ways, and what failed can be staged again (F118, B03, B30). */
static void
test_declared_size_is_enforced (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  ImgImportUpload *upload = begin (f, id, 3);

  g_assert_false (imgimport_upload_write (upload, "abcd", 4, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch");
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_object_unref (upload);

  upload = begin (f, id, 3);
  push (f, upload, "ab");
  g_assert_null (imgimport_upload_commit (upload, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch");
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_object_unref (upload);
  stage (f->service, id, "abc");
  assert_no_notes (f);
}

static void
test_empty_image_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);

  g_assert_null (imgimport_upload_commit (upload, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_CORRUPT, "image-empty");
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (f);
}

static void
test_cancelled_write_returns_the_image (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  g_assert_false (imgimport_upload_write (upload, "ab", 2, cancellable, &f->error));
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_nonnull (strstr (f->error->message, id));
  g_clear_error (&f->error);
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (f);
}

/* ---- who and when ---------------------------------------------------------------------------- */

static void
refused_begin (Fixture *f, ImgImportContext *context, const char *id, guint64 expected,
               ImgImportError code, const char *reason)
{
  g_assert_null (imgimport_service_stage_begin (f->service, context, id, expected, &f->error));
  assert_refused (&f->error, code, reason);
}

static void
test_wrong_begins_are_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *shown = create (f->service, f->alice, "{\"visibility\": \"community\"}");
  g_autoptr (ImgImportUpload) upload = NULL;

  refused_begin (f, NULL, UNKNOWN_ID, 1, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  refused_begin (f, f->bob, id, 1, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  refused_begin (f, f->bob, shown, 1, IMGIMPORT_ERROR_PERMISSION, "not-owner");
  refused_begin (f, f->alice, id, G_MAXINT64, IMGIMPORT_ERROR_LIMIT, "image-size-cap");
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  upload = begin (f, id, 1);
  refused_begin (f, f->alice, id, 1, IMGIMPORT_ERROR_INVALID_STATE, "status-transition");
}

static void
test_stage_needs_a_method_for_it (void)
{
  g_autoptr (ImgImportService) service =
      service_new ("{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES ", \"workers\": 0, "
                   "\"methods\": []}");
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  service_start (service);
  id = create (service, NULL, RAW);
  g_assert_null (imgimport_service_stage_begin (service, NULL, id, 1, &error));
  assert_refused (&error, IMGIMPORT_ERROR_NOT_SUPPORTED, "method-disabled");
  g_assert_null (imgimport_service_import_image (service, NULL, id, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_NOT_SUPPORTED, "method-disabled");
}

static void
test_size_cap_holds_for_undeclared_bytes (void)
{
  g_autoptr (ImgImportService) service =
      service_new ("{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES ", \"workers\": 0, "
                   "\"limits\": {\"image_size_cap\": 4}}");
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_data ("abcde", 5, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_autofree char *id = NULL;

  service_start (service);
  id = create (service, NULL, RAW);
  g_assert_null (imgimport_service_stage_stream (service, NULL, id, stream, IMGIMPORT_SIZE_UNKNOWN,
                                                 NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_LIMIT, "image-size-cap");
  image = get (service, id);
  g_assert_cmpint ((int)imgimport_image_get_status (image), ==, (int)IMGIMPORT_STATUS_QUEUED);
  stage (service, id, "abcd");
}

/* ---- somebody else ends it ------------------------------------------------------------------- */

static void
test_unstaged_upload_finds_its_claim_lost (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);
  g_autoptr (ImgImportImage) image = NULL;

  push (f, upload, "ab");
  image = imgimport_service_unstage (f->service, f->alice, id, &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpint ((int)imgimport_image_get_status (image), ==, (int)IMGIMPORT_STATUS_QUEUED);
  stage (f->service, id, "other");
  g_assert_null (imgimport_upload_commit (upload, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "claim-lost");
  assert_status (f, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_no_notes (f);
}

static void
test_deleted_image_ends_its_upload (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);

  push (f, upload, "ab");
  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &f->error));
  g_assert_null (imgimport_upload_commit (upload, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  assert_no_notes (f);
}

static void
test_closed_service_ends_its_uploads (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload = begin (f, id, IMGIMPORT_SIZE_UNKNOWN);

  push (f, upload, "ab");
  g_assert_true (imgimport_service_close (f->service, NULL, &f->error));
  g_assert_false (imgimport_upload_write (upload, "c", 1, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "upload-ended");
}

/* ---- taking it back -------------------------------------------------------------------------- */

static void
test_unstage_drops_sealed_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportImage) image = NULL;

  g_assert_null (imgimport_service_unstage (f->service, f->alice, id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "status-transition");
  stage (f->service, id, "abc");
  image = imgimport_service_unstage (f->service, f->alice, id, &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpuint (imgimport_image_get_size (image), ==, IMGIMPORT_SIZE_UNKNOWN);
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (f);
  stage (f->service, id, "d");
}

static void
test_wrong_format_does_not_cost_the_upload (Fixture *f, gconstpointer data)
{
  g_autofree char *id =
      create (f->service, NULL, "{\"disk_format\": \"qcow2\", \"container_format\": \"bare\"}");
  g_autoptr (ImgImportImage) image = NULL;

  stage (f->service, id, "no qcow2");
  image = imgimport_service_update_image (f->service, NULL, id, "{\"disk_format\": \"raw\"}",
                                          &f->error);
  g_assert_no_error (f->error);
  import (f->service, id, NULL);
}

/* ---- streams and descriptors ----------------------------------------------------------------- */

static void
test_descriptor_stays_the_callers (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *path = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  ImgImportFd fd = g_file_open_tmp ("stage-XXXXXX", &path, &f->error);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (_imgimport_fd_write_all (fd, "skipped and kept", 16, NULL, &f->error));
  g_assert_cmpint (lseek (fd, 8, SEEK_SET), ==, 8);
  image = imgimport_service_stage_fd (f->service, f->alice, id, fd, IMGIMPORT_SIZE_UNKNOWN, NULL,
                                      &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpuint (imgimport_image_get_size (image), ==, 8);
  g_assert_cmpuint (imgimport_image_get_stage_expected (image), ==, 8);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 16);
  _imgimport_fd_close (fd);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
test_pipe_is_read_to_its_end (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportImage) image = NULL;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_cmpint (write (fds[1], "piped", 5), ==, 5);
  close (fds[1]);
  image = imgimport_service_stage_fd (f->service, f->alice, id, fds[0], IMGIMPORT_SIZE_UNKNOWN,
                                      NULL, &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpuint (imgimport_image_get_size (image), ==, 5);
  g_assert_cmpuint (imgimport_image_get_stage_expected (image), ==, IMGIMPORT_SIZE_UNKNOWN);
  close (fds[0]);
}

static void
test_source_that_fails_returns_the_image (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_data ("abc", 3, NULL);
  int fds[2], directory;

  g_input_stream_close (stream, NULL, NULL);
  g_assert_null (imgimport_service_stage_stream (f->service, f->alice, id, stream,
                                                 IMGIMPORT_SIZE_UNKNOWN, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_PLUGIN, "foreign-error");
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);

  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_null (imgimport_service_stage_fd (f->service, f->alice, id, fds[1],
                                             IMGIMPORT_SIZE_UNKNOWN, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "descriptor-not-readable");
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  directory = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_null (imgimport_service_stage_fd (f->service, f->alice, id, directory,
                                             IMGIMPORT_SIZE_UNKNOWN, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_FAILED, "io-error");
  assert_status (f, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (f);
  close (directory);
  close (fds[0]);
  close (fds[1]);
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/conformance/B01/pushed-bytes-are-sealed", test_pushed_bytes_are_sealed);
  ADD ("/stage/ended-upload-takes-nothing-more", test_ended_upload_takes_nothing_more);
  ADD ("/stage/abort-and-drop-return-the-image", test_abort_and_drop_return_the_image);
  ADD ("/conformance/F118/declared-size-is-enforced-both-ways", test_declared_size_is_enforced);
  ADD ("/stage/D15/empty-image-is-refused", test_empty_image_is_refused);
  ADD ("/stage/cancelled-write-returns-the-image", test_cancelled_write_returns_the_image);
  ADD ("/conformance/B06/wrong-begins-are-refused", test_wrong_begins_are_refused);
  g_test_add_func ("/conformance/B14/stage-needs-a-method-for-it",
                   test_stage_needs_a_method_for_it);
  g_test_add_func ("/conformance/F119/size-cap-holds-for-undeclared-bytes",
                   test_size_cap_holds_for_undeclared_bytes);
  ADD ("/stage/I6/unstaged-upload-finds-its-claim-lost", test_unstaged_upload_finds_its_claim_lost);
  ADD ("/conformance/F013/deleted-image-ends-its-upload", test_deleted_image_ends_its_upload);
  ADD ("/stage/closed-service-ends-its-uploads", test_closed_service_ends_its_uploads);
  ADD ("/stage/D7/unstage-drops-sealed-bytes", test_unstage_drops_sealed_bytes);
  ADD ("/stage/D13/wrong-format-does-not-cost-the-upload",
       test_wrong_format_does_not_cost_the_upload);
  ADD ("/stage/descriptor-stays-the-callers", test_descriptor_stays_the_callers);
  ADD ("/conformance/B02/pipe-is-read-to-its-end", test_pipe_is_read_to_its_end);
  ADD ("/stage/source-that-fails-returns-the-image", test_source_that_fails_returns_the_image);
  return g_test_run ();
}
