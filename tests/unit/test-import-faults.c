/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The same import over a catalog and stores of which the n-th call fails, for every n, alone or
 * with all that follow it: each failure is told, no image stays importing, no byte is nobody's, and
 * in the end the image can be imported or deleted. */

#include "import.h"
#include "shim-world.h"

#include "filter-hook.h"

typedef struct
{
  ShimWorld shims;
  Shim two;          /* a second store */
  FilterHook filter; /* without faults of its own */
  ImgImportService *service;
} World;

enum
{
  ONCE,
  LASTING, /* until another service comes */
  RETURNING,
  REVERTING /* once, of an import that fails anyway */
};

/* How the import is asked for, what it is run by, and how long calls fail. */
typedef struct
{
  const char *path;
  const char *config;
  const char *request;
  gboolean from_stream;
  int duration;
} Story;

#define ALONE "{\"workers\": 0, \"hooks\": [\"mark\"]}"
#define TWO_WORKERS "{\"workers\": 2, \"hooks\": [\"mark\"]}"
#define ALONE_FILTERED "{\"workers\": 0, \"hooks\": [\"mark\", \"filter\"]}"
#define TWO_WORKERS_FILTERED "{\"workers\": 2, \"hooks\": [\"mark\", \"filter\"]}"
#define STREAM_TO_ALL "{\"method\": {\"name\": \"stream\"}, \"all_stores\": true}"

/* ---- plug-ins -------------------------------------------------------------------------------- */

static gboolean
open_stream (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
             GCancellable *cancellable, GError **error)
{
  *stream = g_memory_input_stream_new_from_data ("bytes", 5, NULL);
  return TRUE;
}

static gboolean
read_stream (gpointer self, gpointer stream, void *buffer, gsize length, gsize *n_read,
             GCancellable *cancellable, GError **error)
{
  return g_input_stream_read_all (stream, buffer, length, n_read, cancellable, error);
}

static void
close_stream (gpointer self, gpointer stream)
{
  g_object_unref (stream);
}

static const ImgImportMethodVTable stream_method = { IMGIMPORT_METHOD_VTABLE_INIT,
                                                     .required_status = IMGIMPORT_STATUS_QUEUED,
                                                     .open = open_stream, .read = read_stream,
                                                     .close = close_stream };

static gboolean
mark_image (gpointer self, ImgImportCall *call, GCancellable *cancellable, GError **error)
{
  return imgimport_call_set_property (call, "mark", "set", error);
}

static const ImgImportHookVTable mark = { IMGIMPORT_HOOK_VTABLE_INIT, .metadata = mark_image };

/* ---- the world ------------------------------------------------------------------------------- */

static void
open_world (World *w, const char *config)
{
  g_autoptr (GError) error = NULL;

  w->service = shim_world_service (&w->shims, config);
  imgimport_service_add_store (w->service, "two", &shim_store, &w->two, NULL, &error);
  g_assert_no_error (error);
  imgimport_service_add_method (w->service, "stream", &stream_method, NULL, NULL, &error);
  g_assert_no_error (error);
  imgimport_service_add_hook (w->service, "mark", &mark, NULL, NULL, &error);
  g_assert_no_error (error);
  imgimport_service_add_hook (w->service, "filter", &filter_hook, &w->filter, NULL, &error);
  g_assert_no_error (error);
  service_start (w->service);
}

static void
world_init (World *w)
{
  *w = (World){ .service = NULL };
  shim_world_init (&w->shims);
  shim_init_store (&w->two, &w->shims.faults);
}

static void
world_clear (World *w)
{
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
  shim_clear (&w->two);
}

static void
reopen (World *w, const Story *story)
{
  g_assert_finalize_object (w->service);
  open_world (w, story->config);
}

/* ---- what must hold -------------------------------------------------------------------------- */

static gboolean
is_noted (World *w, const char *store, const char *key)
{
  g_autofree char *id = g_strdup_printf ("%s/%s", store, key);
  gint64 revision = 0;
  g_autoptr (GError) error = NULL;

  _imgimport_catalog_get (w->service->catalog, IMGIMPORT_KIND_OBJECT, id, NULL, &revision, &error);
  g_assert_no_error (error);
  return revision != 0;
}

/* Each object is the image's, or, with `notes`, noted. */
static void
check_objects (World *w, const Shim *shim, const char *store, const char *key, gboolean notes)
{
  GHashTableIter iter;
  gpointer object;

  g_assert_cmpuint (g_hash_table_size (shim->writers), ==, 0);
  g_assert_true (key == NULL || g_hash_table_contains (shim->objects, key));
  g_hash_table_iter_init (&iter, shim->objects);
  while (g_hash_table_iter_next (&iter, &object, NULL))
    if (g_strcmp0 (object, key) != 0)
      g_assert_true (notes && is_noted (w, store, object));
}

