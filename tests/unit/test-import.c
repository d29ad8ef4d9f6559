/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One import from its acceptance to its end: the job, the image, and what is left. */

#include "import.h"
#include "shim-world.h"

#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)
#define MD5_OF_BYTES "4b3a6218bb3e3a7303e8a171a60fcf92"

static ImgImportJob *
job_of (Fixture *f, const char *job_id)
{
  ImgImportJob *job = imgimport_service_get_job (f->service, f->alice, job_id, &f->error);

  g_assert_no_error (f->error);
  return job;
}

static guint
count_jobs (Fixture *f, const char *image_id)
{
  g_autofree char *filter = g_strdup_printf ("{\"image_id\": \"%s\"}", image_id);
  g_autoptr (GPtrArray) jobs =
      imgimport_service_list_jobs (f->service, f->alice, filter, &f->error);

  g_assert_no_error (f->error);
  return jobs->len;
}

/* An import of "bytes" that waits to be begun. */
static char *
accept (Fixture *f, const char *request, char **image_id)
{
  *image_id = create (f->service, f->alice, RAW);
  stage (f->service, *image_id, "bytes");
  return begin_import (f->service, f->alice, *image_id, request);
}

/* ---- the job --------------------------------------------------------------------------------- */

static void
test_acceptance_changes_no_status (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (f, NULL, &id);
  g_autoptr (ImgImportJob) job = job_of (f, job_id);
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (f->service, id, NULL);

  assert_image_is (f->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_PENDING);
  g_assert_null (imgimport_job_get_phase (job));
  g_assert_cmpint ((int)record->claim.kind, ==, (int)IMGIMPORT_CLAIM_IMPORT);
  g_assert_cmpstr (record->claim.job, ==, job_id);
}

/* The shape of a Glance task, before and after. */
static void
test_job_record (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (f, DIRECT ", \"stores\": [\"two\"]}", &id);
  g_autoptr (ImgImportJob) pending = job_of (f, job_id);
  g_autofree char *before = imgimport_job_to_json (pending);
  g_autoptr (ImgImportJob) job = finish (f->service, job_id);
  g_autofree char *after = imgimport_job_to_json (job);
  g_autofree char *result = g_strdup_printf ("\"result\":{\"image_id\":\"%s\"}", id);

  g_assert_nonnull (strstr (before, "\"type\":\"api_image_import\""));
  g_assert_nonnull (strstr (before, "\"status\":\"pending\""));
  g_assert_nonnull (strstr (before, "\"owner\":\"alice\""));
  g_assert_nonnull (strstr (before, "\"user_id\":\"u\""));
  g_assert_nonnull (strstr (before, "\"backend\":[\"two\"]"));
  g_assert_nonnull (strstr (before, "\"result\":null"));
  g_assert_nonnull (strstr (before, "\"expires_at\":null"));
  g_assert_nonnull (strstr (after, "\"status\":\"success\""));
  g_assert_nonnull (strstr (after, result));
  g_assert_nonnull (strstr (after, "\"expires_at\":\"2026-01-03T00:00:00Z\""));
  g_assert_true (imgimport_job_get_error (job, &f->error));
}

static void
test_expired_jobs_are_not_listed (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (f, NULL, &id);
  g_autoptr (ImgImportJob) job = NULL;

  /* A pending job does not expire, however long it waits. */
  _imgimport_clock_advance (f->service->clock, 1000 * HOUR_US);
  g_assert_cmpuint (count_jobs (f, id), ==, 1);
  job = finish (f->service, job_id);
  _imgimport_clock_advance (f->service->clock, 48 * HOUR_US - 1);
  g_assert_cmpuint (count_jobs (f, id), ==, 1);
  _imgimport_clock_advance (f->service->clock, 1);
  g_assert_cmpuint (count_jobs (f, id), ==, 0);
}

/* ---- the way --------------------------------------------------------------------------------- */

