/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whoever learns of a job before its import runs, such as by an event, can wait for it. */

#include "import.h"
#include "shim-world.h"

typedef struct
{
  ShimWorld shims; /* first: it is the world of the shims */
  ImgImportService *service;
  guint n_waits;
} World;

/* The id of a job that this commit gives to the service; NULL for none. */
static const char *
job_given (const ImgImportOp *const *ops, guint n_ops)
{
  guint i;

  for (i = 0; i < n_ops; i++)
    if (ops[i]->kind == IMGIMPORT_OP_PUT && g_str_equal (ops[i]->record->kind, IMGIMPORT_KIND_RUN))
      return ops[i]->record->id;
  return NULL;
}

static gboolean
waiting_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
                GError **error)
{
  World *w = ((Shim *)self)->world;
  const char *job_id = job_given (ops, n_ops);
  g_autoptr (GError) refusal = NULL;

  if (!shim_commit (self, ops, n_ops, durable, error))
    return FALSE;
  if (job_id == NULL || !_imgimport_service_check (w->service, NULL))
    return TRUE;
  g_assert_null (imgimport_service_wait_job (w->service, job_id, 0, NULL, &refusal));
  assert_refused (&refusal, IMGIMPORT_ERROR_TIMED_OUT, "wait-timed-out");
  w->n_waits++;
  return TRUE;
}

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
  w->shims.catalog_slots.commit = waiting_commit;
  open_world (w);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_finalize_object (w->service);
  shim_world_clear (&w->shims);
}

static void
test_new_job_is_no_stalled_one (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL, RAW);
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, id, "bytes");
  job = run_import (w->service, id, NULL);
  assert_success (job);
  g_assert_cmpuint (w->n_waits, ==, 1);
}

/* Another service dies, and the wait for its job takes it over. */
static void
test_job_taken_over_is_no_stalled_one (World *w, gconstpointer data)
{
  ImgImportService *dead = w->service;
  g_autofree char *id = create (dead, NULL, RAW);
  g_autofree char *job_id = NULL;
  g_autoptr (ImgImportJob) job = NULL;

  open_world (w);
  stage (dead, id, "bytes");
  w->n_waits = 0;
  job_id = begin_import (dead, NULL, id, NULL);
  job = finish (w->service, job_id);
  assert_success (job);
  g_assert_cmpuint (w->n_waits, >=, 1);
  g_assert_finalize_object (dead);
}

static void
test_any_timeout_will_do (World *w, gconstpointer data)
{
  static const gint64 timeouts_ms[] = { G_MAXINT64, G_MAXINT64 / 1000, G_MININT64, -1 };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (timeouts_ms); i++)
    {
      g_autofree char *id = create (w->service, NULL, RAW);
      g_autofree char *job_id = NULL;
      g_autoptr (ImgImportJob) job = NULL;
      g_autoptr (GError) error = NULL;

      stage (w->service, id, "bytes");
      job_id = begin_import (w->service, NULL, id, NULL);
      job = imgimport_service_wait_job (w->service, job_id, timeouts_ms[i], NULL, &error);
      g_assert_no_error (error);
      assert_success (job);
    }
}

#define ADD(path, func) g_test_add ("/wait/" path, World, NULL, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("new-job-is-no-stalled-one", test_new_job_is_no_stalled_one);
  ADD ("job-taken-over-is-no-stalled-one", test_job_taken_over_is_no_stalled_one);
  ADD ("any-timeout-will-do", test_any_timeout_will_do);
  return g_test_run ();
}
