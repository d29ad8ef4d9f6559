/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Imports from a method's stream: sizes that are told, unknown or lies, and streams that fail. */

#include "import.h"
#include "shim-world.h"

#define FETCH "{\"method\": {\"name\": \"fetch\", \"from\": \"there\"}}"

/* A method that does what a test wants. */
typedef struct
{
  const char *bytes;
  guint64 size; /* told */
  gsize chunk;
  gboolean silent; /* open answers neither stream nor staged bytes */
  gboolean uses_staged;
  gboolean open_fails;
  guint fail_read; /* this one; 0: none */
  guint n_opens;
  guint n_reads;
  guint n_closes;
  gsize at;
} Script;

typedef struct
{
  ShimWorld shims;
  Script script;
  ImgImportService *service;
  char *id;
  GError *error;
} World;

static gboolean
script_open (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
             GCancellable *cancellable, GError **error)
{
  Script *script = self;

  script->n_opens++;
  g_assert_nonnull (strstr (imgimport_call_get_request (call), "\"from\":\"there\""));
  g_assert_cmpint ((int)imgimport_image_get_status (imgimport_call_get_image (call)), ==,
                   (int)IMGIMPORT_STATUS_IMPORTING);
  if (script->open_fails)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_UNAVAILABLE, "uri-unreachable", "nobody answers");
      return FALSE;
    }
  if (script->uses_staged)
    return imgimport_call_use_staged (call, error);
  if (script->silent)
    return TRUE;
  script->at = 0;
  *stream = script;
  if (script->size != IMGIMPORT_SIZE_UNKNOWN)
    *size = script->size;
  return TRUE;
}

static gboolean
script_read (gpointer self, gpointer stream, void *buffer, gsize length, gsize *n_read,
             GCancellable *cancellable, GError **error)
{
  Script *script = stream;

  if (++script->n_reads == script->fail_read)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_UNAVAILABLE, "connection-lost", "it hung up");
      return FALSE;
    }
  *n_read = MIN (MIN (length, script->chunk), strlen (script->bytes) - script->at);
  memcpy (buffer, script->bytes + script->at, *n_read);
  script->at += *n_read;
  return TRUE;
}

static void
script_close (gpointer self, gpointer stream)
{
  ((Script *)stream)->n_closes++;
}

static const ImgImportMethodVTable fetch = { IMGIMPORT_METHOD_VTABLE_INIT,
                                             .required_status = IMGIMPORT_STATUS_QUEUED,
                                             .open = script_open, .read = script_read,
                                             .close = script_close };

static void
set_up_world (World *w, gconstpointer workers)
{
  g_autofree char *config = g_strdup_printf ("{\"workers\": %s, \"limits\": "
                                             "{\"image_size_cap\": 12}}",
                                             (const char *)workers);

  w->script = (Script){ .bytes = "0123456789", .size = IMGIMPORT_SIZE_UNKNOWN, .chunk = 3 };
  shim_world_init (&w->shims);
  w->service = shim_world_service (&w->shims, config);
  imgimport_service_add_method (w->service, "fetch", &fetch, &w->script, NULL, &w->error);
  g_assert_no_error (w->error);
  service_start (w->service);
  w->id = create (w->service, NULL, RAW);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_finalize_object (w->service);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
  shim_world_clear (&w->shims);
  g_free (w->id);
}

/* Queued, with nothing left, and imported at the next try. */
static void
fails (World *w, const char *reason, const char *why)
{
  const Script good = { .bytes = "0123456789", .size = 10, .chunk = 3 };
  g_autoptr (ImgImportJob) job = run_import (w->service, w->id, FETCH);
  g_autoptr (ImgImportJob) again = NULL;
  g_autoptr (ImgImportImage) image = get (w->service, w->id);

  assert_failure (job, reason, why);
  g_assert_cmpuint (w->script.n_opens, ==, 1);
  g_assert_cmpuint (w->script.n_closes, ==,
                    !w->script.open_fails && !w->script.silent && !w->script.uses_staged);
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_lists (w->service, w->id, "", "");
  g_assert_cmpuint (image->size, ==, IMGIMPORT_SIZE_UNKNOWN);
  g_assert_null (image->checksum);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
  g_assert_cmpuint (g_hash_table_size (w->shims.staging.writers), ==, 0);
  assert_no_notes (w->service);

  w->script = good;
  again = run_import (w->service, w->id, FETCH);
  assert_success (again);
}

/* ---- streams that end well ------------------------------------------------------------------- */

static void
test_stream_is_imported (World *w, gconstpointer data)
{
  g_autofree char *md5 = g_compute_checksum_for_string (G_CHECKSUM_MD5, "0123456789", -1);
  g_autoptr (ImgImportJob) job = run_import (w->service, w->id, FETCH);
  g_autoptr (ImgImportImage) image = get (w->service, w->id);

  assert_success (job);
  g_assert_cmpuint (w->script.n_opens, ==, 1);
  g_assert_cmpuint (w->script.n_closes, ==, 1);
  g_assert_cmpuint (image->size, ==, 10);
  g_assert_cmpstr (image->checksum, ==, md5);
  assert_copies (w->service, w->id, "one");
}