static void
test_tasks_run_in_order (Fixture *f, gconstpointer data)
{
  static const char *const phases[] = { "claim",    "fetch",   "judge",   "deliver",
                                        "activate", "cleanup", "complete" };
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (f, DIRECT_TO_ALL, &id);
  guint n = 0;

  while (imgimport_service_iterate (f->service))
    {
      g_autoptr (ImgImportJob) job = job_of (f, job_id);
      const char *phase = imgimport_job_get_phase (job);

      if (n == 0 || g_strcmp0 (phase, phases[n - 1]) != 0)
        g_assert_cmpstr (phase, ==, phases[n++]);
      if (n > 0 && n <= 4)
        {
          assert_image_is (f->service, id, IMGIMPORT_STATUS_IMPORTING, IMGIMPORT_STAGE_SEALED);
          assert_lists (f->service, id, "one,two", "");
        }
      else
        {
          assert_image_is (f->service, id, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STAGE_NONE);
          assert_lists (f->service, id, "", "");
        }
    }
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (phases));
}

static void
test_active_image_tells_what_it_is (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (f, DIRECT_TO_ALL, &id);
  g_autoptr (ImgImportJob) job = finish (f->service, job_id);
  g_autoptr (ImgImportImage) image = get (f->service, id);
  g_autofree char *sha512 = g_compute_checksum_for_string (G_CHECKSUM_SHA512, "bytes", -1);

  assert_success (job);
  g_assert_cmpuint (imgimport_image_get_size (image), ==, 5);
  g_assert_cmpuint (imgimport_image_get_virtual_size (image), ==, 5);
  g_assert_cmpstr (image->checksum, ==, MD5_OF_BYTES);
  g_assert_cmpstr (image->os_hash_algo, ==, "sha512");
  g_assert_cmpstr (image->os_hash_value, ==, sha512);
  assert_copies (f->service, id, "one,two");
  assert_ways (job, "one:stream,two:stream");
}

static void
test_staged_bytes_are_removed (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (f, NULL, &id);
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (f->service, id, NULL);
  g_autoptr (ImgImportJob) job = NULL;

  g_assert_true (
      _imgimport_store_stat (f->service->staging, record->staged.key, NULL, NULL, NULL, &f->error));
  job = finish (f->service, job_id);
  assert_success (job);
  g_assert_false (
      _imgimport_store_stat (f->service->staging, record->staged.key, NULL, NULL, NULL, &f->error));
  g_assert_error (f->error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  g_clear_error (&f->error);
  assert_no_notes (f->service);
}

/* ---- failures -------------------------------------------------------------------------------- */

/* Stores "one", which is what the test makes of it, and "two". */
typedef struct
{
  ShimWorld shims;
  Shim two;
  ImgImportService *service;
} World;

static void
set_up_world (World *w, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  shim_world_init (&w->shims);
  shim_init_store (&w->two, NULL);
  w->service = shim_world_service (&w->shims, "{\"workers\": 0}");
  imgimport_service_add_store (w->service, "two", &shim_store, &w->two, NULL, &error);
  g_assert_no_error (error);
  service_start (w->service);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
  shim_clear (&w->two);
}

/* D1, F003, F068: the sealed bytes are there for another try at once, which forgets the failure of
 * the stores that it asks for. */
static void
test_fault_of_a_store_keeps_the_bytes (World *w, gconstpointer slot)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (GError) error = NULL;

  stage (w->service, id, "bytes");
  w->shims.one.bad_slot = slot;
  job = run_import (w->service, id, DIRECT_TO_ALL);
  assert_failure (job, "planted", "the planted failure");
  g_assert_false (imgimport_job_get_error (job, &error));
  assert_refused (&error, IMGIMPORT_ERROR_UNAVAILABLE, "planted");
  assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  image = get (w->service, id);
  g_assert_cmpuint (image->size, ==, 5);
  g_assert_cmpuint (image->locations->len, ==, 0);
  g_assert_null (image->os_hash_value);
  assert_no_notes (w->service);

  w->shims.one.bad_slot = NULL;
  g_clear_object (&job);
  job = run_import (w->service, id, DIRECT ", \"stores\": [\"one\", \"two\"]}");
  assert_success (job);
  assert_lists (w->service, id, "", "");
}

