/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Imports whose hooks change the bytes: what is delivered, and what is left where they fail. */

#include "import.h"
#include "shim-world.h"

#include "fetch-method.h"
#include "filter-hook.h"

#define FETCH "{\"method\": {\"name\": \"fetch\"}}"
#define CONFIG                                                                                     \
  "{\"workers\": %s, \"limits\": {\"image_size_cap\": 8}, \"hooks\": [\"first\", \"second\"]}"

typedef struct
{
  ShimWorld shims;
  FilterHook first;
  FilterHook second;
  FetchMethod fetch;
  ImgImportService *service;
  char *id;
  GError *error;
} World;

/* ---- the world ------------------------------------------------------------------------------- */

static void
set_up_world (World *w, gconstpointer workers)
{
  g_autofree char *config = g_strdup_printf (CONFIG, (const char *)workers);

  w->first = (FilterHook){ .mark = '!', .code = IMGIMPORT_ERROR_UNAVAILABLE };
  w->second = (FilterHook){ .mark = '?', .code = IMGIMPORT_ERROR_UNAVAILABLE };
  w->fetch.told = IMGIMPORT_SIZE_UNKNOWN;
  w->fetch.bytes = "bytes";
  shim_world_init (&w->shims);
  w->service = shim_world_service (&w->shims, config);
  imgimport_service_add_method (w->service, "fetch", &fetch_method, &w->fetch, NULL, &w->error);
  imgimport_service_add_hook (w->service, "first", &filter_hook, &w->first, NULL, &w->error);
  imgimport_service_add_hook (w->service, "second", &filter_hook, &w->second, NULL, &w->error);
  g_assert_no_error (w->error);
  service_start (w->service);
  w->id = create (w->service, NULL, RAW);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_cmpuint (w->first.n_closes, ==, w->first.n_filters);
  g_assert_cmpuint (w->second.n_closes, ==, w->second.n_filters);
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
  g_free (w->id);
}

/* Active with these bytes and their sums, and nothing is left of what it was made of. */
static void
assert_active (World *w, const char *bytes)
{
  g_autofree char *md5 = g_compute_checksum_for_string (G_CHECKSUM_MD5, bytes, -1);
  g_autoptr (ImgImportImageRecord) record = NULL;

  await_imports (w->service);
  record = _imgimport_image_record_load (w->service, w->id, NULL);
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (record->image->size, ==, strlen (bytes));
  g_assert_cmpstr (record->image->checksum, ==, md5);
  g_assert_null (record->staged.key);
  g_assert_null (record->original.key);
  assert_copies (w->service, w->id, "one");
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
  assert_no_notes (w->service);
}

/* D1: as it was staged, and nothing else is left; imported at the next try. */
static void
assert_returned (World *w)
{
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (w->service, w->id, NULL);
  g_autoptr (ImgImportJob) again = NULL;

  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  g_assert_cmpuint (record->image->size, ==, 5);
  g_assert_cmpuint (record->staged.size, ==, 5);
  g_assert_null (record->original.key);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 1);
  g_assert_cmpuint (g_hash_table_size (w->shims.one.objects), ==, 0);
  assert_no_notes (w->service);

  w->first = (FilterHook){ .mark = '!' };
  w->shims.one.bad_slot = NULL;
  w->shims.staging.bad_slot = NULL;
  again = run_import (w->service, w->id, NULL);
  assert_success (again);
  assert_active (w, "BYTES!");
}

static void
assert_queued (World *w)
{
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
  g_assert_cmpuint (g_hash_table_size (w->shims.one.objects), ==, 0);
  assert_no_notes (w->service);
}

static void
import_fails (World *w, const char *request, const char *reason, const char *why)
{
  g_autoptr (ImgImportJob) job = run_import (w->service, w->id, request);

  assert_failure (job, reason, why);
  await_imports (w->service);
}

/* ---- what is delivered ----------------------------------------------------------------------- */

static void
test_staged_bytes_are_filtered (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, w->id, "bytes");
  job = run_import (w->service, w->id, NULL);
  assert_success (job);
  /* The second one sees what the first one made, which is none of its business. */
  g_assert_cmpuint (w->second.n_opens, ==, 1);
  g_assert_cmpuint (w->second.n_filters, ==, 0);
  assert_active (w, "BYTES!");
}

/* No pass is made, and what is staged is delivered itself. */
static void
test_bytes_no_filter_wants_stay (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, w->id, "Bytes");
  job = run_import (w->service, w->id, NULL);
  assert_success (job);
  g_assert_cmpuint (w->first.n_filters, ==, 0);
  assert_active (w, "Bytes");
}

static void
test_stream_is_filtered (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  w->fetch.told = 5;
  job = run_import (w->service, w->id, FETCH);
  assert_success (job);
  assert_active (w, "BYTES!");
}

static void
test_stream_no_filter_wants_stays (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  w->fetch.bytes = "Bytes";
  w->fetch.told = 5;
  job = run_import (w->service, w->id, FETCH);
  assert_success (job);
  assert_active (w, "Bytes");
}

/* ---- what is left ---------------------------------------------------------------------------- */

static void
test_filter_fails (World *w, gconstpointer data)
{
  guint n;

  stage (w->service, w->id, "bytes");
  for (n = 1; n <= 3; n++)
    {
      w->first.n_reads = 0;
      w->first.fail_read = n;
      import_fails (w, NULL, "filtered", "hook “first”: the filter fails");
    }
  assert_returned (w);
}

static void
test_open_fails (World *w, gconstpointer data)
{
  stage (w->service, w->id, "bytes");
  w->first.open_fails = TRUE;
  import_fails (w, NULL, "filtered", "hook “first”: the filter fails");
  assert_returned (w);
}