static void
test_told_size_is_the_total (World *w, gconstpointer data)
{
  g_autofree char *job_id = NULL;
  g_autoptr (ImgImportJob) job = NULL;

  w->script.size = 10;
  job_id = begin_import (w->service, NULL, w->id, FETCH);
  while (w->script.n_opens == 0)
    g_assert_true (imgimport_service_iterate (w->service));
  job = imgimport_service_get_job (w->service, NULL, job_id, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpstr (imgimport_job_get_phase (job), ==, "fetch");
  g_assert_cmpuint (imgimport_job_get_total (job), ==, 10);
  g_assert_cmpuint (imgimport_job_get_bytes (job), ==, 10);
  g_clear_object (&job);
  job = finish (w->service, job_id);
  assert_success (job);
}

/* ---- streams that do not --------------------------------------------------------------------- */

static void
test_too_few_bytes (World *w, gconstpointer data)
{
  w->script.size = 11;
  fails (w, "size-mismatch", "fewer bytes than the 11");
}

static void
test_too_many_bytes (World *w, gconstpointer data)
{
  w->script.size = 9;
  fails (w, "size-mismatch", "more bytes than the 9");
}

static void
test_empty_stream (World *w, gconstpointer data)
{
  w->script.bytes = "";
  fails (w, "image-empty", "empty");
}

static void
test_size_over_the_cap (World *w, gconstpointer data)
{
  w->script.size = 13;
  fails (w, "image-size-cap", "image_size_cap");
}

static void
test_bytes_over_the_cap (World *w, gconstpointer data)
{
  w->script.bytes = "0123456789abc";
  fails (w, "image-size-cap", "image_size_cap");
}

/* Every one, to the one that would have told the end. */
static void
test_failing_read (World *w, gconstpointer data)
{
  guint n;

  for (n = 1; n <= 5; n++)
    {
      w->script = (Script){ .bytes = "0123456789", .size = 10, .chunk = 3, .fail_read = n };
      fails (w, "connection-lost", "it hung up");
      g_free (w->id);
      w->id = create (w->service, NULL, RAW);
    }
}

static void
test_failing_open (World *w, gconstpointer data)
{
  w->script.open_fails = TRUE;
  fails (w, "uri-unreachable", "nobody answers");
}

static void
test_method_without_bytes (World *w, gconstpointer data)
{
  w->script.silent = TRUE;
  fails (w, "method-no-source", "fetch");
}

static void
test_nothing_is_staged_for_it (World *w, gconstpointer data)
{
  w->script.uses_staged = TRUE;
  fails (w, "not-staged", "nothing is staged");
}

static void
test_full_staging (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  w->shims.staging.bad_slot = "write";
  w->shims.staging.code = IMGIMPORT_ERROR_NO_SPACE;
  job = run_import (w->service, w->id, FETCH);
  assert_failure (job, "planted", "store “staging”");
  g_assert_cmpuint (w->script.n_closes, ==, 1);
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (w->service);
}

/* What was fetched goes with a delivery that fails: there is nothing to import again from. */
static void
test_failing_store (World *w, gconstpointer data)
{
  g_autoptr (ImgImportJob) job = NULL;

  w->shims.one.bad_slot = "write";
  job = run_import (w->service, w->id, FETCH);
  assert_failure (job, "planted", "store “one”");
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_lists (w->service, w->id, "", "one");
  assert_no_notes (w->service);
}

static const struct
{
  const char *name;
  void (*func) (World *w, gconstpointer data);
} rows[] = {
  { "stream-is-imported", test_stream_is_imported },
  { "too-few-bytes", test_too_few_bytes },
  { "too-many-bytes", test_too_many_bytes },
  { "empty-stream", test_empty_stream },
  { "size-over-the-cap", test_size_over_the_cap },
  { "bytes-over-the-cap", test_bytes_over_the_cap },
  { "failing-read", test_failing_read },
  { "failing-open", test_failing_open },
  { "method-without-bytes", test_method_without_bytes },
  { "nothing-is-staged-for-it", test_nothing_is_staged_for_it },
  { "full-staging", test_full_staging },
  { "failing-store", test_failing_store },
};

/* The process that accepted it is dead, and who is left has no such method. */
static void
test_method_that_is_gone (World *w, gconstpointer data)
{
  ImgImportService *dead = w->service;
  g_autofree char *job_id = begin_import (dead, NULL, w->id, FETCH);
  g_autoptr (ImgImportJob) job = NULL;

  w->service = shim_world_service (&w->shims, "{\"workers\": 0}");
  service_start (w->service);
  job = finish (w->service, job_id);
  assert_failure (job, "method-disabled", "“fetch” is not enabled");
  assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (w->service);
  g_assert_finalize_object (dead);
}

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/import-method/%s", rows[i].name);

      g_test_add (path, World, "0", set_up_world, rows[i].func, tear_down_world);
    }
  g_test_add ("/import-method/told-size-is-the-total", World, "0", set_up_world,
              test_told_size_is_the_total, tear_down_world);
  g_test_add ("/import-method/method-that-is-gone", World, "0", set_up_world,
              test_method_that_is_gone, tear_down_world);
  g_test_add ("/import-method/threads/stream-is-imported", World, "1", set_up_world,
              test_stream_is_imported, tear_down_world);
  return g_test_run ();
}
