/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service.h"

#define BYTES "0123456789"

static gboolean
count (const ImgImportRecord *record, gpointer user_data)
{
  ++*(guint *)user_data;
  return TRUE;
}

static guint
n_records (Fixture *f, const char *kind)
{
  const ImgImportQuery query = { .struct_size = sizeof query,
                                 .kind = kind,
                                 .created_from_us = G_MININT64,
                                 .created_to_us = G_MAXINT64 };
  guint n = 0;

  g_assert_true (_imgimport_catalog_scan (f->service->catalog, &query, count, &n, &f->error));
  return n;
}

static gboolean
is_stored (Fixture *f, const char *store, const char *key)
{
  ImgImportStore *handle = _imgimport_service_store (f->service, store, NULL);

  return _imgimport_store_stat (handle, key, NULL, NULL, NULL, NULL);
}

/* ---- delete ---------------------------------------------------------------------------------- */

static void
expect_delete_refused (Fixture *f, ImgImportContext *context, const char *id, ImgImportError code,
                       const char *reason)
{
  g_assert_false (imgimport_service_delete_image (f->service, context, id, &f->error));
  assert_refused (&f->error, code, reason);
}

static void
test_delete_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, "{\"protected\": true}");
  g_autofree char *open = create (f->service, NULL, "{\"visibility\": \"public\"}");

  expect_delete_refused (f, f->alice, id, IMGIMPORT_ERROR_PERMISSION, "protected");
  expect_delete_refused (f, NULL, id, IMGIMPORT_ERROR_PERMISSION, "protected");
  expect_delete_refused (f, f->bob, id, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  expect_delete_refused (f, f->bob, open, IMGIMPORT_ERROR_PERMISSION, "not-owner");
  expect_delete_refused (f, NULL, "x", IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  g_assert_true (imgimport_service_delete_image (f->service, NULL, open, &f->error));
  expect_delete_refused (f, NULL, open, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
}

static void
test_deleted_image_leaves_nothing (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);
  g_autofree char *one = key_in (f, id, "one");
  g_autofree char *two = key_in (f, id, "two");

  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &f->error));
  g_assert_false (is_stored (f, "one", one));
  g_assert_false (is_stored (f, "two", two));
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_OBJECT), ==, 0);
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_IMAGE), ==, 0);
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_TOMBSTONE), ==, 1);
}

static void
test_staged_bytes_go_too (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *key = NULL;
  gboolean vanished = GPOINTER_TO_INT (data);

  stage (f->service, id, BYTES);
  key = _imgimport_object_key (id, 1, 0);
  g_assert_true (is_stored (f, IMGIMPORT_STAGING_ID, key));
  if (vanished)
    _imgimport_store_remove (f->service->staging, key, NULL, &f->error);
  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &f->error));
  g_assert_false (is_stored (f, IMGIMPORT_STAGING_ID, key));
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_OBJECT), ==, 0);
}

static void
test_vanished_copy_is_no_obstacle (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create_active (f->service, f->alice, BYTES);

  drop_copy (f, id, "one");
  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &f->error));
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_OBJECT), ==, 0);
}

static void
test_upload_finds_its_image_gone (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload =
      imgimport_service_stage_begin (f->service, f->alice, id, IMGIMPORT_SIZE_UNKNOWN, &f->error);
  g_autofree char *key = _imgimport_object_key (id, 1, 0);

  g_assert_no_error (f->error);
  imgimport_upload_write (upload, BYTES, 10, NULL, &f->error);
  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &f->error));
  g_assert_null (imgimport_upload_commit (upload, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  g_assert_false (is_stored (f, IMGIMPORT_STAGING_ID, key));
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_OBJECT), ==, 0);
}

static void
test_import_of_a_deleted_image_ends (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *job_id = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  guint steps = GPOINTER_TO_UINT (data);

  stage (f->service, id, BYTES);
  job_id = imgimport_service_import_image (f->service, f->alice, id, NULL, &f->error);
  g_assert_no_error (f->error);
  while (steps-- > 0)
    g_assert_true (imgimport_service_iterate (f->service));
  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &f->error));
  job = imgimport_service_wait_job (f->service, job_id, -1, NULL, &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_FAILURE);
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_OBJECT), ==, 0);
  g_assert_cmpuint (n_records (f, IMGIMPORT_KIND_IMAGE), ==, 0);
}

#define ADD(path, value, func)                                                                     \
  g_test_add ("/images-delete/" path, Fixture, value, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD ("A26-A36-A37/delete-is-refused", NULL, test_delete_is_refused);
  ADD ("A28/deleted-image-leaves-nothing", NULL, test_deleted_image_leaves_nothing);
  ADD ("A31/staged-bytes-go-too", GINT_TO_POINTER (FALSE), test_staged_bytes_go_too);
  ADD ("A32/missing-staged-bytes-are-no-obstacle", GINT_TO_POINTER (TRUE),
       test_staged_bytes_go_too);
  ADD ("A34/vanished-copy-is-no-obstacle", NULL, test_vanished_copy_is_no_obstacle);
  ADD ("A55/upload-finds-its-image-gone", NULL, test_upload_finds_its_image_gone);
  for (i = 0; i < 5; i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/images-delete/import-is-deleted/after-%u-tasks", i);

      g_test_add (path, Fixture, GUINT_TO_POINTER (i), set_up, test_import_of_a_deleted_image_ends,
                  tear_down);
    }
  return g_test_run ();
}
