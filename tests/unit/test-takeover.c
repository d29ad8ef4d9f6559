/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "recovery-world.h"

#define N_RACES 20

/* ---- while a service runs -------------------------------------------------------------------- */

typedef struct
{
  ImgImportService *dead;
  ImgImportService *other;
  char *job_id;
  char *id;
} Widow;

/* A service that was open already when the other one died. */
static Widow
widow_new (World *w)
{
  Widow self = { world_open_service (w, 1), world_open_service (w, 0), NULL, NULL };

  w->halt_at = "commit:one";
  self.id = create_importing (self.dead, &self.job_id);
  await_halt (w);
  declare_dead (w, self.dead);
  return self;
}

static void
widow_free (World *w, Widow *self)
{
  wake (w);
  g_assert_finalize_object (self->dead);
  g_assert_finalize_object (self->other);
  g_free (self->job_id);
  g_free (self->id);
}

static void
who_waits_takes_over (World *w, gconstpointer data)
{
  Widow widow = widow_new (w);

  assert_job (widow.other, widow.job_id, IMGIMPORT_JOB_FAILURE, "interrupted");
  assert_image (w, widow.other, widow.id, IMGIMPORT_STATUS_UPLOADING);
  widow_free (w, &widow);
}

static void
who_cancels_takes_over (World *w, gconstpointer data)
{
  Widow widow = widow_new (w);

  imgimport_service_cancel_job (widow.other, NULL, widow.job_id, &w->error);
  g_assert_no_error (w->error);
  assert_image (w, widow.other, widow.id, IMGIMPORT_STATUS_UPLOADING);
  widow_free (w, &widow);
}

static void
who_imports_takes_over (World *w, gconstpointer data)
{
  Widow widow = widow_new (w);
  g_autofree char *job_id = begin_import (widow.other, widow.id);

  assert_job (widow.other, widow.job_id, IMGIMPORT_JOB_FAILURE, "interrupted");
  assert_job (widow.other, job_id, IMGIMPORT_JOB_SUCCESS, NULL);
  widow_free (w, &widow);
}

static void
who_deletes_takes_over (World *w, gconstpointer data)
{
  Widow widow = widow_new (w);

  imgimport_service_delete_image (widow.other, NULL, widow.id, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpuint (world_count (w, "staging") + world_count (w, "one"), ==, 0);
  g_assert_cmpuint (count_records (widow.other, IMGIMPORT_KIND_OBJECT), ==, 0);
  g_assert_cmpuint (count_records (widow.other, IMGIMPORT_KIND_RUN), ==, 0);
  widow_free (w, &widow);
}

static void
cancel_reaches_a_living_owner (World *w, gconstpointer data)
{
  ImgImportService *living = world_open_service (w, 1);
  ImgImportService *other = world_open_service (w, 0);
  g_autofree char *job_id = NULL;
  g_autofree char *id = NULL;

  w->halt_at = "commit:one";
  id = create_importing (living, &job_id);
  await_halt (w);
  imgimport_service_cancel_job (other, NULL, job_id, &w->error);
  g_assert_no_error (w->error);
  wake (w);
  assert_job (other, job_id, IMGIMPORT_JOB_FAILURE, "cancelled");
  g_assert_finalize_object (living);
  assert_image (w, other, id, IMGIMPORT_STATUS_UPLOADING);
  g_assert_finalize_object (other);
}

/* ---- a race ---------------------------------------------------------------------------------- */

static gpointer
start_in_thread (gpointer data)
{
  service_start (data);
  return NULL;
}

static void
race (World *w)
{
  ImgImportService *dead = world_open_service (w, 1);
  ImgImportService *heirs[] = { world_service_new (w, 1), world_service_new (w, 1) };
  g_autofree char *job_id = NULL;
  g_autofree char *id = NULL;
  GThread *threads[G_N_ELEMENTS (heirs)];
  gsize i;

  w->halt_at = "commit:one";
  w->halted = FALSE;
  id = create_importing (dead, &job_id);
  await_halt (w);
  declare_dead (w, dead);
  g_atomic_int_set (&w->n_taken, 0);
  for (i = 0; i < G_N_ELEMENTS (heirs); i++)
    threads[i] = g_thread_new ("heir", start_in_thread, heirs[i]);
  for (i = 0; i < G_N_ELEMENTS (heirs); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (g_atomic_int_get (&w->n_taken), ==, 1);
  for (i = 0; i < G_N_ELEMENTS (heirs); i++)
    assert_job (heirs[i], job_id, IMGIMPORT_JOB_FAILURE, "interrupted");
  wake (w);
  g_assert_finalize_object (dead);
  imgimport_service_delete_image (heirs[0], NULL, id, &w->error);
  g_assert_no_error (w->error);
  for (i = 0; i < G_N_ELEMENTS (heirs); i++)
    g_assert_finalize_object (heirs[i]);
  g_assert_cmpuint (world_count (w, "staging") + world_count (w, "one"), ==, 0);
}

static void
only_one_takes_over (World *w, gconstpointer data)
{
  guint i;

  for (i = 0; i < N_RACES; i++)
    {
      race (w);
      g_clear_pointer (&w->dead, g_free);
    }
}

#define ADD(path, func)                                                                            \
  g_test_add ("/takeover/" path, World, NULL, world_set_up, func, world_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("D5/who-waits-takes-over", who_waits_takes_over);
  ADD ("D5/who-cancels-takes-over", who_cancels_takes_over);
  ADD ("D5/who-imports-takes-over", who_imports_takes_over);
  ADD ("D5/who-deletes-takes-over", who_deletes_takes_over);
  ADD ("cancel-reaches-a-living-owner", cancel_reaches_a_living_owner);
  ADD ("only-one-takes-over", only_one_takes_over);
  return g_test_run ();
}