static void
check_bytes (World *w, const char *id, gboolean notes)
{
  static const char *const stores[] = { "one", "two" };
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (w->service, id, NULL);
  gsize i;

  check_objects (w, &w->shims.staging, IMGIMPORT_STAGING_ID,
                 record != NULL ? record->staged.key : NULL, notes);
  for (i = 0; i < G_N_ELEMENTS (stores); i++)
    {
      const ImgImportLocation *location =
          record != NULL ? find_location (record->image, stores[i]) : NULL;

      check_objects (w, i == 0 ? &w->shims.one : &w->two, stores[i],
                     location != NULL ? location->key : NULL, notes);
    }
  if (!notes)
    assert_no_notes (w->service);
}

static void
check_image (World *w, const Story *story, const char *id)
{
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (w->service, id, NULL);
  ImgImportImage *image = record->image;

  g_assert_cmpint ((int)record->claim.kind, ==, (int)IMGIMPORT_CLAIM_NONE);
  g_assert_null (record->original.key);
  g_assert_cmpstr (imgimport_image_get_property (image, "mark"), ==,
                   image->status == IMGIMPORT_STATUS_ACTIVE ? "set" : NULL);
  if (image->status == IMGIMPORT_STATUS_ACTIVE)
    {
      g_assert_cmpuint (image->locations->len, >, 0);
      g_assert_null (record->staged.key);
      return;
    }
  g_assert_cmpint (
      (int)image->status, ==,
      (int)(story->from_stream ? IMGIMPORT_STATUS_QUEUED : IMGIMPORT_STATUS_UPLOADING));
  g_assert_cmpuint (image->locations->len, ==, 0);
  g_assert_null (image->os_hash_value);
  g_assert_true ((record->staged.key == NULL) == story->from_stream);
  g_assert_cmpuint (image->size, ==, story->from_stream ? IMGIMPORT_SIZE_UNKNOWN : 5);
}

/* A job that failed says so, of what image; success and activity are one. */
static void
check_job (World *w, const char *id, ImgImportJob *job)
{
  g_autoptr (ImgImportImage) image = get (w->service, id);
  gboolean active = image->status == IMGIMPORT_STATUS_ACTIVE;

  g_assert_cmpint ((int)job->status, ==,
                   (int)(active ? IMGIMPORT_JOB_SUCCESS : IMGIMPORT_JOB_FAILURE));
  if (!active && g_strcmp0 (job->reason, "interrupted") != 0)
    assert_failure (job, "planted", "the planted failure");
}

/* ---- the story ------------------------------------------------------------------------------- */

/* As far as it goes; what goes wrong is told. */
static void
import_with_faults (World *w, const Story *story, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *job_id =
      imgimport_service_import_image (w->service, NULL, id, story->request, &error);
  g_autoptr (ImgImportJob) job =
      job_id != NULL ? imgimport_service_wait_job (w->service, job_id, -1, NULL, &error) : NULL;

  g_assert_true ((job == NULL) == (error != NULL));
  if (error != NULL)
    g_assert_nonnull (strstr (error->message, "the planted failure"));
}

/* The import may have been accepted even where the catalog said that it was not. */
static char *
find_job (World *w, const char *id)
{
  g_autofree char *filter = g_strdup_printf ("{\"image_id\": \"%s\"}", id);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs = imgimport_service_list_jobs (w->service, NULL, filter, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (jobs->len, <=, 1);
  return jobs->len == 1 ? g_strdup (imgimport_job_get_id (jobs->pdata[0])) : NULL;
}

/* Without faults; NULL where nothing was accepted. */
static ImgImportJob *
settle (World *w, const char *id)
{
  g_autofree char *job_id = find_job (w, id);

  return job_id != NULL ? finish (w->service, job_id) : NULL;
}

static void
check_end (World *w, const Story *story, const char *id)
{
  g_autoptr (ImgImportImage) image = get (w->service, id);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportJob) job = NULL;

  reopen (w, story);
  check_bytes (w, id, FALSE);
  if (image->status != IMGIMPORT_STATUS_ACTIVE)
    {
      job = run_import (w->service, id, story->request);
      assert_success (job);
      /* The last notes may go only after the job has been told to be over. */
      reopen (w, story);
    }
  check_bytes (w, id, FALSE);
  imgimport_service_delete_image (w->service, NULL, id, &error);
  g_assert_no_error (error);
  check_bytes (w, id, FALSE);
}

