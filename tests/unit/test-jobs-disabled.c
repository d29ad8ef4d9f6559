/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job whose method the next service does not offer: it ends there all the same, and where the
 * catalog does not take its end at once, as soon as it does. */

#include "import.h"
#include "shim-world.h"

typedef struct
{
  ShimWorld shims;   /* first: it is the world of the shims */
  gboolean is_armed; /* the catalog takes no more once it has taken a job */
} World;

static gboolean
commit_and_be_lost (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
                    GError **error)
{
  Shim *shim = self;
  World *w = shim->world;
  gboolean ok = shim_commit (self, ops, n_ops, durable, error);
  guint i;

  for (i = 0; w->is_armed && i < n_ops; i++)
    if (ops[i]->record != NULL && g_str_equal (ops[i]->record->kind, IMGIMPORT_KIND_JOB))
      shim->bad_slot = "commit";
  return ok;
}

static void
leave_job (ShimWorld *shims, char **image_id, char **job_id)
{
  g_autoptr (GError) error = NULL;
  ImgImportService *service = shim_world_service (shims, "{\"workers\": 0}");

  service_start (service);
  *image_id = create (service, NULL, RAW);
  stage (service, *image_id, "bytes");
  *job_id = begin_import (service, NULL, *image_id, NULL);
  imgimport_service_close (service, NULL, &error);
  g_assert_no_error (error);
  g_assert_finalize_object (service);
}

static void
test_job_ends (gconstpointer lost)
{
  World w = { .is_armed = FALSE };
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (GError) error = NULL;
  ImgImportService *service;

  shim_world_init (&w.shims);
  w.shims.catalog_slots.commit = commit_and_be_lost;
  leave_job (&w.shims, &image_id, &job_id);
  service = shim_world_service (&w.shims, "{\"workers\": 0, \"methods\": []}");
  w.is_armed = GPOINTER_TO_INT (lost);
  service_start (service);
  w.is_armed = FALSE;
  if (w.shims.catalog.bad_slot != NULL)
    {
      g_assert_null (imgimport_service_wait_job (service, job_id, -1, NULL, &error));
      assert_refused (&error, IMGIMPORT_ERROR_UNAVAILABLE, "job-stalled");
      w.shims.catalog.bad_slot = NULL;
    }
  job = finish (service, job_id);
  assert_failure (job, "method-disabled", "glance-direct");
  assert_image_is (service, image_id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_no_notes (service);
  g_assert_finalize_object (service);
  shim_world_clear (&w.shims);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/jobs-disabled/job-ends", GINT_TO_POINTER (FALSE), test_job_ends);
  g_test_add_data_func ("/jobs-disabled/job-ends-once-the-catalog-takes-it", GINT_TO_POINTER (TRUE),
                        test_job_ends);
  return g_test_run ();
}
