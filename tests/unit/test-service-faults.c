/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A catalog and stores that fail where nobody's import waits: at a start that recovers what a dead
 * service left, in the listing of jobs, and after an import that failed. */

#include "import.h"
#include "shim-world.h"

#define ALONE "{\"workers\": 0}"
#define MARKED "{\"workers\": 0, \"hooks\": [\"first\", \"second\"]}"

static guint n_warnings;

static void
count_all_warnings (GLogLevelFlags level, const char *message, gpointer user_data)
{
  n_warnings += level == G_LOG_LEVEL_WARNING ? 1 : 0;
}

static ImgImportService *
open_service (ShimWorld *w)
{
  ImgImportService *service = shim_world_service (w, ALONE);

  imgimport_service_set_log_func (service, count_all_warnings, NULL, NULL);
  service_start (service);
  return service;
}

/* ---- recovery ---------------------------------------------------------------------------------
 */

/* What a service that died was about. */
typedef struct
{
  ImgImportService *dead;
  ImgImportUpload *upload;
  char *uploading; /* images */
  char *importing;
  char *job;
} Estate;

static Estate
leave_estate (ShimWorld *w)
{
  Estate self = { .dead = open_service (w) };
  g_autoptr (GError) error = NULL;

  self.uploading = create (self.dead, NULL, RAW);
  self.upload = imgimport_service_stage_begin (self.dead, NULL, self.uploading,
                                               IMGIMPORT_SIZE_UNKNOWN, &error);
  g_assert_no_error (error);
  imgimport_upload_write (self.upload, "some", 4, NULL, &error);
  g_assert_no_error (error);
  self.importing = create (self.dead, NULL, RAW);
  stage (self.dead, self.importing, "bytes");
  self.job = begin_import (self.dead, NULL, self.importing, DIRECT "}");
  return self;
}

/* A start of which the n-th call fails; FALSE where it has fewer. */
static gboolean
start_with_a_fault (ShimWorld *w, gint n)
{
  ImgImportService *service = shim_world_service (w, ALONE);
  gint before = w->faults.n_calls;
  g_autoptr (GError) error = NULL;
  gboolean reached;

  imgimport_service_set_log_func (service, count_all_warnings, NULL, NULL);
  w->faults.fail_at = before + n;
  if (!imgimport_service_start (service, NULL, &error))
    g_assert_nonnull (strstr (error->message, "the planted failure"));
  reached = w->faults.n_calls >= w->faults.fail_at;
  w->faults.fail_at = 0;
  g_assert_finalize_object (service);
  return reached;
}

/* All that was left is paid by the next start, and the dead one changes nothing any more. */
static void
settle_estate (ShimWorld *w, Estate *self)
{
  ImgImportService *heir = open_service (w);
  g_autoptr (ImgImportJob) job = finish (heir, self->job);

  if (job->status == IMGIMPORT_JOB_SUCCESS)
    assert_image_is (heir, self->importing, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STAGE_NONE);
  else
    {
      g_assert_true (g_str_equal (job->reason, "interrupted") ||
                     g_str_equal (job->reason, "planted"));
      import (heir, self->importing, DIRECT "}");
    }
  assert_image_is (heir, self->uploading, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (g_hash_table_size (w->staging.objects), ==, 0);
  g_assert_cmpuint (g_hash_table_size (w->one.objects), ==, 1);
  assert_no_notes (heir);
  g_clear_object (&self->upload);
  g_assert_finalize_object (self->dead);
  g_assert_finalize_object (heir);
  g_free (self->uploading);
  g_free (self->importing);
  g_free (self->job);
}

static void
start_that_fails_leaves_all_to_the_next (void)
{
  gboolean reached = TRUE;
  gint n;

  for (n = 1; reached; n++)
    {
      ShimWorld w;
      Estate estate;

      shim_world_init (&w);
      estate = leave_estate (&w);
      reached = start_with_a_fault (&w, n);
      settle_estate (&w, &estate);
      shim_world_clear (&w);
    }
  g_test_message ("%d calls", n - 2);
  g_assert_cmpint (n, >, 10);
}

/* ---- hooks that are not undone ----------------------------------------------------------------
 */

static gboolean
set_mark (gpointer self, ImgImportCall *call, GCancellable *cancellable, GError **error)
{
  return imgimport_call_set_property (call, "mark", self, error);
}

static ImgImportService *
open_marking_service (ShimWorld *w)
{
  static const ImgImportHookVTable vtable = { IMGIMPORT_HOOK_VTABLE_INIT, .metadata = set_mark };
  static const char *const names[] = { "first", "second" };
  ImgImportService *service = shim_world_service (w, MARKED);
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      imgimport_service_add_hook (service, names[i], &vtable, (gpointer)names[i], NULL, &error);
      g_assert_no_error (error);
    }
  service_start (service);
  return service;
}

