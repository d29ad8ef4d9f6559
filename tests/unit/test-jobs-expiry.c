/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of jobs when their time is over (F055, F056): their records go away. */

#include "import.h"
#include "shim-world.h"

#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)
#define BATCH 64

typedef struct
{
  ShimWorld shims;
  ImgImportService *service;
  GError *error;
} World;

static void
open_world (World *w)
{
  w->service = shim_world_service (&w->shims, "{\"workers\": 0}");
  service_start (w->service);
}

static void
set_up_world (World *w, gconstpointer data)
{
  shim_world_init (&w->shims);
  open_world (w);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
}

static guint
count_records (World *w, const char *kind)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = kind };
  guint n = 0;

  _imgimport_catalog_scan (w->service->catalog, &query, count_note, &n, &w->error);
  g_assert_no_error (w->error);
  return n;
}

static guint
count_jobs (World *w)
{
  return count_records (w, IMGIMPORT_KIND_JOB);
}

static char *
finish_one (World *w)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, id, "bytes");
  job = run_import (w->service, id, NULL);
  assert_success (job);
  return g_strdup (imgimport_job_get_id (job));
}

/* `n` more records of the same job, with what a run may have left. */
static void
copy_job (World *w, const char *id, guint n, gint64 created_us)
{
  g_autoptr (ImgImportJobRecord) job = _imgimport_job_record_load (w->service, id, &w->error);
  g_autofree char *body = _imgimport_job_record_to_body (job);
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autofree char *copy = g_strdup_printf ("copy-%05u", i);
      const ImgImportRecord record = { .kind = IMGIMPORT_KIND_JOB,
                                       .id = copy,
                                       .status = "success",
                                       .created_us = created_us,
                                       .body = body };
      const ImgImportRecord note = {
        .kind = IMGIMPORT_KIND_RUN, .id = copy, .owner = w->service->owner, .body = "{}"
      };
      const ImgImportOp put = { .kind = IMGIMPORT_OP_PUT, .record = &record };
      const ImgImportOp put_note = { .kind = IMGIMPORT_OP_PUT, .record = &note };
      const ImgImportOp append = {
        .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = copy, .data = "x", .length = 1
      };
      const ImgImportOp *const ops[] = { &put, &put_note, &append };

      _imgimport_catalog_commit (w->service->catalog, ops, G_N_ELEMENTS (ops), FALSE, &w->error);
      g_assert_no_error (w->error);
    }
}

static void
list (World *w, guint n_expected)
{
  g_autoptr (GPtrArray) jobs = imgimport_service_list_jobs (w->service, NULL, NULL, &w->error);

  g_assert_no_error (w->error);
  g_assert_cmpuint (jobs->len, ==, n_expected);
}

static void
advance (World *w, gint64 us)
{
  _imgimport_clock_advance (w->service->clock, us);
}

