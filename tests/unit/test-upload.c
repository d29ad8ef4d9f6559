/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of an upload beside what else a process does: a close, a fork, a catalog that fails. */

#include <sys/wait.h>
#include <unistd.h>

#include "import.h"
#include "shim-world.h"

#include "service/upload-private.h"

typedef struct
{
  ShimWorld shims; /* first: it is the world of the shims */
  ImgImportService *service;
  guint n_looks; /* slots that have seen the upload busy */
  GError *error;
} World;

/* A close that comes now has to wait. */
static void
look (World *w)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->service->lock);
  const ImgImportUpload *upload;

  g_assert_cmpuint (w->service->uploads->len, ==, 1);
  upload = w->service->uploads->pdata[0];
  g_assert_true (upload->busy);
  w->n_looks++;
}

static gboolean
looking_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
               GCancellable *cancellable, GError **error)
{
  look (((Shim *)self)->world);
  return shim_begin (self, key, expected, writer, cancellable, error);
}

static void
looking_abort (gpointer self, gpointer writer)
{
  look (((Shim *)self)->world);
  shim_abort (self, writer);
}

static void
open_world (World *w)
{
  w->service = shim_world_service (&w->shims, "{\"workers\": 0}");
  service_start (w->service);
}

static void
set_up_world (World *w, gconstpointer data)
{
  shim_world_init (&w->shims);
  w->shims.staging_slots.begin = looking_begin;
  w->shims.staging_slots.abort = looking_abort;
  open_world (w);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
}

static ImgImportUpload *
begin (World *w, const char *id)
{
  ImgImportUpload *upload =
      imgimport_service_stage_begin (w->service, NULL, id, IMGIMPORT_SIZE_UNKNOWN, &w->error);

  g_assert_no_error (w->error);
  g_assert_true (imgimport_upload_write (upload, "abc", 3, NULL, &w->error));
  return upload;
}

static void
assert_sealed (World *w, ImgImportUpload *upload, guint64 size)
{
  g_autoptr (ImgImportImage) image = imgimport_upload_commit (upload, NULL, &w->error);

  g_assert_no_error (w->error);
  g_assert_cmpuint (imgimport_image_get_size (image), ==, size);
  g_assert_cmpuint (w->service->uploads->len, ==, 0);
}

static void
test_close_waits_for_the_call_inside (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  ImgImportUpload *upload = begin (w, id);

  g_assert_cmpuint (w->n_looks, ==, 1);
  g_assert_finalize_object (upload);
  g_assert_cmpuint (w->n_looks, ==, 2);
  g_assert_cmpuint (w->service->uploads->len, ==, 0);
  assert_image_is (w->service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
}

/* ---- fork ------------------------------------------------------------------------------------ */

static gboolean
is_refused_here (ImgImportUpload *upload, GError **error)
{
  gboolean refused = !imgimport_upload_write (upload, "x", 1, NULL, error) &&
                     g_str_equal (imgimport_error_get_reason (*error), "forked");

  imgimport_upload_abort (upload);
  g_object_unref (upload);
  return refused;
}

static void
test_child_does_not_end_its_parents_upload (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportUpload) upload = begin (w, id);
  int status = 0;
  pid_t child = fork ();

  if (child == 0)
    _exit (is_refused_here (upload, &w->error) ? 0 : 1);
  g_assert_cmpint (child, >, 0);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  assert_sealed (w, upload, 3);
}

/* A child that drops the last reference to a service leaves alone what is its parent's. */
static void
test_child_may_drop_everything (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportUpload) upload = begin (w, id);
  int status = 0;
  pid_t child = fork ();

  if (child == 0)
    {
      g_object_unref (upload);
      g_object_unref (w->service);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  assert_sealed (w, upload, 3);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void
test_bytes_of_a_binding_are_bytes (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportUpload) upload = begin (w, id);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("def", 3);
  g_autoptr (GBytes) none = g_bytes_new_static (NULL, 0);

  g_assert_true (imgimport_upload_write_bytes (upload, bytes, NULL, &w->error));
  g_assert_true (imgimport_upload_write_bytes (upload, none, NULL, &w->error));
  assert_sealed (w, upload, 6);
}

