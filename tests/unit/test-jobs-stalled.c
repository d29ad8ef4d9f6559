/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs whose end the catalog refuses end once it does not, without a restart of the service. */

#include "import.h"
#include "service/import-private.h"
#include "shim-world.h"

#include <poll.h>

#define WRONG_DIGEST                                                                               \
  DIRECT ", \"expected_digest\": {\"algorithm\": \"sha256\", \"value\": \""                        \
         "0000000000000000000000000000000000000000000000000000000000000000\"}}"

typedef struct
{
  ShimWorld shims;
  ImgImportService *service;
  GError *error;
  char *image_id;
  char *job_id;
  GMutex lock;
  GCond cond;
  guint n_stalls; /* under lock: as the log tells */
} World;

static void
on_log (GLogLevelFlags level, const char *message, gpointer user_data)
{
  World *w = user_data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  w->n_stalls += strstr (message, "cannot be ended now") != NULL ? 1 : 0;
  g_cond_broadcast (&w->cond);
}

static void
await_stall (World *w)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  while (w->n_stalls == 0)
    g_cond_wait (&w->cond, &w->lock);
}

static void
await_event (ImgImportSubscription *subscription)
{
  struct pollfd fd = { .fd = imgimport_subscription_get_fd (subscription), .events = POLLIN };

  while (poll (&fd, 1, -1) != 1)
    ;
}

static void
open_world (World *w, const char *workers)
{
  g_autofree char *config = g_strdup_printf ("{\"workers\": %s}", workers);

  w->service = shim_world_service (&w->shims, config);
  imgimport_service_set_log_func (w->service, on_log, w, NULL);
  service_start (w->service);
}

static void
set_up_world (World *w, gconstpointer workers)
{
  g_mutex_init (&w->lock);
  g_cond_init (&w->cond);
  shim_world_init (&w->shims);
  open_world (w, workers);
}

/* With nothing left, whatever happened. */
static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  assert_no_notes (w->service);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.writers), ==, 0);
  g_assert_cmpuint (g_hash_table_size (w->shims.one.writers), ==, 0);
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
  g_free (w->image_id);
  g_free (w->job_id);
  g_mutex_clear (&w->lock);
  g_cond_clear (&w->cond);
}

static void
run_all (World *w)
{
  while (imgimport_service_iterate (w->service))
    ;
}

static void
return_catalog (World *w)
{
  w->shims.catalog.bad_slot = NULL;
}

/* An import whose first `n` tasks are done when the catalog is lost. */
static void
stall (World *w, const char *request, guint n)
{
  w->image_id = create (w->service, NULL, RAW);
  stage (w->service, w->image_id, "bytes");
  w->job_id = begin_import (w->service, NULL, w->image_id, request);
  while (n-- > 0)
    g_assert_true (imgimport_service_iterate (w->service));
  w->shims.catalog.bad_slot = "commit";
  run_all (w);
}

static void
assert_stalled (World *w)
{
  g_assert_null (imgimport_service_wait_job (w->service, w->job_id, -1, NULL, &w->error));
  g_assert_nonnull (strstr (w->error->message, "the planted failure"));
  assert_refused (&w->error, IMGIMPORT_ERROR_UNAVAILABLE, "job-stalled");
}

/* The record alone: nothing is done for it. */
static ImgImportJobStatus
status_of (World *w)
{
  g_autoptr (ImgImportJobRecord) record =
      _imgimport_job_record_load (w->service, w->job_id, &w->error);

  g_assert_no_error (w->error);
  return record->job->status;
}

static void
assert_returned (World *w)
{
  g_autoptr (ImgImportJob) job = finish (w->service, w->job_id);
  g_autoptr (ImgImportImageRecord) record =
      _imgimport_image_record_load (w->service, w->image_id, NULL);

  assert_failure (job, "planted", "the planted failure");
  assert_image_is (w->service, w->image_id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  g_assert_cmpint ((int)record->claim.kind, ==, (int)IMGIMPORT_CLAIM_NONE);
  g_assert_cmpuint (g_hash_table_size (w->shims.one.objects), ==, 0);
}

/* ---- by a call ------------------------------------------------------------------------------- */

static void
test_wait_ends_it (World *w, gconstpointer data)
{
  stall (w, NULL, 1);
  assert_stalled (w);
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_PROCESSING);
  return_catalog (w);
  assert_returned (w);
}