/* Whether the n-th call was made. */
static gboolean
go_wrong (World *w, const Story *story, const char *id, gint n)
{
  gboolean reached;

  g_atomic_int_set (&w->shims.faults.n_calls, 0);
  g_atomic_int_set (&w->shims.faults.lasting,
                    story->duration == LASTING || story->duration == RETURNING);
  g_atomic_int_set (&w->shims.faults.fail_at, n);
  import_with_faults (w, story, id);
  reached = g_atomic_int_get (&w->shims.faults.n_calls) >= n;
  if (story->duration == LASTING)
    g_assert_finalize_object (w->service);
  g_atomic_int_set (&w->shims.faults.fail_at, 0);
  if (story->duration == LASTING)
    open_world (w, story->config);
  return reached;
}

static gboolean
tell (const Story *story, gint n)
{
  World w;
  g_autofree char *id = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  gboolean reached;

  world_init (&w);
  open_world (&w, story->config);
  id = create (w.service, NULL, RAW);
  if (!story->from_stream)
    stage (w.service, id, "bytes");
  w.shims.one.bad_slot = story->duration == REVERTING ? "begin" : NULL;
  reached = go_wrong (&w, story, id, n);
  job = settle (&w, id);
  w.shims.one.bad_slot = NULL;
  await_imports (w.service);
  if (job != NULL)
    check_job (&w, id, job);
  check_image (&w, story, id);
  check_bytes (&w, id, TRUE);
  check_end (&w, story, id);
  world_clear (&w);
  return reached;
}

static void
test_story (gconstpointer data)
{
  gint n = 1;

  while (tell (data, n))
    n++;
  g_assert_cmpint (n, >, 20);
}

/* Whoever is faster in between, the import goes on. */
static void
test_conflicts (gconstpointer data)
{
  const Story *story = data;
  guint n = 0, n_guarded = 0;

  do
    {
      World w;
      g_autofree char *id = NULL;
      g_autoptr (ImgImportJob) job = NULL;

      world_init (&w);
      open_world (&w, story->config);
      id = create (w.service, NULL, RAW);
      stage (w.service, id, "bytes");
      w.shims.faults.conflict_at = ++n;
      job = run_import (w.service, id, story->request);
      n_guarded = w.shims.faults.n_guarded;
      w.shims.faults.conflict_at = 0;
      assert_success (job);
      check_image (&w, story, id);
      check_end (&w, story, id);
      world_clear (&w);
    }
  while (n_guarded >= n);
  g_assert_cmpuint (n, >, 5);
}

static const Story stories[] = {
  { "/import-faults/staged/once", ALONE, DIRECT_TO_ALL, FALSE, ONCE },
  { "/import-faults/staged/lasting", ALONE, DIRECT_TO_ALL, FALSE, LASTING },
  { "/import-faults/staged/once-threads", TWO_WORKERS, DIRECT_TO_ALL, FALSE, ONCE },
  { "/import-faults/staged/lasting-threads", TWO_WORKERS, DIRECT_TO_ALL, FALSE, LASTING },
  { "/import-faults/some/once", ALONE, DIRECT_TO_SOME, FALSE, ONCE },
  { "/import-faults/filtered/once", ALONE_FILTERED, DIRECT_TO_ALL, FALSE, ONCE },
  { "/import-faults/filtered/lasting", ALONE_FILTERED, DIRECT_TO_ALL, FALSE, LASTING },
  { "/import-faults/filtered/once-threads", TWO_WORKERS_FILTERED, DIRECT_TO_ALL, FALSE, ONCE },
  { "/import-faults/filtered/lasting-threads", TWO_WORKERS_FILTERED, DIRECT_TO_ALL, FALSE,
    LASTING },
  { "/import-faults/stream-filtered/lasting", ALONE_FILTERED, STREAM_TO_ALL, TRUE, LASTING },
  { "/import-faults/staged/returning", ALONE, DIRECT_TO_ALL, FALSE, RETURNING },
  { "/import-faults/staged/returning-threads", TWO_WORKERS, DIRECT_TO_ALL, FALSE, RETURNING },
  { "/import-faults/filtered/returning", ALONE_FILTERED, DIRECT_TO_ALL, FALSE, RETURNING },
  { "/import-faults/stream-filtered/returning", ALONE_FILTERED, STREAM_TO_ALL, TRUE, RETURNING },
  { "/import-faults/stream/returning-threads", TWO_WORKERS, STREAM_TO_ALL, TRUE, RETURNING },
  { "/import-faults/stream/once", ALONE, STREAM_TO_ALL, TRUE, ONCE },
  { "/import-faults/reverting/once", ALONE, DIRECT_TO_ALL, FALSE, REVERTING },
  { "/import-faults/stream/lasting", ALONE, STREAM_TO_ALL, TRUE, LASTING },
  { "/import-faults/stream/once-threads", TWO_WORKERS, STREAM_TO_ALL, TRUE, ONCE },
};

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (stories); i++)
    g_test_add_data_func (stories[i].path, &stories[i], test_story);
  g_test_add_data_func ("/import-faults/conflicts", &stories[0], test_conflicts);
  return g_test_run ();
}