/* As far as it goes. */
static void
try_to_import (ImgImportService *service, const char *id)
{
  g_autofree char *job_id = imgimport_service_import_image (service, NULL, id, DIRECT "}", NULL);
  g_autoptr (ImgImportJob) job =
      job_id != NULL ? imgimport_service_wait_job (service, job_id, -1, NULL, NULL) : NULL;

  g_assert_true (job == NULL || job->status == IMGIMPORT_JOB_FAILURE);
}

/* Without faults. */
static void
end_jobs (ImgImportService *service)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs = imgimport_service_list_jobs (service, NULL, NULL, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < jobs->len; i++)
    {
      g_autoptr (ImgImportJob) job = finish (service, imgimport_job_get_id (jobs->pdata[i]));

      g_assert_cmpint ((int)job->status, ==, (int)IMGIMPORT_JOB_FAILURE);
    }
}

/* An import that fails anyway, with a call that fails meanwhile, and all from `gap` calls later on
 * until it is tried again, by another service if this one `dies`. FALSE where there is no n-th
 * call. */
static gboolean
fail_with_faults (gint n, gint gap, gboolean dies)
{
  ShimWorld w;
  ImgImportService *service;
  g_autofree char *id = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  gboolean reached;

  shim_world_init (&w);
  service = open_marking_service (&w);
  id = create (service, NULL, RAW);
  stage (service, id, "bytes");
  w.one.bad_slot = "begin";
  w.faults.fail_at = w.faults.n_calls + n;
  w.faults.fail_from = w.faults.fail_at + gap;
  try_to_import (service, id);
  reached = w.faults.n_calls >= w.faults.fail_at;
  if (dies)
    g_assert_finalize_object (service);
  w.faults.fail_at = w.faults.fail_from = 0;
  if (dies)
    service = open_marking_service (&w);
  end_jobs (service);
  image = get (service, id);
  g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_UPLOADING);
  g_assert_cmpstr (imgimport_image_get_property (image, "mark"), ==, NULL);
  g_assert_finalize_object (service);
  shim_world_clear (&w);
  return reached;
}

static void
failed_import_leaves_no_property (gconstpointer dies)
{
  gint gap, n;

  for (gap = 1; gap <= 12; gap++)
    {
      n = 1;
      while (fail_with_faults (n, gap, dies != NULL))
        n++;
      g_assert_cmpint (n, >, 20);
    }
}

/* ---- others -----------------------------------------------------------------------------------
 */

static void
marker_that_cannot_be_looked_up_is_told (void)
{
  ShimWorld w;
  ImgImportService *service;
  g_autoptr (GError) error = NULL;

  shim_world_init (&w);
  service = open_service (&w);
  w.catalog.bad_slot = "get";
  g_assert_null (imgimport_service_list_jobs (
      service, NULL, "{\"marker\": \"11111111-2222-4333-8444-555555555555\"}", &error));
  assert_refused (&error, IMGIMPORT_ERROR_UNAVAILABLE, "planted");
  w.catalog.bad_slot = NULL;
  g_assert_finalize_object (service);
  shim_world_clear (&w);
}

/* It is the content's fault, so they are not wanted any more. */
static void
staged_bytes_that_cannot_be_removed_wait_for_a_start (void)
{
  ShimWorld w;
  ImgImportService *service;
  g_autofree char *id = NULL;
  g_autoptr (ImgImportJob) job = NULL;

  shim_world_init (&w);
  service = open_service (&w);
  id = create (service, NULL, "{\"disk_format\": \"qcow2\", \"container_format\": \"bare\"}");
  stage (service, id, "no qcow2");
  n_warnings = 0;
  w.staging.bad_slot = "remove";
  job = run_import (service, id, DIRECT "}");
  w.staging.bad_slot = NULL;
  assert_failure (job, "format-mismatch", "is raw");
  assert_image_is (service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (n_warnings, ==, 1);
  g_assert_cmpuint (g_hash_table_size (w.staging.objects), ==, 1);
  g_assert_finalize_object (service);

  service = open_service (&w);
  g_assert_cmpuint (g_hash_table_size (w.staging.objects), ==, 0);
  assert_no_notes (service);
  g_assert_finalize_object (service);
  shim_world_clear (&w);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/security/63/start-that-fails-leaves-all-to-the-next",
                   start_that_fails_leaves_all_to_the_next);
  g_test_add_data_func ("/service/faults/failed-import-leaves-no-property", NULL,
                        failed_import_leaves_no_property);
  g_test_add_data_func ("/service/faults/failed-import-leaves-no-property-to-the-next", "dies",
                        failed_import_leaves_no_property);
  g_test_add_func ("/service/faults/marker-that-cannot-be-looked-up-is-told",
                   marker_that_cannot_be_looked_up_is_told);
  g_test_add_func ("/service/faults/staged-bytes-that-cannot-be-removed-wait-for-a-start",
                   staged_bytes_that_cannot_be_removed_wait_for_a_start);
  return g_test_run ();
}
