/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs: who sees them, how they are listed, and how they are cancelled. */

#include "flow/engine-private.h"
#include "import.h"

#define UNKNOWN_ID "99999999-2222-4333-8444-555555555555"

static char *
accept (Fixture *f, ImgImportContext *context)
{
  g_autofree char *id = create (f->service, context, RAW);

  stage (f->service, id, "bytes");
  return begin_import (f->service, context, id, NULL);
}

static void
list_is (Fixture *f, ImgImportContext *context, const char *filter, const char *const *jobs)
{
  g_autoptr (GPtrArray) found =
      imgimport_service_list_jobs (f->service, context, filter, &f->error);
  guint i;

  g_assert_no_error (f->error);
  g_assert_cmpuint (found->len, ==, g_strv_length ((char **)jobs));
  for (i = 0; i < found->len; i++)
    g_assert_cmpstr (imgimport_job_get_id (found->pdata[i]), ==, jobs[i]);
}

#define LIST_IS(f, context, filter, ...)                                                           \
  list_is (f, context, filter, (const char *const[]){ __VA_ARGS__ })

/* ---- get ------------------------------------------------------------------------------------- */

static void
not_found (Fixture *f, ImgImportContext *context, const char *job_id)
{
  g_assert_null (imgimport_service_get_job (f->service, context, job_id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_FOUND, "job-not-found");
  g_assert_false (imgimport_service_cancel_job (f->service, context, job_id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_FOUND, "job-not-found");
}

static void
test_only_its_owner_sees_a_job (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportContext) admin =
      imgimport_context_new ("root", NULL, NULL, TRUE, NULL, &f->error);
  g_autofree char *job_id = accept (f, f->alice);
  g_autofree char *host_job_id = accept (f, NULL);
  g_autoptr (ImgImportJob) owners = NULL;
  g_autoptr (ImgImportJob) admins = NULL;

  g_assert_no_error (f->error);
  owners = imgimport_service_get_job (f->service, f->alice, job_id, &f->error);
  g_assert_no_error (f->error);
  admins = imgimport_service_get_job (f->service, admin, job_id, &f->error);
  g_assert_no_error (f->error);
  not_found (f, f->bob, job_id);
  not_found (f, f->alice, host_job_id);
  not_found (f, NULL, UNKNOWN_ID);
}

/* ---- list ------------------------------------------------------------------------------------ */

static void
test_lists_are_filtered (Fixture *f, gconstpointer data)
{
  g_autofree char *first = accept (f, f->alice);
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;
  g_autoptr (ImgImportJob) job = finish (f->service, first);
  g_autofree char *of_image = g_strdup_printf ("{\"image_id\": \"%s\"}", job->image_id);
  g_autofree char *after_second = NULL;

  _imgimport_clock_advance (f->service->clock, 1);
  second = accept (f, f->bob);
  _imgimport_clock_advance (f->service->clock, 1);
  third = accept (f, f->alice);
  after_second = g_strdup_printf ("{\"limit\": 1, \"marker\": \"%s\"}", second);
  LIST_IS (f, NULL, NULL, third, second, first, NULL);
  LIST_IS (f, f->alice, "{}", third, first, NULL);
  LIST_IS (f, f->alice, "{\"limit\": 1}", third, NULL);
  LIST_IS (f, f->alice, "{\"status\": \"pending\"}", third, NULL);
  LIST_IS (f, f->alice, "{\"status\": \"success\"}", first, NULL);
  LIST_IS (f, NULL, "{\"status\": \"pending\"}", third, second, NULL);
  LIST_IS (f, f->alice, of_image, first, NULL);
  LIST_IS (f, f->bob, of_image, NULL);
  LIST_IS (f, NULL, after_second, first, NULL);
}

static void
test_wrong_filters_are_refused (Fixture *f, gconstpointer data)
{
  static const char *const wrong[] = {
    "[]",
    "{\"limits\": 1}",
    "{\"limit\": 0}",
    "{\"limit\": 1001}",
    "{\"limit\": \"1\"}",
    "{\"status\": \"killed\"}",
    "{\"image_id\": 1}",
  };
  g_autofree char *job_id = accept (f, f->alice);
  g_autofree char *of_alice = g_strdup_printf ("{\"marker\": \"%s\"}", job_id);
  const char *const markers[] = { "{\"marker\": \"" UNKNOWN_ID "\"}", of_alice };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_null (imgimport_service_list_jobs (f->service, f->alice, wrong[i], &f->error));
      g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_clear_error (&f->error);
    }
  /* A marker that is somebody else's is none. */
  for (i = 0; i < G_N_ELEMENTS (markers); i++)
    {
      g_assert_null (imgimport_service_list_jobs (f->service, f->bob, markers[i], &f->error));
      assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "marker-unknown");
    }
  LIST_IS (f, f->alice, "{\"limit\": 1000}", job_id, NULL);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static void