/* The bytes are to blame: both objects are gone. */
static void
test_filter_blames_the_bytes (World *w, gconstpointer data)
{
  stage (w->service, w->id, "bytes");
  w->first.fail_read = 2;
  w->first.code = IMGIMPORT_ERROR_CORRUPT;
  import_fails (w, NULL, "filtered", "the filter fails");
  assert_queued (w);
}

static void
test_store_fails_after_the_filter (World *w, gconstpointer data)
{
  stage (w->service, w->id, "bytes");
  w->shims.one.bad_slot = "begin";
  import_fails (w, NULL, "planted", "the planted failure");
  assert_returned (w);
}

/* The verdict is on what came out, and it takes all bytes with it. */
static void
test_verdict_is_on_the_output (World *w, gconstpointer data)
{
  g_autoptr (ImgImportImage) image = imgimport_service_update_image (
      w->service, NULL, w->id, "{\"disk_format\": \"qcow2\"}", &w->error);

  g_assert_no_error (w->error);
  g_assert_nonnull (image);
  stage (w->service, w->id, "bytes");
  import_fails (w, NULL, "format-mismatch", "qcow2");
  assert_queued (w);
}

static void
test_staging_fails_to_open (World *w, gconstpointer data)
{
  stage (w->service, w->id, "bytes");
  w->shims.staging.bad_slot = "open";
  import_fails (w, NULL, "planted", "the planted failure");
  assert_returned (w);
}

static void
test_limits_are_on_both (World *w, gconstpointer data)
{
  /* Eight bytes are allowed, and nine come out. */
  stage (w->service, w->id, "eightbyt");
  import_fails (w, NULL, "image-size-cap", "image_size_cap");
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
}

static void
test_stream_lies_about_its_size (World *w, gconstpointer data)
{
  w->fetch.told = 6;
  import_fails (w, FETCH, "size-mismatch", "fewer");
  assert_queued (w);
  w->fetch.told = 4;
  import_fails (w, FETCH, "size-mismatch", "more");
  assert_queued (w);
  w->fetch.told = IMGIMPORT_SIZE_UNKNOWN;
  w->fetch.bytes = "more than eight";
  import_fails (w, FETCH, "image-size-cap", "image_size_cap");
  assert_queued (w);
}

/* ---- broken contracts ------------------------------------------------------------------------ */

static void
test_filter_leaves_bytes (World *w, gconstpointer data)
{
  stage (w->service, w->id, "bytes");
  w->first.stops = TRUE;
  import_fails (w, NULL, "contract-broken", "left bytes unread");
  assert_returned (w);
}

static void
test_filter_answers_too_much (World *w, gconstpointer data)
{
  stage (w->service, w->id, "bytes");
  w->first.overflows = TRUE;
  import_fails (w, NULL, "contract-broken", "more than was asked for");
  assert_returned (w);
}

static void
test_open_takes_bytes (World *w, gconstpointer data)
{
  stage (w->service, w->id, "bytes");
  w->first.reads_in_open = TRUE;
  import_fails (w, NULL, "contract-broken", "took bytes");
  assert_returned (w);
}

/* ---- the record ------------------------------------------------------------------------------ */

static void
test_record_keeps_the_original (World *w, gconstpointer data)
{
  g_autoptr (ImgImportImageRecord) record = NULL;
  g_autofree char *body = NULL;
  g_autoptr (ImgImportImageRecord) read = NULL;
  ImgImportRecord stored = { .kind = IMGIMPORT_KIND_IMAGE };

  stage (w->service, w->id, "bytes");
  record = _imgimport_image_record_load (w->service, w->id, NULL);
  record->original = record->staged;
  record->staged = (ImgImportStaged){ 0 };
  body = _imgimport_image_record_to_body (record);
  stored.id = w->id;
  stored.body = body;
  read = _imgimport_image_record_read (&stored, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpstr (read->original.key, ==, record->original.key);
  g_assert_null (read->staged.key);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (World *w, gconstpointer data);
  } tests[] = {
    { "/conformance/F109/staged-bytes-are-filtered", test_staged_bytes_are_filtered },
    { "/conformance/F111/stream-is-filtered", test_stream_is_filtered },
    { "/import-filter/bytes-no-filter-wants-stay", test_bytes_no_filter_wants_stay },
    { "/import-filter/stream-no-filter-wants-stays", test_stream_no_filter_wants_stays },
    { "/import-filter/filter-fails", test_filter_fails },
    { "/import-filter/open-fails", test_open_fails },
    { "/import-filter/filter-blames-the-bytes", test_filter_blames_the_bytes },
    { "/import-filter/store-fails-after-the-filter", test_store_fails_after_the_filter },
    { "/import-filter/staging-fails-to-open", test_staging_fails_to_open },
    { "/security/41/verdict-is-on-the-output", test_verdict_is_on_the_output },
    { "/security/27/limits-are-on-both", test_limits_are_on_both },
    { "/import-filter/stream-lies-about-its-size", test_stream_lies_about_its_size },
    { "/contract/hook/filter-leaves-bytes", test_filter_leaves_bytes },
    { "/contract/hook/filter-answers-too-much", test_filter_answers_too_much },
    { "/contract/hook/open-takes-bytes", test_open_takes_bytes },
    { "/import-filter/record-keeps-the-original", test_record_keeps_the_original },
  };
  static const char *const workers[] = { "0", "2" };
  gsize i, j;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (tests); i++)
    for (j = 0; j < G_N_ELEMENTS (workers); j++)
      {
        g_autofree char *path = g_strdup_printf ("%s/%s-workers", tests[i].path, workers[j]);

        g_test_add (path, World, workers[j], set_up_world, tests[i].test, tear_down_world);
      }
  return g_test_run ();
}
