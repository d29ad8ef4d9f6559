/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The publisher's digest: of what is staged or fetched, whatever hooks make of it. */

#include "import.h"
#include "shim-world.h"

#include "fetch-method.h"
#include "filter-hook.h"

#define CONFIG "{\"workers\": 0, \"hooks\": [\"mark\"]}"

/* Those that begin in lower case are made longer by the hook. */
#define FILTERED "bytes"
#define PLAIN "Bytes"

typedef struct
{
  ShimWorld shims;
  FilterHook mark;
  FetchMethod fetch;
  ImgImportService *service;
  char *id;
} World;

static void
set_up_world (World *w, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  w->mark = (FilterHook){ .mark = '!' };
  shim_world_init (&w->shims);
  w->service = shim_world_service (&w->shims, CONFIG);
  imgimport_service_add_method (w->service, "fetch", &fetch_method, &w->fetch, NULL, &error);
  imgimport_service_add_hook (w->service, "mark", &filter_hook, &w->mark, NULL, &error);
  g_assert_no_error (error);
  service_start (w->service);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
  g_free (w->id);
}

static char *
request (const char *method, const char *algorithm, const char *of)
{
  GChecksumType type = g_str_equal (algorithm, "sha256") ? G_CHECKSUM_SHA256 : G_CHECKSUM_SHA512;
  g_autofree char *lower = g_compute_checksum_for_string (type, of, -1);
  g_autofree char *value = g_ascii_strup (lower, -1);

  return g_strdup_printf ("{\"method\": {\"name\": \"%s\"}, \"expected_digest\": "
                          "{\"algorithm\": \"%s\", \"value\": \"%s\"}}",
                          method, algorithm, value);
}

static ImgImportJob *
import_with (World *w, const char *method, const char *algorithm, const char *bytes, const char *of)
{
  g_autofree char *text = request (method, algorithm, of);

  g_clear_pointer (&w->id, g_free);
  w->id = create (w->service, NULL, RAW);
  w->fetch = (FetchMethod){ bytes, IMGIMPORT_SIZE_UNKNOWN };
  if (g_str_equal (method, "glance-direct"))
    stage (w->service, w->id, bytes);
  return run_import (w->service, w->id, text);
}

typedef struct
{
  const char *method;
  const char *algorithm; /* staging computes sha512, and sha256 is read for */
  const char *bytes;
} Path;

static const Path paths[] = {
  { "glance-direct", "sha512", PLAIN }, { "glance-direct", "sha512", FILTERED },
  { "glance-direct", "sha256", PLAIN }, { "glance-direct", "sha256", FILTERED },
  { "fetch", "sha512", PLAIN },         { "fetch", "sha512", FILTERED },
  { "fetch", "sha256", PLAIN },         { "fetch", "sha256", FILTERED },
};

static void
test_right_digest (World *w, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      const Path *path = &paths[i];
      g_autoptr (ImgImportJob) job =
          import_with (w, path->method, path->algorithm, path->bytes, path->bytes);
      g_autoptr (ImgImportImage) image = get (w->service, w->id);

      assert_success (job);
      g_assert_cmpint ((int)imgimport_image_get_status (image), ==, (int)IMGIMPORT_STATUS_ACTIVE);
      g_assert_cmpuint (imgimport_image_get_size (image), ==,
                        g_str_equal (path->bytes, PLAIN) ? 5 : 6);
    }
}

/* Also the digest of what the hook makes of the bytes is a wrong one. */
static void
test_wrong_digest (World *w, gconstpointer data)
{
  static const char *const others[] = { "bytez", "BYTES!" };

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (paths); i++)
    {
      const Path *path = &paths[i / 2];
      g_autoptr (ImgImportJob) job =
          import_with (w, path->method, path->algorithm, path->bytes, others[i % 2]);

      assert_failure (job, "digest-mismatch", "expected_digest");
      assert_image_is (w->service, w->id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
      g_assert_cmpuint (g_hash_table_size (w->shims.staging.objects), ==, 0);
      g_assert_cmpuint (g_hash_table_size (w->shims.one.objects), ==, 0);
      assert_no_notes (w->service);
    }
}

/* What staging cannot read is no verdict on the bytes. */
static void
test_staging_that_fails (World *w, gconstpointer data)
{
  static const char *const slots[] = { "open", "read" };

  for (gsize i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      g_autoptr (ImgImportJob) job = NULL;

      w->shims.staging.bad_slot = slots[i];
      job = import_with (w, "glance-direct", "sha256", PLAIN, PLAIN);
      assert_failure (job, "planted", "the planted failure");
      assert_image_is (w->service, w->id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
    }
}

#define ADD(path, func) g_test_add (path, World, NULL, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/security/46/right-digest", test_right_digest);
  ADD ("/security/46/wrong-digest", test_wrong_digest);
  ADD ("/import-digest/staging-that-fails", test_staging_that_fails);
  return g_test_run ();
}