/* It stays what it is, rather than be ended with what it did not undone. */
static void
test_job_is_not_given_up (World *w, gconstpointer data)
{
  stall (w, NULL, 1);
  w->shims.catalog.bad_slot = "journal_load";
  assert_stalled (w);
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_PROCESSING);
  return_catalog (w);
  assert_returned (w);
}

static void
test_get_takes_it_up (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  stall (w, NULL, 1);
  return_catalog (w);
  job = imgimport_service_get_job (w->service, NULL, w->job_id, &w->error);
  g_assert_no_error (w->error);
  g_assert_false (imgimport_job_is_finished (job));
  run_all (w);
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_FAILURE);
  assert_returned (w);
}

static void
test_cancellation_takes_it_up (World *w, gconstpointer data)
{
  stall (w, NULL, 1);
  return_catalog (w);
  g_assert_true (imgimport_service_cancel_job (w->service, NULL, w->job_id, &w->error));
  run_all (w);
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_FAILURE);
  assert_returned (w);
}

static void
test_claim_ends_it (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  stall (w, NULL, 1);
  g_assert_null (imgimport_service_import_image (w->service, NULL, w->image_id, NULL, &w->error));
  g_clear_error (&w->error);
  return_catalog (w);
  job = run_import (w->service, w->image_id, NULL);
  assert_success (job);
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_FAILURE);
}

static void
test_deletion_ends_it (World *w, gconstpointer data)
{
  stall (w, NULL, 1);
  return_catalog (w);
  g_assert_true (imgimport_service_delete_image (w->service, NULL, w->image_id, &w->error));
  run_all (w);
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_FAILURE);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
}

/* ---- by the clock ---------------------------------------------------------------------------- */

/* Whether anything is tried when the clock says so. */
static gboolean
is_tried_after (World *w, gint64 seconds)
{
  gint before = g_atomic_int_get (&w->shims.faults.n_calls);

  _imgimport_clock_advance (w->service->clock, seconds * G_USEC_PER_SEC);
  run_all (w);
  return g_atomic_int_get (&w->shims.faults.n_calls) > before;
}

static void
test_clock_ends_it_ever_less_often (World *w, gconstpointer data)
{
  stall (w, NULL, 1);
  g_assert_false (is_tried_after (w, 0));
  g_assert_true (is_tried_after (w, 1));
  g_assert_false (is_tried_after (w, 1));
  g_assert_true (is_tried_after (w, 1));
  g_assert_false (is_tried_after (w, 3));
  g_assert_true (is_tried_after (w, 1));
  g_assert_true (is_tried_after (w, 3600));
  g_assert_true (is_tried_after (w, 60));
  return_catalog (w);
  g_assert_true (is_tried_after (w, 60));
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_FAILURE);
  g_assert_false (is_tried_after (w, 3600));
  assert_returned (w);
}

/* Nobody asks for it: the engine's threads end it. */
static void
test_threads_end_it (World *w, gconstpointer data)
{
  g_autoptr (ImgImportSubscription) events = NULL;
  g_autoptr (ImgImportImport) import = NULL;

  w->shims.one.still = TRUE;
  w->image_id = create (w->service, NULL, RAW);
  stage (w->service, w->image_id, "bytes");
  w->job_id = begin_import (w->service, NULL, w->image_id, NULL);
  shim_await_writer (&w->shims.one);
  import = _imgimport_service_find_import (w->service, w->job_id);
  events = _imgimport_bus_subscribe_end (w->service->bus, w->job_id, &w->error);
  g_assert_no_error (w->error);

  /* Reads too. */
  g_atomic_int_set (&w->shims.faults.lasting, TRUE);
  g_atomic_int_set (&w->shims.faults.fail_at, 1);
  imgimport_run_cancel (_imgimport_import_get_run (import));
  await_stall (w);
  g_atomic_int_set (&w->shims.faults.fail_at, 0);
  await_event (events);
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_FAILURE);
  assert_image_is (w->service, w->image_id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  /* Its notes go after it. */
  g_assert_true (imgimport_service_close (w->service, NULL, &w->error));
  g_assert_finalize_object (w->service);
  open_world (w, "0");
}

