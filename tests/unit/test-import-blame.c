/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is to blame for the end of an import decides what becomes of its bytes: not they for what a
 * store, the catalog or the configuration does; they for what they are under the formats that the
 * image has when it becomes active. */

#include "import.h"
#include "shim-world.h"

typedef struct
{
  ShimWorld shims;  /* first: it is the world of the shims */
  guint n_refusals; /* commits to come that make a job a success, and fail */
  gboolean swaps;   /* what is staged becomes another object while it is delivered */
  gboolean is_swapped;
  const char *patch; /* applied to the image while it is delivered; NULL: none */
  char *id;
  ImgImportService *service;
} World;

static gboolean
is_success (const ImgImportOp *op)
{
  return op->kind == IMGIMPORT_OP_PUT && g_str_equal (op->record->kind, IMGIMPORT_KIND_JOB) &&
         g_strcmp0 (op->record->status, "success") == 0;
}

static gboolean
refusing_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
                 GError **error)
{
  World *w = ((Shim *)self)->world;
  guint i;

  for (i = 0; i < n_ops; i++)
    if (is_success (ops[i]) && w->n_refusals > 0)
      {
        w->n_refusals--;
        imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "planted", "the planted failure");
        return FALSE;
      }
  return shim_commit (self, ops, n_ops, durable, error);
}

static gboolean
patching_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
                GCancellable *cancellable, GError **error)
{
  World *w = ((Shim *)self)->world;

  if (w->patch != NULL)
    {
      g_autoptr (GError) refusal = NULL;
      ImgImportImage *image =
          imgimport_service_update_image (w->service, NULL, w->id, w->patch, &refusal);

      g_assert_no_error (refusal);
      g_object_unref (image);
    }
  w->is_swapped = w->swaps;
  return shim_begin (self, key, expected, writer, cancellable, error);
}

static gboolean
swapping_stat (gpointer self, const char *key, guint64 *size, char **version,
               GCancellable *cancellable, GError **error)
{
  const World *w = ((Shim *)self)->world;

  if (!shim_stat (self, key, size, version, cancellable, error))
    return FALSE;
  if (version == NULL || !w->is_swapped)
    return TRUE;
  g_free (*version);
  *version = g_strdup ("another");
  return TRUE;
}

static void
open_world (World *w, const char *config)
{
  w->service = shim_world_service (&w->shims, config);
  service_start (w->service);
}

#define ALONE "{\"workers\": 0}"
#define WITH_A_HOOK "{\"workers\": 0, \"hooks\": [\"no-op\"]}"

static void
set_up_world (World *w, gconstpointer data)
{
  shim_world_init (&w->shims);
  w->shims.catalog_slots.commit = refusing_commit;
  w->shims.one_slots.begin = patching_begin;
  w->shims.staging_slots.stat = swapping_stat;
  open_world (w, ALONE);
  w->id = create (w->service, NULL, RAW);
  stage (w->service, w->id, "bytes");
}

static void
tear_down_world (World *w, gconstpointer data)
{
  assert_no_notes (w->service);
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
  g_free (w->id);
}

/* ---- the bytes are not to blame -------------------------------------------------------------- */

static void
assert_importable (World *w)
{
  g_autoptr (ImgImportJob) job = NULL;

  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  job = run_import (w->service, w->id, NULL);
  assert_success (job);
}

static void
test_damaged_store_is_no_fault_of_the_bytes (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  w->shims.one.bad_slot = "begin";
  w->shims.one.code = IMGIMPORT_ERROR_CORRUPT;
  job = run_import (w->service, w->id, NULL);
  assert_failure (job, "planted", "planted failure");
  w->shims.one.bad_slot = NULL;
  assert_importable (w);
}

/* The journal of the dead process is of another flow than that of this configuration. */
static void
test_changed_configuration_is_no_fault_of_the_bytes (World *w, gconstpointer data)
{
  g_autofree char *job_id = begin_import (w->service, NULL, w->id, NULL);
  ImgImportService *dead = w->service;
  g_autoptr (ImgImportJob) job = NULL;

  assert_image_is (dead, w->id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  g_assert_true (imgimport_service_iterate (dead));
  assert_image_is (dead, w->id, IMGIMPORT_STATUS_IMPORTING, IMGIMPORT_STAGE_SEALED);
  open_world (w, WITH_A_HOOK);
  job = finish (w->service, job_id);
  assert_failure (job, "journal-foreign", "other tasks");
  assert_importable (w);
  g_assert_finalize_object (dead);
}

/* ---- they are -------------------------------------------------------------------------------- */

static void
test_formats_changed_late_are_judged (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  w->patch = "{\"disk_format\": \"qcow2\"}";
  job = run_import (w->service, w->id, NULL);
  assert_failure (job, "format-mismatch", "qcow2");
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_copies (w->service, w->id, "");
}

/* It is found after the last byte was read, and no copy of what was read stays. */
static void
test_bytes_swapped_while_delivered_are_not_active (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  w->swaps = TRUE;
  job = run_import (w->service, w->id, NULL);
  assert_failure (job, "staging-changed", "not the one that was sealed");
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_copies (w->service, w->id, "");
  g_assert_cmpuint (g_hash_table_size (w->shims.one.objects), ==, 0);
}

/* ---- nobody is ------------------------------------------------------------------------------- */

/* `warning`: what the first one says; NULL: there is none. */
static void
assert_imported (World *w, const char *job_id, const char *warning)
{
  g_autoptr (ImgImportJob) job = finish (w->service, job_id);
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (w->service, w->id, NULL);

  assert_success (job);
  if (warning != NULL)
    g_assert_nonnull (strstr (job->warnings[0], warning));
  else
    g_assert_null (job->warnings[0]);
  g_assert_cmpint ((int)record->claim.kind, ==, (int)IMGIMPORT_CLAIM_NONE);
  assert_copies (w->service, w->id, "one");
}

static void
test_active_image_ends_its_job (World *w, gconstpointer data)
{
  g_autofree char *job_id = begin_import (w->service, NULL, w->id, NULL);

  w->n_refusals = 1;
  assert_imported (w, job_id, "planted failure");
}

/* That its last task failed was known to the dead process only: it is done again. */
static void
test_later_start_ends_the_job_of_an_active_image (World *w, gconstpointer data)
{
  g_autofree char *job_id = begin_import (w->service, NULL, w->id, NULL);

  w->n_refusals = 2;
  while (imgimport_service_iterate (w->service))
    continue;
  g_assert_cmpuint (w->n_refusals, ==, 0);
  g_assert_finalize_object (w->service);
  open_world (w, ALONE);
  assert_imported (w, job_id, NULL);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/import/blame/" path, World, NULL, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("damaged-store-is-no-fault-of-the-bytes", test_damaged_store_is_no_fault_of_the_bytes);
  ADD ("changed-configuration-is-no-fault-of-the-bytes",
       test_changed_configuration_is_no_fault_of_the_bytes);
  ADD ("S41/formats-changed-late-are-judged", test_formats_changed_late_are_judged);
  ADD ("bytes-swapped-while-delivered-are-not-active",
       test_bytes_swapped_while_delivered_are_not_active);
  ADD ("active-image-ends-its-job", test_active_image_ends_its_job);
  ADD ("later-start-ends-the-job-of-an-active-image",
       test_later_start_ends_the_job_of_an_active_image);
  return g_test_run ();
}
