/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that run on a worker while others wait for them, cancel them or delete their image. */

#include "import.h"
#include "shim-world.h"

/* Writes to the store "one" stand still. */
typedef struct
{
  ShimWorld shims;
  ImgImportService *service;
  ImgImportJob *job; /* what an asynchronous wait answered */
  GError *error;
  guint n_answers;
  const char *lost; /* atomic: a job that the catalog takes nothing of; NULL: none */
} World;

static gboolean
is_of (const ImgImportOp *op, const char *job_id)
{
  const char *id = op->record != NULL ? op->record->id : op->journal;

  return job_id != NULL && g_strcmp0 (id, job_id) == 0;
}

static gboolean
lossy_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
              GError **error)
{
  World *w = ((Shim *)self)->world;
  const char *lost = g_atomic_pointer_get (&w->lost);
  guint i;

  for (i = 0; i < n_ops && !is_of (ops[i], lost); i++)
    continue;
  if (i == n_ops)
    return shim_commit (self, ops, n_ops, durable, error);
  imgimport_error_set (error, IMGIMPORT_ERROR_UNAVAILABLE, "planted", "the planted failure");
  return FALSE;
}

static void
set_up_world (World *w, gconstpointer workers)
{
  g_autofree char *config = g_strdup_printf ("{\"workers\": %s}", (const char *)workers);

  shim_world_init (&w->shims);
  w->shims.catalog_slots.commit = lossy_commit;
  w->service = shim_world_service (&w->shims, config);
  service_start (w->service);
  w->shims.one.still = TRUE;
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_clear_object (&w->job);
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
}

static char *
accept (World *w, char **image_id)
{
  *image_id = create (w->service, NULL, RAW);
  stage (w->service, *image_id, "bytes");
  return begin_import (w->service, NULL, *image_id, NULL);
}

static void
let_go (World *w)
{
  g_mutex_lock (&w->shims.one.lock);
  w->shims.one.still = FALSE;
  g_cond_broadcast (&w->shims.one.cond);
  g_mutex_unlock (&w->shims.one.lock);
}

static void
assert_no_objects (World *w)
{
  g_assert_finalize_object (g_steal_pointer (&w->service));
  g_assert_cmpuint (g_hash_table_size (w->shims.one.objects), ==, 0);
  g_assert_cmpuint (g_hash_table_size (w->shims.one.writers), ==, 0);
  w->service = service_new (MEMORY_CONFIG);
}

/* ---- while it runs --------------------------------------------------------------------------- */

static void
test_cancellation_ends_a_write (World *w, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (w, &id);
  g_autoptr (ImgImportJob) job = NULL;

  shim_await_writer (&w->shims.one);
  job = imgimport_service_get_job (w->service, NULL, job_id, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_PROCESSING);
  g_assert_cmpstr (imgimport_job_get_phase (job), ==, "deliver");
  g_assert_cmpuint (imgimport_job_get_total (job), ==, 5);
  assert_lists (w->service, id, "one", "");
  g_clear_object (&job);

  g_assert_true (imgimport_service_cancel_job (w->service, NULL, job_id, &w->error));
  job = finish (w->service, job_id);
  assert_failure (job, "cancelled", "cancelled");
  assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  /* Nobody's failure. */
  assert_lists (w->service, id, "", "");
  assert_no_objects (w);
}