test_pending_job_is_cancelled (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = accept (f, f->alice);
  g_autoptr (ImgImportJob) job = NULL;

  g_assert_true (imgimport_service_cancel_job (f->service, f->alice, job_id, &f->error));
  g_assert_true (imgimport_service_cancel_job (f->service, f->alice, job_id, &f->error));
  job = finish (f->service, job_id);
  assert_failure (job, "cancelled", "cancelled");
  g_assert_null (imgimport_job_get_phase (job));
  g_assert_false (imgimport_job_get_error (job, &f->error));
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&f->error);
  assert_image_is (f->service, job->image_id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_no_notes (f->service);
  g_assert_false (imgimport_service_cancel_job (f->service, f->alice, job_id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "job-finished");
  import (f->service, job->image_id, NULL);
}

/* Cancelled in each phase in turn: undone before activation, too late from then on. */
static void
test_cancellation_in_every_phase (Fixture *f, gconstpointer data)
{
  guint n, n_done = 0;

  for (n = 1; n_done < 2; n++)
    {
      g_autofree char *job_id = accept (f, f->alice);
      g_autoptr (ImgImportJob) job = NULL;
      gboolean active;
      guint i;

      for (i = 0; i < n; i++)
        imgimport_service_iterate (f->service);
      if (!imgimport_service_cancel_job (f->service, NULL, job_id, &f->error))
        {
          assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "job-finished");
          n_done++;
        }
      job = finish (f->service, job_id);
      active = job->status == IMGIMPORT_JOB_SUCCESS;
      g_assert_true (active || g_strcmp0 (job->reason, "cancelled") == 0);
      g_assert_true (active || n_done == 0);
      assert_image_is (f->service, job->image_id,
                       active ? IMGIMPORT_STATUS_ACTIVE : IMGIMPORT_STATUS_UPLOADING,
                       active ? IMGIMPORT_STAGE_NONE : IMGIMPORT_STAGE_SEALED);
      assert_lists (f->service, job->image_id, "", "");
      assert_no_notes (f->service);
    }
  g_assert_cmpuint (n, >, 5);
}

/* ---- wait ------------------------------------------------------------------------------------ */

static void
test_wait_ends_without_the_job (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = accept (f, f->alice);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ImgImportJob) job = NULL;

  g_assert_null (imgimport_service_wait_job (f->service, job_id, 0, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_TIMED_OUT, "wait-timed-out");
  g_cancellable_cancel (cancellable);
  g_assert_null (imgimport_service_wait_job (f->service, job_id, -1, cancellable, &f->error));
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&f->error);
  g_assert_null (imgimport_service_wait_job (f->service, UNKNOWN_ID, -1, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_FOUND, "job-not-found");

  job = imgimport_service_get_job (f->service, f->alice, job_id, &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_PENDING);
  g_clear_object (&job);
  job = imgimport_service_wait_job (f->service, job_id, G_MAXINT64, NULL, &f->error);
  assert_success (job);
}

static void
on_waited (GObject *service, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_null (
      imgimport_service_wait_job_finish (IMGIMPORT_SERVICE (service), result, &f->error));
}

static void
test_asynchronous_wait_needs_workers (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = accept (f, f->alice);

  imgimport_service_wait_job_async (f->service, job_id, NULL, on_waited, f);
  while (f->error == NULL)
    g_main_context_iteration (NULL, TRUE);
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_SUPPORTED, "no-workers");
}

static void
test_closed_service_answers_nothing (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = accept (f, f->alice);

  g_assert_true (imgimport_service_close (f->service, NULL, &f->error));
  g_assert_null (imgimport_service_get_job (f->service, NULL, job_id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
  g_assert_null (imgimport_service_list_jobs (f->service, NULL, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
  g_assert_false (imgimport_service_cancel_job (f->service, NULL, job_id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
  g_assert_null (imgimport_service_wait_job (f->service, job_id, -1, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
}

/* The run that was not started keeps nothing alive, which a sanitizer sees. */
static void
test_import_that_cannot_run_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, NULL, RAW);

  stage (f->service, id, "bytes");
  _imgimport_engine_stop (f->service->engine);
  g_assert_null (imgimport_service_import_image (f->service, NULL, id, NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "engine-stopped");
  assert_image_is (f->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/jobs/only-its-owner-sees-a-job", test_only_its_owner_sees_a_job);
  ADD ("/jobs/lists-are-filtered", test_lists_are_filtered);
  ADD ("/jobs/wrong-filters-are-refused", test_wrong_filters_are_refused);
  ADD ("/jobs/pending-job-is-cancelled", test_pending_job_is_cancelled);
  ADD ("/jobs/cancellation-in-every-phase", test_cancellation_in_every_phase);
  ADD ("/jobs/import-that-cannot-run-is-refused", test_import_that_cannot_run_is_refused);
  ADD ("/jobs/wait-ends-without-the-job", test_wait_ends_without_the_job);
  ADD ("/jobs/asynchronous-wait-needs-workers", test_asynchronous_wait_needs_workers);
  ADD ("/jobs/closed-service-answers-nothing", test_closed_service_answers_nothing);
  return g_test_run ();
}
