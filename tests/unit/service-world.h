/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Services that come and go, one after the other, in one directory. */

#include "service.h"

/* And a hook that waits. */
typedef struct
{
  char *root; /* a new directory */
  GMutex lock;
  GCond cond;
  guint n_waiting; /* under lock: hooks that wait */
  gboolean open;   /* under lock: they need not wait any more */
  ImgImportService *service;
  GCancellable *cancellable;
  GError *error;
} World;

static inline void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  World *w = user_data;

  g_mutex_lock (&w->lock);
  g_cond_broadcast (&w->cond);
  g_mutex_unlock (&w->lock);
}

static inline gboolean
wait_at_gate (gpointer self, ImgImportCall *call, GCancellable *cancellable, GError **error)
{
  World *w = self;
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), w, NULL);

  g_mutex_lock (&w->lock);
  w->n_waiting++;
  g_cond_broadcast (&w->cond);
  while (!w->open && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&w->cond, &w->lock);
  w->n_waiting--;
  g_mutex_unlock (&w->lock);
  g_cancellable_disconnect (cancellable, handler);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static const ImgImportHookVTable gate = { IMGIMPORT_HOOK_VTABLE_INIT, .metadata = wait_at_gate };

static inline void
await_gate (World *w)
{
  g_mutex_lock (&w->lock);
  while (w->n_waiting == 0)
    g_cond_wait (&w->cond, &w->lock);
  g_mutex_unlock (&w->lock);
}

static inline void
open_gate (World *w)
{
  g_mutex_lock (&w->lock);
  w->open = TRUE;
  g_cond_broadcast (&w->cond);
  g_mutex_unlock (&w->lock);
}

static inline void
open_service (World *w, const char *config)
{
  w->service = imgimport_service_new (w->root, config, &w->error);
  g_assert_no_error (w->error);
  imgimport_service_add_hook (w->service, "gate", &gate, w, NULL, &w->error);
  g_assert_no_error (w->error);
  service_start (w->service);
}

#define ALONE "{\"durability\": \"process\", \"workers\": 0}"
#define ONE_WORKER "{\"durability\": \"process\", \"workers\": 1, \"hooks\": [\"gate\"]}"

static inline void
set_up_world (World *w, gconstpointer data)
{
  w->root = g_dir_make_tmp ("imgimport-XXXXXX", &w->error);
  g_assert_no_error (w->error);
  g_mutex_init (&w->lock);
  g_cond_init (&w->cond);
  w->cancellable = g_cancellable_new ();
}

static inline void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_finalize_object (w->service);
  g_object_unref (w->cancellable);
  remove_tree (w->root);
  g_free (w->root);
  g_mutex_clear (&w->lock);
  g_cond_clear (&w->cond);
}

/* The job of an import of a new, staged image. */
static inline char *
begin_import (World *w, char **image_id)
{
  char *job_id;

  *image_id = create (w->service, NULL, RAW);
  stage (w->service, *image_id, "bytes");
  job_id = imgimport_service_import_image (w->service, NULL, *image_id, NULL, &w->error);
  g_assert_no_error (w->error);
  return job_id;
}

static inline void
reopen (World *w)
{
  g_assert_finalize_object (w->service);
  open_gate (w);
  open_service (w, ALONE);
}

static inline void
expect_status (World *w, const char *image_id, ImgImportStatus status)
{
  g_autoptr (ImgImportImage) image = get (w->service, image_id);

  g_assert_cmpstr (imgimport_status_to_string (image->status), ==,
                   imgimport_status_to_string (status));
}

static inline void
expect_job (World *w, const char *job_id, ImgImportJobStatus status, const char *reason)
{
  g_autoptr (ImgImportJob) job = imgimport_service_get_job (w->service, NULL, job_id, &w->error);

  g_assert_no_error (w->error);
  g_assert_cmpstr (imgimport_job_status_to_string (imgimport_job_get_status (job)), ==,
                   imgimport_job_status_to_string (status));
  g_assert_cmpstr (imgimport_job_get_reason (job), ==, reason);
}

static inline void
expect_success (World *w, const char *job_id)
{
  g_autoptr (ImgImportJob) job =
      imgimport_service_wait_job (w->service, job_id, -1, NULL, &w->error);

  g_assert_no_error (w->error);
  g_assert_cmpstr (imgimport_job_get_message (job), ==, "");
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_SUCCESS);
}
