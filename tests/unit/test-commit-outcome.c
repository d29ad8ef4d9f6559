/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A catalog that commits and then says that it failed, at every commit of a stage and an import:
 * what has happened is a success where the catalog can tell so, and ends in a documented state
 * where it cannot. */

#include "import.h"
#include "shim-world.h"

typedef struct
{
  ShimWorld shims; /* first: it is the world of the shims */
  guint n_commits;
  guint lie_at;     /* the commit that lies; 0: none */
  gboolean blind;   /* and the catalog cannot be read just after it */
  gboolean is_dark; /* that read is the next one */
} World;

static gboolean
lying_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
              GError **error)
{
  World *w = ((Shim *)self)->world;

  if (!shim_commit (self, ops, n_ops, durable, error))
    return FALSE;
  if (++w->n_commits != w->lie_at)
    return TRUE;
  w->is_dark = w->blind;
  imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "answer-lost", "the answer was lost");
  return FALSE;
}

static gboolean
dark_get (gpointer self, const char *kind, const char *id, ImgImportRecordFunc func,
          gpointer func_data, GError **error)
{
  World *w = ((Shim *)self)->world;

  if (!w->is_dark)
    return shim_get (self, kind, id, func, func_data, error);
  w->is_dark = FALSE;
  imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "answer-lost", "the answer was lost");
  return FALSE;
}

static ImgImportService *
open_service (World *w)
{
  ImgImportService *service =
      shim_world_service (&w->shims, "{\"workers\": 0, \"hooks\": [{\"name\": "
                                     "\"inject-metadata\", \"options\": {\"inject\": "
                                     "{\"by\": \"hook\"}, \"ignore_user_roles\": []}}]}");

  service_start (service);
  return service;
}

/* A host that goes on where it can. The job, where it learned of one. */
static char *
do_all (ImgImportService *service, const char *id)
{
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_data ("bytes", 5, NULL);
  g_autoptr (ImgImportImage) image = imgimport_service_stage_stream (
      service, NULL, id, stream, IMGIMPORT_SIZE_UNKNOWN, NULL, NULL);
  char *job_id =
      image != NULL ? imgimport_service_import_image (service, NULL, id, NULL, NULL) : NULL;
  ImgImportJob *job =
      job_id != NULL ? imgimport_service_wait_job (service, job_id, -1, NULL, NULL) : NULL;

  g_clear_object (&job);
  return job_id;
}

/* Nothing is held, half done or without an owner, and `active` has its bytes. */
static void
assert_documented (World *w, ImgImportService *service, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs = NULL;
  g_autoptr (ImgImportImageRecord) record = NULL;
  guint i;

  while (imgimport_service_iterate (service))
    continue;
  record = _imgimport_image_record_load (service, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint ((int)record->claim.kind, ==, (int)IMGIMPORT_CLAIM_NONE);
  if (record->image->status == IMGIMPORT_STATUS_UPLOADING)
    g_assert_true (
        _imgimport_store_stat (service->staging, record->staged.key, NULL, NULL, NULL, &error));
  else if (record->image->status == IMGIMPORT_STATUS_ACTIVE)
    {
      assert_copies (service, id, "one");
      assert_property (service, id, "by", "hook");
    }
  else
    g_assert_cmpint ((int)record->image->status, ==, (int)IMGIMPORT_STATUS_QUEUED);
  jobs = imgimport_service_list_jobs (service, NULL, NULL, &error);
  g_assert_no_error (error);
  for (i = 0; i < jobs->len; i++)
    g_assert_true (imgimport_job_is_finished (jobs->pdata[i]));
  assert_no_notes (service);
}

/* How many commits there are; the `lie_at`-th lies. */
static guint
lie_once (guint lie_at, gboolean blind)
{
  World w = { .lie_at = lie_at, .blind = blind };
  ImgImportService *service;
  g_autofree char *id = NULL;
  g_autofree char *job_id = NULL;
  guint n_commits;

  shim_world_init (&w.shims);
  w.shims.catalog_slots.commit = lying_commit;
  w.shims.catalog_slots.get = dark_get;
  service = open_service (&w);
  id = create (service, NULL, RAW);
  job_id = do_all (service, id);
  n_commits = w.n_commits;
  if (!blind)
    g_assert_nonnull (job_id);
  g_assert_finalize_object (service);
  service = open_service (&w);
  assert_documented (&w, service, id);
  g_assert_finalize_object (service);
  shim_world_clear (&w.shims);
  return n_commits;
}

static void
test_every_commit (gconstpointer blind)
{
  guint n = lie_once (0, FALSE);
  guint i;

  g_assert_cmpuint (n, >, 10);
  /* The first one makes the image: a host that does not learn its id has nothing to go on with. */
  for (i = blind != NULL ? 2 : 1; i <= n; i++)
    lie_once (i, blind != NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/commit/answer-lost/what-happened-is-a-success", NULL, test_every_commit);
  g_test_add_data_func ("/commit/answer-lost/what-cannot-be-known-ends-documented", "blind",
                        test_every_commit);
  return g_test_run ();
}