static void
test_failed_list_names_the_culprit (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, id, "bytes");
  w->two.bad_slot = "begin";
  job = run_import (w->service, id, DIRECT_TO_ALL);
  assert_failure (job, "planted", "the planted failure");
  assert_lists (w->service, id, "", "two");
  g_clear_object (&job);
  job = run_import (w->service, id, DIRECT ", \"stores\": [\"one\"]}");
  assert_success (job);
  assert_lists (w->service, id, "", "two");
}

/* D1: bytes that are to blame are not worth another try. */
static void
test_fault_of_the_content_drops_the_bytes (World *w, gconstpointer data)
{
  g_autofree char *id =
      create (w->service, NULL, "{\"disk_format\": \"qcow2\", \"container_format\": \"bare\"}");
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, id, "bytes");
  job = run_import (w->service, id, NULL);
  assert_failure (job, "format-mismatch", "declared qcow2 but is raw");
  assert_image_is (w->service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_lists (w->service, id, "", "");
  image = get (w->service, id);
  g_assert_cmpuint (image->size, ==, IMGIMPORT_SIZE_UNKNOWN);
  assert_no_notes (w->service);
  stage (w->service, id, "other bytes");
}

/* Bytes that staging has lost cannot be kept. */
static void
test_lost_bytes_return_the_image_to_queued (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportImageRecord) record = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (GError) error = NULL;

  stage (w->service, id, "bytes");
  record = _imgimport_image_record_load (w->service, id, &error);
  _imgimport_store_remove (w->service->staging, record->staged.key, NULL, &error);
  g_assert_no_error (error);
  job = run_import (w->service, id, NULL);
  assert_failure (job, imgimport_job_get_reason (job), "staging");
  assert_image_is (w->service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (w->service);
}

/* F079: what cannot be removed is no failure; it is told and stays noted. */
static void
test_cleanup_that_fails_is_a_warning (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, id, "bytes");
  w->shims.staging.bad_slot = "remove";
  job = run_import (w->service, id, NULL);
  assert_success (job);
  g_assert_cmpuint (g_strv_length (job->warnings), ==, 1);
  g_assert_nonnull (strstr (job->warnings[0], "the planted failure"));
  assert_image_is (w->service, id, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STAGE_NONE);
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)
#define ADD_FAULT(name, data, func)                                                                \
  g_test_add (name, World, data, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/conformance/F052/acceptance-changes-no-status", test_acceptance_changes_no_status);
  ADD ("/conformance/F053/job-record", test_job_record);
  ADD ("/conformance/F056/expired-jobs-are-not-listed", test_expired_jobs_are_not_listed);
  ADD ("/conformance/F071/tasks-run-in-order", test_tasks_run_in_order);
  ADD ("/import/active-image-tells-what-it-is", test_active_image_tells_what_it_is);
  ADD ("/conformance/F079/staged-bytes-are-removed", test_staged_bytes_are_removed);
  ADD_FAULT ("/import/D1/begin", "begin", test_fault_of_a_store_keeps_the_bytes);
  ADD_FAULT ("/import/D1/write", "write", test_fault_of_a_store_keeps_the_bytes);
  ADD_FAULT ("/import/D1/commit", "commit", test_fault_of_a_store_keeps_the_bytes);
  ADD_FAULT ("/conformance/F068/failed-list-names-the-culprit", NULL,
             test_failed_list_names_the_culprit);
  ADD_FAULT ("/import/D1/fault-of-the-content-drops-the-bytes", NULL,
             test_fault_of_the_content_drops_the_bytes);
  ADD_FAULT ("/import/D1/lost-bytes-return-the-image-to-queued", NULL,
             test_lost_bytes_return_the_image_to_queued);
  ADD_FAULT ("/conformance/F079/cleanup-that-fails-is-a-warning", NULL,
             test_cleanup_that_fails_is_a_warning);
  return g_test_run ();
}