/* F012 */
static void
test_deletion_ends_the_import (World *w, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (w, &id);
  g_autoptr (ImgImportJob) job = NULL;

  shim_await_writer (&w->shims.one);
  g_assert_true (imgimport_service_delete_image (w->service, NULL, id, &w->error));
  job = finish (w->service, job_id);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_FAILURE);
  g_assert_null (imgimport_service_get_image (w->service, NULL, id, &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  assert_no_objects (w);
}

static void
test_wait_times_out (World *w, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (w, &id);
  g_autoptr (ImgImportJob) job = NULL;

  g_assert_null (imgimport_service_wait_job (w->service, job_id, 5, NULL, &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_TIMED_OUT, "wait-timed-out");
  let_go (w);
  job = finish (w->service, job_id);
  assert_success (job);
}

typedef struct
{
  Shim *shim;
  GCancellable *cancellable;
} Canceller;

static gpointer
cancel_soon (gpointer data)
{
  Canceller *self = data;

  shim_await_writer (self->shim);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
test_cancelled_wait_leaves_the_job (World *w, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (w, &id);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Canceller canceller = { &w->shims.one, cancellable };
  GThread *thread = _imgimport_thread_new ("cancel", cancel_soon, &canceller, &w->error);
  g_autoptr (ImgImportJob) job = NULL;

  g_assert_null (imgimport_service_wait_job (w->service, job_id, -1, cancellable, &w->error));
  g_assert_error (w->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&w->error);
  g_thread_join (thread);
  let_go (w);
  job = finish (w->service, job_id);
  assert_success (job);
}

/* ---- asynchronously -------------------------------------------------------------------------- */

static void
on_waited (GObject *service, GAsyncResult *result, gpointer user_data)
{
  World *w = user_data;

  w->job = imgimport_service_wait_job_finish (IMGIMPORT_SERVICE (service), result, &w->error);
  w->n_answers++;
}

static void
test_answer_comes_in_the_callers_context (World *w, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (w, &id);

  g_main_context_push_thread_default (context);
  imgimport_service_wait_job_async (w->service, job_id, NULL, on_waited, w);
  g_main_context_pop_thread_default (context);
  shim_await_writer (&w->shims.one);
  while (g_main_context_iteration (context, FALSE))
    g_assert_cmpuint (w->n_answers, ==, 0);
  let_go (w);
  while (w->n_answers == 0)
    g_main_context_iteration (context, TRUE);
  g_assert_no_error (w->error);
  assert_success (w->job);
  g_assert_false (g_main_context_pending (NULL));
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_cmpuint (w->n_answers, ==, 1);
}

static void
test_asynchronous_wait_is_cancelled (World *w, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (w, &id);

  g_main_context_push_thread_default (context);
  imgimport_service_wait_job_async (w->service, job_id, cancellable, on_waited, w);
  g_main_context_pop_thread_default (context);
  shim_await_writer (&w->shims.one);
  g_cancellable_cancel (cancellable);
  while (w->n_answers == 0)
    g_main_context_iteration (context, TRUE);
  g_assert_error (w->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&w->error);
  let_go (w);
}

/* Of a job that does not exist, and of a service that is closed. */
static void
test_asynchronous_wait_in_vain (World *w, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autofree char *id = NULL;
  g_autofree char *job_id = accept (w, &id);

  g_main_context_push_thread_default (context);
  imgimport_service_wait_job_async (w->service, "none", NULL, on_waited, w);
  while (w->n_answers == 0)
    g_main_context_iteration (context, TRUE);
  assert_refused (&w->error, IMGIMPORT_ERROR_NOT_FOUND, "job-not-found");

  let_go (w);
  g_assert_true (imgimport_service_close (w->service, NULL, &w->error));
  imgimport_service_wait_job_async (w->service, job_id, NULL, on_waited, w);
  while (w->n_answers == 1)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  assert_refused (&w->error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
}

/* With one thread, which another import keeps: that was queued before the end that failed is tried
 * again. */
static void
test_claim_does_not_await_a_stalled_job_for_ever (World *w, gconstpointer data)
{
  g_autofree char *image_id = NULL;
  g_autofree char *other_id = NULL;
  g_autofree char *job_id = accept (w, &image_id);
  g_autofree char *other_job_id = NULL;
  g_autoptr (ImgImportImport) import = _imgimport_service_find_import (w->service, job_id);

  shim_await_writer (&w->shims.one);
  other_job_id = accept (w, &other_id);
  g_atomic_pointer_set (&w->lost, job_id);
  imgimport_run_cancel (_imgimport_import_get_run (import));
  g_assert_true (imgimport_run_wait (_imgimport_import_get_run (import), -1));
  shim_await_writer (&w->shims.one);
  g_atomic_pointer_set (&w->lost, NULL);

  g_assert_null (imgimport_service_import_image (w->service, NULL, image_id, NULL, &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_INVALID_STATE, "status-not-importable");
  let_go (w);
  w->job = finish (w->service, other_job_id);
  assert_success (w->job);
  g_object_unref (finish (w->service, job_id));
}

#define ADD(name, workers, func)                                                                   \
  g_test_add (name, World, workers, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/jobs-wait/cancellation-ends-a-write", "1", test_cancellation_ends_a_write);
  ADD ("/conformance/F012/deletion-ends-the-import", "1", test_deletion_ends_the_import);
  ADD ("/jobs-wait/wait-times-out", "1", test_wait_times_out);
  ADD ("/jobs-wait/cancelled-wait-leaves-the-job", "1", test_cancelled_wait_leaves_the_job);
  ADD ("/jobs-wait/answer-comes-in-the-callers-context", "1",
       test_answer_comes_in_the_callers_context);
  ADD ("/jobs-wait/asynchronous-wait-is-cancelled", "1", test_asynchronous_wait_is_cancelled);
  ADD ("/jobs-wait/asynchronous-wait-in-vain", "1", test_asynchronous_wait_in_vain);
  ADD ("/jobs-wait/claim-does-not-await-a-stalled-job-for-ever", "1",
       test_claim_does_not_await_a_stalled_job_for_ever);
  return g_test_run ();
}
