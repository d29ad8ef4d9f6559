/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tasks of a job as a graph and as a trace: while it waits, and after it. */

#include "import.h"
#include "service/import-private.h"

#define NOWHERE "00000000-0000-4000-8000-000000000000"

static char *
accept (Fixture *f)
{
  g_autofree char *id = create (f->service, f->alice, RAW);

  stage (f->service, id, "bytes");
  return begin_import (f->service, f->alice, id, NULL);
}

static char *
graph (Fixture *f, const char *job_id)
{
  char *dot = imgimport_service_job_graph (f->service, f->alice, job_id, &f->error);

  g_assert_no_error (f->error);
  return dot;
}

static void
test_a_job_that_waits_is_drawn (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = accept (f);
  g_autofree char *dot = graph (f, job_id);

  g_assert_nonnull (strstr (dot, job_id));
  g_assert_nonnull (strstr (dot, "\\npending\""));
  g_assert_null (strstr (dot, "\\nsuccess"));
}

static void
test_a_job_that_is_over_is_drawn_from_its_record (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = accept (f);
  g_autoptr (ImgImportJob) job = finish (f->service, job_id);
  g_autofree char *dot = graph (f, job_id);
  g_autofree char *trace = imgimport_service_job_trace (f->service, f->alice, job_id, &f->error);

  g_assert_no_error (f->error);
  g_assert_true (imgimport_job_is_finished (job));
  g_assert_null (_imgimport_service_find_import (f->service, job_id));
  g_assert_nonnull (strstr (dot, "\\nsuccess"));
  g_assert_null (strstr (dot, "\\npending"));
  g_assert_nonnull (strstr (trace, "\"traceEvents\":["));
}

static void
assert_unknown (Fixture *f, ImgImportContext *context, const char *job_id, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_service_job_graph (f->service, context, job_id, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}

static gboolean
drop_tasks (ImgImportTxn *txn, gpointer data, GError **error)
{
  g_clear_pointer (&_imgimport_txn_job (txn)->job->tasks, g_free);
  _imgimport_txn_job_changed (txn);
  return TRUE;
}

static void
test_what_is_not_known_is_not_drawn (Fixture *f, gconstpointer data)
{
  g_autofree char *job_id = accept (f);
  g_autoptr (ImgImportJob) job = finish (f->service, job_id);

  g_assert_true (imgimport_job_is_finished (job));
  assert_unknown (f, f->alice, NOWHERE, "job-not-found");
  assert_unknown (f, f->bob, job_id, "job-not-found");
  g_assert_true (_imgimport_txn_run (f->service, NULL, job_id, FALSE, drop_tasks, NULL, &f->error));
  assert_unknown (f, f->alice, job_id, "tasks-unknown");
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/job/draw/a-job-that-waits-is-drawn", test_a_job_that_waits_is_drawn);
  ADD ("/job/draw/a-job-that-is-over-is-drawn-from-its-record",
       test_a_job_that_is_over_is_drawn_from_its_record);
  ADD ("/job/draw/what-is-not-known-is-not-drawn", test_what_is_not_known_is_not_drawn);
  return g_test_run ();
}