static void
test_list_removes_what_has_expired (World *w, gconstpointer data)
{
  g_autofree char *id = finish_one (w);

  advance (w, 48 * HOUR_US - 1);
  list (w, 1);
  g_assert_cmpuint (count_jobs (w), ==, 1);
  advance (w, 60 * G_USEC_PER_SEC);
  list (w, 0);
  g_assert_cmpuint (count_jobs (w), ==, 0);
  g_assert_null (imgimport_service_get_job (w->service, NULL, id, &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_NOT_FOUND, "job-not-found");
}

static void
test_accept_removes_what_has_expired (World *w, gconstpointer data)
{
  g_free (finish_one (w));
  advance (w, 48 * HOUR_US);
  g_free (finish_one (w));
  g_assert_cmpuint (count_jobs (w), ==, 1);
}

static gboolean
count_bytes (const void *bytes, gsize length, gpointer user_data)
{
  ++*(guint *)user_data;
  return TRUE;
}

static void
test_nothing_of_its_run_stays (World *w, gconstpointer data)
{
  g_autofree char *id = finish_one (w);
  guint n = 0;

  copy_job (w, id, 1, EPOCH_US);
  advance (w, 48 * HOUR_US);
  list (w, 0);
  assert_no_notes (w->service);
  _imgimport_catalog_journal_load (w->service->catalog, "copy-00000", count_bytes, &n, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpuint (n, ==, 0);
}

/* Each call removes some, and looks at no more than that. */
static void
test_many_go_little_by_little (World *w, gconstpointer data)
{
  g_autofree char *id = finish_one (w);

  copy_job (w, id, 3 * BATCH, EPOCH_US);
  advance (w, 48 * HOUR_US);
  list (w, 0);
  g_assert_cmpuint (count_jobs (w), ==, 2 * BATCH + 1);
  list (w, 0);
  g_assert_cmpuint (count_jobs (w), ==, BATCH + 1);
  list (w, 0);
  list (w, 0);
  g_assert_cmpuint (count_jobs (w), ==, 0);
}

/* Nor are those that cannot go in the way of those that can. */
static void
test_unfinished_jobs_are_passed (World *w, gconstpointer data)
{
  guint i;

  g_free (finish_one (w));
  advance (w, 1);
  for (i = 0; i < BATCH; i++)
    {
      g_autofree char *id = create (w->service, NULL, RAW);

      stage (w->service, id, "bytes");
      g_free (begin_import (w->service, NULL, id, NULL));
    }
  advance (w, 48 * HOUR_US + 1);
  g_assert_cmpuint (count_jobs (w), ==, BATCH + 1);
  list (w, 25);
  g_assert_cmpuint (count_jobs (w), ==, BATCH + 1);
  list (w, 25);
  g_assert_cmpuint (count_jobs (w), ==, BATCH);
  /* And they have their turn again. */
  while (imgimport_service_iterate (w->service))
    ;
  advance (w, 48 * HOUR_US + 1);
  list (w, 0);
  g_assert_cmpuint (count_jobs (w), ==, 0);
}

static void
test_start_removes_what_has_expired (World *w, gconstpointer data)
{
  g_autofree char *id = finish_one (w);

  copy_job (w, id, 1, EPOCH_US);
  g_assert_finalize_object (w->service);
  w->service = shim_world_service (&w->shims, "{\"workers\": 0}");
  advance (w, 48 * HOUR_US);
  service_start (w->service);
  g_assert_cmpuint (count_jobs (w), ==, 0);
  assert_no_notes (w->service);
}

/* And is tried again a minute later. */
static void
test_failure_fails_no_call (World *w, gconstpointer data)
{
  g_free (finish_one (w));
  advance (w, 48 * HOUR_US);
  w->shims.catalog.bad_slot = "commit";
  list (w, 0);
  w->shims.catalog.bad_slot = NULL;
  list (w, 0);
  g_assert_cmpuint (count_jobs (w), ==, 1);
  advance (w, 60 * G_USEC_PER_SEC);
  list (w, 0);
  g_assert_cmpuint (count_jobs (w), ==, 0);
}

/* Who turns the page meanwhile is not told that the page before never was. */
static void
test_marker_serves_until_it_is_removed (World *w, gconstpointer data)
{
  g_autofree char *id = finish_one (w);
  g_autofree char *filter = g_strdup_printf ("{\"marker\": \"%s\"}", id);
  g_autoptr (GPtrArray) jobs = NULL;

  advance (w, 48 * HOUR_US);
  jobs = imgimport_service_list_jobs (w->service, NULL, filter, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpuint (jobs->len, ==, 0);
  g_assert_cmpuint (count_jobs (w), ==, 0);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/conformance/F056/" name, World, NULL, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("list-removes-what-has-expired", test_list_removes_what_has_expired);
  ADD ("accept-removes-what-has-expired", test_accept_removes_what_has_expired);
  ADD ("nothing-of-its-run-stays", test_nothing_of_its_run_stays);
  ADD ("many-go-little-by-little", test_many_go_little_by_little);
  ADD ("unfinished-jobs-are-passed", test_unfinished_jobs_are_passed);
  ADD ("start-removes-what-has-expired", test_start_removes_what_has_expired);
  ADD ("failure-fails-no-call", test_failure_fails_no_call);
  ADD ("marker-serves-until-it-is-removed", test_marker_serves_until_it_is_removed);
  return g_test_run ();
}
