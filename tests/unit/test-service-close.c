/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a close does to what is going on, and what the next service finds. */

#include "service-world.h"

/* ---- with no workers ------------------------------------------------------------------------- */

static void
test_pending_job_is_left_to_the_next (World *w, gconstpointer data)
{
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;

  open_service (w, ALONE);
  job_id = begin_import (w, &image_id);
  g_assert_true (imgimport_service_close (w->service, NULL, &w->error));
  reopen (w);
  expect_job (w, job_id, IMGIMPORT_JOB_PENDING, NULL);
  expect_success (w, job_id);
  expect_status (w, image_id, IMGIMPORT_STATUS_ACTIVE);
}

static void
test_begun_import_is_cancelled (World *w, gconstpointer data)
{
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;

  open_service (w, ALONE);
  job_id = begin_import (w, &image_id);
  g_assert_true (imgimport_service_iterate (w->service));
  g_assert_true (imgimport_service_iterate (w->service));
  g_assert_false (imgimport_service_close (w->service, NULL, &w->error));
  g_assert_error (w->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&w->error);
  reopen (w);
  expect_job (w, job_id, IMGIMPORT_JOB_FAILURE, "cancelled");
  expect_status (w, image_id, IMGIMPORT_STATUS_UPLOADING);
  import (w->service, image_id, NULL);
}

