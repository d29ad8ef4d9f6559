/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pages of jobs: what a filter may say, and what a page does not tell. */

#include "import.h"

static char *
done (Fixture *f, ImgImportContext *context)
{
  g_autofree char *id = create (f->service, context, RAW);
  char *job_id;
  g_autoptr (ImgImportJob) job = NULL;

  stage (f->service, id, "bytes");
  job_id = begin_import (f->service, context, id, NULL);
  job = finish (f->service, job_id);
  return job_id;
}

static void
expect (Fixture *f, ImgImportContext *context, const char *filter, const char *ids)
{
  g_autoptr (GPtrArray) jobs = imgimport_service_list_jobs (f->service, context, filter, &f->error);
  g_autoptr (GString) found = g_string_new (NULL);
  guint i;

  g_assert_no_error (f->error);
  for (i = 0; i < jobs->len; i++)
    g_string_append_printf (found, "%s%s", i > 0 ? "," : "", imgimport_job_get_id (jobs->pdata[i]));
  g_assert_cmpstr (found->str, ==, ids);
}

static void
test_wrong_filters_are_refused (Fixture *f, gconstpointer data)
{
  static const char *const filters[] = { "",
                                         "[]",
                                         "{\"state\": \"x\"}",
                                         "{\"status\": \"x\"}",
                                         "{\"limit\": 0}",
                                         "{\"limit\": 1001}",
                                         "{\"marker\": 1}" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_assert_null (imgimport_service_list_jobs (f->service, NULL, filters[i], &f->error));
      assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "filter-invalid");
    }
}

/* Nor does a marker tell when somebody else's job was made. */
static void
test_jobs_of_others_are_no_markers (Fixture *f, gconstpointer data)
{
  g_autofree char *theirs = done (f, f->bob);
  g_autofree char *filter = g_strdup_printf ("{\"marker\": \"%s\"}", theirs);

  expect (f, f->alice, NULL, "");
  expect (f, f->bob, NULL, theirs);
  expect (f, f->bob, filter, "");
  g_assert_null (imgimport_service_list_jobs (f->service, f->alice, filter, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "marker-unknown");
  g_assert_null (
      imgimport_service_list_jobs (f->service, f->alice, "{\"marker\": \"x\"}", &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "marker-unknown");
}

static void
test_unreadable_job_hides_no_other (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = done (f, f->alice);
  const ImgImportRecord record = { .kind = IMGIMPORT_KIND_JOB,
                                   .id = "11111111-2222-4333-8444-555555555555",
                                   .owner = "alice",
                                   .status = "success",
                                   .created_us = 1,
                                   .body = "{\"job\": 1}" };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT, .record = &record };
  const ImgImportOp *const ops[] = { &op };

  g_assert_true (_imgimport_catalog_commit (f->service->catalog, ops, 1, FALSE, &f->error));
  expect (f, f->alice, NULL, job_id);
  g_assert_cmpuint (f->n_warnings, ==, 1);
}

#define ADD(path, func) g_test_add ("/jobs/list/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("wrong-filters-are-refused", test_wrong_filters_are_refused);
  ADD ("jobs-of-others-are-no-markers", test_jobs_of_others_are_no_markers);
  ADD ("unreadable-job-hides-no-other", test_unreadable_job_hides_no_other);
  return g_test_run ();
}