/* Whoever writes learns soon that nobody wants the bytes any more, and why. */
static void
test_upload_of_a_deleted_image_ends (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportUpload) upload = begin (w, id);

  imgimport_service_delete_image (w->service, NULL, id, &w->error);
  g_assert_no_error (w->error);
  _imgimport_clock_advance (w->service->clock, 2 * G_USEC_PER_SEC);
  if (imgimport_upload_write (upload, "def", 3, NULL, &w->error))
    g_assert_false (imgimport_upload_write (upload, "ghi", 3, NULL, &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  g_assert_false (imgimport_upload_write (upload, "jkl", 3, NULL, &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_INVALID_STATE, "upload-ended");
  g_assert_cmpuint (w->service->uploads->len, ==, 0);
  assert_no_notes (w->service);
}

/* ---- a catalog or a store that fails
 * -------------------------------------------------------------------- */

static void
test_progress_that_is_not_recorded_ends_nothing (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportUpload) upload = begin (w, id);

  _imgimport_clock_advance (w->service->clock, 2 * G_USEC_PER_SEC);
  w->shims.catalog.bad_slot = "commit";
  g_assert_true (imgimport_upload_write (upload, "def", 3, NULL, &w->error));
  g_assert_no_error (w->error);
  w->shims.catalog.bad_slot = NULL;
  assert_sealed (w, upload, 6);
}

static void
test_end_that_is_not_recorded_is_left_to_a_later_start (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportUpload) upload = begin (w, id);

  w->shims.catalog.bad_slot = "commit";
  imgimport_upload_abort (upload);
  w->shims.catalog.bad_slot = NULL;
  assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_RECEIVING);
  g_clear_object (&upload);
  g_assert_finalize_object (w->service);
  open_world (w);
  assert_image_is (w->service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (w->service);
}

static void
test_bytes_that_stay_are_left_to_a_later_start (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportUpload) upload = begin (w, id);

  w->shims.staging.bad_slot = "remove";
  imgimport_upload_abort (upload);
  w->shims.staging.bad_slot = NULL;
  assert_image_is (w->service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_clear_object (&upload);
  g_assert_finalize_object (w->service);
  open_world (w);
  assert_no_notes (w->service);
}

static void
test_unstaged_bytes_that_stay_are_left_to_a_later_start (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportImage) image = NULL;

  stage (w->service, id, "bytes");
  w->shims.staging.bad_slot = "remove";
  image = imgimport_service_unstage (w->service, NULL, id, &w->error);
  g_assert_no_error (w->error);
  w->shims.staging.bad_slot = NULL;
  assert_image_is (w->service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 1);
  g_assert_finalize_object (w->service);
  open_world (w);
  assert_no_notes (w->service);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
}

#define ADD(path, func) g_test_add (path, World, NULL, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/upload/close-waits-for-the-call-inside", test_close_waits_for_the_call_inside);
  ADD ("/upload/fork/child-does-not-end-its-parents-upload",
       test_child_does_not_end_its_parents_upload);
  ADD ("/upload/fork/child-may-drop-everything", test_child_may_drop_everything);
  ADD ("/upload/bytes-of-a-binding-are-bytes", test_bytes_of_a_binding_are_bytes);
  ADD ("/upload/upload-of-a-deleted-image-ends", test_upload_of_a_deleted_image_ends);
  ADD ("/upload/progress-that-is-not-recorded-ends-nothing",
       test_progress_that_is_not_recorded_ends_nothing);
  ADD ("/upload/end-that-is-not-recorded-is-left-to-a-later-start",
       test_end_that_is_not_recorded_is_left_to_a_later_start);
  ADD ("/upload/bytes-that-stay-are-left-to-a-later-start",
       test_bytes_that_stay_are_left_to_a_later_start);
  ADD ("/upload/unstaged-bytes-that-stay-are-left-to-a-later-start",
       test_unstaged_bytes_that_stay_are_left_to_a_later_start);
  return g_test_run ();
}