static void
test_open_upload_is_aborted (World *w, gconstpointer data)
{
  g_autofree char *image_id = NULL;
  g_autoptr (ImgImportUpload) upload = NULL;

  open_service (w, ALONE);
  image_id = create (w->service, NULL, RAW);
  upload =
      imgimport_service_stage_begin (w->service, NULL, image_id, IMGIMPORT_SIZE_UNKNOWN, &w->error);
  imgimport_upload_write (upload, "x", 1, NULL, &w->error);
  g_assert_no_error (w->error);
  g_assert_true (imgimport_service_close (w->service, NULL, &w->error));
  g_assert_false (imgimport_upload_write (upload, "x", 1, NULL, &w->error));
  g_assert_error (w->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  g_clear_error (&w->error);
  g_assert_null (imgimport_upload_commit (upload, NULL, &w->error));
  g_clear_error (&w->error);
  g_clear_object (&upload);
  reopen (w);
  expect_status (w, image_id, IMGIMPORT_STATUS_QUEUED);
}

/* ---- with a worker --------------------------------------------------------------------------- */

typedef struct
{
  World *w;
  GThread *thread;
  GError *error;
  gboolean ok;
} Closing;

static gpointer
run_close (gpointer data)
{
  Closing *closing = data;

  closing->ok =
      imgimport_service_close (closing->w->service, closing->w->cancellable, &closing->error);
  return NULL;
}

/* Returns once the close has begun. */
static void
begin_close (Closing *closing)
{
  closing->thread = _imgimport_thread_new ("close", run_close, closing, &closing->w->error);
  g_assert_no_error (closing->w->error);
  while (_imgimport_service_check (closing->w->service, NULL))
    g_thread_yield ();
}

static void
test_close_waits_for_what_runs (World *w, gconstpointer data)
{
  Closing closing = { .w = w };
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;

  open_service (w, ONE_WORKER);
  job_id = begin_import (w, &image_id);
  await_gate (w);
  begin_close (&closing);
  open_gate (w);
  g_thread_join (closing.thread);
  g_assert_no_error (closing.error);
  g_assert_true (closing.ok);
  reopen (w);
  expect_job (w, job_id, IMGIMPORT_JOB_SUCCESS, NULL);
  expect_status (w, image_id, IMGIMPORT_STATUS_ACTIVE);
}

static void
test_close_is_hurried (World *w, gconstpointer data)
{
  Closing closing = { .w = w };
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;

  open_service (w, ONE_WORKER);
  job_id = begin_import (w, &image_id);
  await_gate (w);
  begin_close (&closing);
  g_cancellable_cancel (w->cancellable);
  g_thread_join (closing.thread);
  g_assert_false (closing.ok);
  g_assert_error (closing.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&closing.error);
  reopen (w);
  expect_job (w, job_id, IMGIMPORT_JOB_FAILURE, "cancelled");
  expect_status (w, image_id, IMGIMPORT_STATUS_UPLOADING);
}

/* Until so many imports are left. */
static void
await_imports (World *w, guint n)
{
  g_mutex_lock (&w->service->lock);
  while (g_hash_table_size (w->service->imports) > n)
    g_cond_wait (&w->service->cond, &w->service->lock);
  g_mutex_unlock (&w->service->lock);
}

static void
test_queued_job_does_not_begin (World *w, gconstpointer data)
{
  Closing closing = { .w = w };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *first_job = NULL;
  g_autofree char *second_job = NULL;

  open_service (w, ONE_WORKER);
  first_job = begin_import (w, &first);
  await_gate (w);
  second_job = begin_import (w, &second);
  begin_close (&closing);
  await_imports (w, 1);
  open_gate (w);
  g_thread_join (closing.thread);
  g_assert_no_error (closing.error);
  reopen (w);
  expect_job (w, first_job, IMGIMPORT_JOB_SUCCESS, NULL);
  expect_job (w, second_job, IMGIMPORT_JOB_PENDING, NULL);
  expect_success (w, second_job);
}

typedef struct
{
  World *w;
  const char *job_id;
  GError *error;
} Waiter;

static gpointer
run_wait (gpointer data)
{
  Waiter *waiter = data;

  g_assert_null (
      imgimport_service_wait_job (waiter->w->service, waiter->job_id, -1, NULL, &waiter->error));
  return NULL;
}

static void
test_who_waits_is_told (World *w, gconstpointer data)
{
  Closing closing = { .w = w };
  Waiter waiter = { .w = w };
  GThread *thread;
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;

  open_service (w, ONE_WORKER);
  job_id = begin_import (w, &image_id);
  waiter.job_id = job_id;
  await_gate (w);
  thread = _imgimport_thread_new ("wait", run_wait, &waiter, &w->error);
  g_assert_no_error (w->error);
  begin_close (&closing);
  g_cancellable_cancel (w->cancellable);
  g_thread_join (thread);
  assert_refused (&waiter.error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
  g_thread_join (closing.thread);
  g_clear_error (&closing.error);
}

static void
test_last_reference_closes (World *w, gconstpointer data)
{
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;

  open_service (w, ONE_WORKER);
  job_id = begin_import (w, &image_id);
  await_gate (w);
  open_gate (w);
  reopen (w);
  expect_job (w, job_id, IMGIMPORT_JOB_SUCCESS, NULL);
}

/* Both return, and neither before the service is closed. */
static void
test_two_close_at_once (World *w, gconstpointer data)
{
  Closing one = { .w = w }, two = { .w = w };

  open_service (w, ONE_WORKER);
  one.thread = _imgimport_thread_new ("close", run_close, &one, &w->error);
  two.thread = _imgimport_thread_new ("close", run_close, &two, &w->error);
  g_thread_join (one.thread);
  g_thread_join (two.thread);
  g_assert_true (one.ok && two.ok);
  g_assert_null (w->service->catalog);
}

/* ---- calls and a close at once --------------------------------------------------------------- */

static gpointer
call_until_closed (gpointer data)
{
  World *w = data;

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportImage) image =
          imgimport_service_create_image (w->service, NULL, RAW, NULL, &error);
      g_autoptr (GPtrArray) page = imgimport_service_list_images (w->service, NULL, NULL, NULL);
      g_autofree char *info = imgimport_service_info_stores (w->service);

      g_assert_false (image != NULL && _imgimport_service_check (w->service, NULL) &&
                      (page == NULL || info == NULL));
      if (image != NULL)
        continue;
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "service-closed");
      return NULL;
    }
}

static void
test_calls_race_with_the_close (World *w, gconstpointer data)
{
  GThread *threads[3];
  guint i;

  open_service (w, ONE_WORKER);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = _imgimport_thread_new ("call", call_until_closed, w, &w->error);
  g_free (create (w->service, NULL, RAW));
  g_assert_true (imgimport_service_close (w->service, NULL, &w->error));
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/service-close/" path, World, NULL, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("pending-job-is-left-to-the-next", test_pending_job_is_left_to_the_next);
  ADD ("begun-import-is-cancelled-where-nobody-runs-it", test_begun_import_is_cancelled);
  ADD ("open-upload-is-aborted", test_open_upload_is_aborted);
  ADD ("close-waits-for-what-runs", test_close_waits_for_what_runs);
  ADD ("close-is-hurried", test_close_is_hurried);
  ADD ("who-waits-is-told", test_who_waits_is_told);
  ADD ("last-reference-closes", test_last_reference_closes);
  ADD ("two-close-at-once", test_two_close_at_once);
  ADD ("calls-race-with-the-close", test_calls_race_with_the_close);
  ADD ("queued-job-does-not-begin", test_queued_job_does_not_begin);
  return g_test_run ();
}
