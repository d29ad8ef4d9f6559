/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A close in the moment in which an import begins: its intent is being written, its first task has
 * not been called. */

#include "import.h"
#include "shim-world.h"

typedef struct
{
  ShimWorld shims; /* first: it is the world of the shims */
  GMutex lock;
  GCond cond;
  gboolean has_come; /* under lock: to the first append */
  gboolean open;     /* under lock: and may go on */
} World;

static void
wait_at_gate (World *w)
{
  g_mutex_lock (&w->lock);
  w->has_come = TRUE;
  g_cond_broadcast (&w->cond);
  while (!w->open)
    g_cond_wait (&w->cond, &w->lock);
  g_mutex_unlock (&w->lock);
}

static gboolean
slow_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
             GError **error)
{
  if (ops[0]->kind == IMGIMPORT_OP_JOURNAL_APPEND)
    wait_at_gate (((Shim *)self)->world);
  return shim_commit (self, ops, n_ops, durable, error);
}

static ImgImportService *
open_service (World *w)
{
  ImgImportService *service = shim_world_service (&w->shims, "{\"workers\": 1}");

  service_start (service);
  return service;
}

static gpointer
close_service (gpointer service)
{
  return GINT_TO_POINTER (imgimport_service_close (service, NULL, NULL));
}

static void
test_import_that_begins_is_awaited (void)
{
  World w = { 0 };
  g_autoptr (ImgImportService) service = NULL;
  g_autoptr (ImgImportImport) import = NULL;
  g_autoptr (ImgImportJobRecord) job = NULL;
  g_autofree char *id = NULL;
  g_autofree char *job_id = NULL;
  GThread *closer;

  shim_world_init (&w.shims);
  w.shims.catalog_slots.commit = slow_commit;
  g_mutex_init (&w.lock);
  g_cond_init (&w.cond);
  service = open_service (&w);
  id = create (service, NULL, RAW);
  stage (service, id, "bytes");
  job_id = begin_import (service, NULL, id, NULL);

  g_mutex_lock (&w.lock);
  while (!w.has_come)
    g_cond_wait (&w.cond, &w.lock);
  g_mutex_unlock (&w.lock);
  import = _imgimport_service_find_import (service, job_id);
  g_assert_true (_imgimport_import_is_begun (import));
  g_clear_pointer (&import, _imgimport_import_unref);

  closer = _imgimport_thread_new ("closer", close_service, service, NULL);
  g_mutex_lock (&w.lock);
  w.open = TRUE;
  g_cond_broadcast (&w.cond);
  g_mutex_unlock (&w.lock);
  g_assert_true (GPOINTER_TO_INT (g_thread_join (closer)));

  g_clear_object (&service);
  service = open_service (&w);
  job = _imgimport_job_record_load (service, job_id, NULL);
  assert_success (job->job);
  g_clear_object (&service);
  shim_world_clear (&w.shims);
  g_mutex_clear (&w.lock);
  g_cond_clear (&w.cond);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/close/import-that-begins-is-awaited", test_import_that_begins_is_awaited);
  return g_test_run ();
}