/* ---- how it ends ----------------------------------------------------------------------------- */

/* The first reason stands, and with it what becomes of the bytes. */
static void
test_bytes_that_are_to_blame_go (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  stall (w, WRONG_DIGEST, 1);
  assert_stalled (w);
  return_catalog (w);
  job = finish (w->service, w->job_id);
  assert_failure (job, "digest-mismatch", "sha256");
  assert_image_is (w->service, w->image_id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
}

/* claim, fetch, judge, deliver, activate; its last task has five attempts. */
static void
test_import_past_the_pivot_is_a_success (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;
  guint i;

  stall (w, NULL, 5);
  for (i = 0; i < 5; i++)
    is_tried_after (w, 2);
  assert_stalled (w);
  return_catalog (w);
  job = finish (w->service, w->job_id);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_SUCCESS);
  assert_image_is (w->service, w->image_id, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
}

static guint
count_runs (World *w)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = IMGIMPORT_KIND_RUN };
  guint n = 0;

  _imgimport_catalog_scan (w->service->catalog, &query, count_note, &n, &w->error);
  g_assert_no_error (w->error);
  return n;
}

/* An import that fails, where the catalog is lost with its n-th call. */
static void
fail_losing_call (World *w, gint n)
{
  g_clear_pointer (&w->image_id, g_free);
  g_clear_pointer (&w->job_id, g_free);
  w->image_id = create (w->service, NULL, RAW);
  stage (w->service, w->image_id, "bytes");
  w->job_id = begin_import (w->service, NULL, w->image_id, NULL);
  g_atomic_int_set (&w->shims.faults.n_calls, 0);
  g_atomic_int_set (&w->shims.faults.lasting, TRUE);
  g_atomic_int_set (&w->shims.faults.fail_at, n);
  run_all (w);
  g_atomic_int_set (&w->shims.faults.fail_at, 0);
}

/* What is left of the run of a job that is over is forgotten too. */
static void
test_notes_of_a_final_job_go (World *w, gconstpointer data)
{
  gint n = 1;

  w->shims.one.bad_slot = "begin";
  for (fail_losing_call (w, n); status_of (w) != IMGIMPORT_JOB_FAILURE; fail_losing_call (w, ++n))
    g_object_unref (finish (w->service, w->job_id));
  g_assert_cmpuint (count_runs (w), ==, 1);
  g_assert_true (is_tried_after (w, 1));
  g_assert_cmpuint (count_runs (w), ==, 0);
}

/* A close does not wait for it. */
static void
test_next_start_ends_it (World *w, gconstpointer data)
{
  stall (w, NULL, 1);
  g_assert_true (imgimport_service_close (w->service, NULL, &w->error));
  g_assert_finalize_object (w->service);
  return_catalog (w);
  open_world (w, "0");
  g_assert_cmpint ((int)status_of (w), ==, (int)IMGIMPORT_JOB_FAILURE);
  assert_image_is (w->service, w->image_id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
}

#define ADD(name, workers, func)                                                                   \
  g_test_add ("/jobs-stalled/" name, World, workers, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("wait-ends-it", "0", test_wait_ends_it);
  ADD ("job-is-not-given-up", "0", test_job_is_not_given_up);
  ADD ("get-takes-it-up", "0", test_get_takes_it_up);
  ADD ("cancellation-takes-it-up", "0", test_cancellation_takes_it_up);
  ADD ("claim-ends-it", "0", test_claim_ends_it);
  ADD ("deletion-ends-it", "0", test_deletion_ends_it);
  ADD ("clock-ends-it-ever-less-often", "0", test_clock_ends_it_ever_less_often);
  ADD ("threads-end-it", "2", test_threads_end_it);
  ADD ("bytes-that-are-to-blame-go", "0", test_bytes_that_are_to_blame_go);
  ADD ("import-past-the-pivot-is-a-success", "0", test_import_past_the_pivot_is_a_success);
  ADD ("notes-of-a-final-job-go", "0", test_notes_of_a_final_job_go);
  ADD ("next-start-ends-it", "0", test_next_start_ends_it);
  return g_test_run ();
}
