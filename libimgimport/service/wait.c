/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for a job of this or another process: woken by its end, or by the time to look again. */

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>

#include "service/import-private.h"

/* How often the record is looked at, for jobs of other processes. */
#define LOOK_MS 100

/* A thousand years. */
#define WAIT_MAX_MS (G_GINT64_CONSTANT (1000) * 365 * 86400 * 1000)

/* A job of this service without an import has ended since it was looked at, or cannot now. */
static ImgImportJob *
look_again (ImgImportService *self, const char *job_id, GError **error)
{
  g_autoptr (ImgImportJobRecord) record = _imgimport_job_record_load (self, job_id, error);
  g_autofree char *why = NULL;

  if (record == NULL)
    return NULL;
  if (imgimport_job_is_finished (record->job))
    return g_steal_pointer (&record->job);
  why = _imgimport_service_dup_stall (self, job_id);
  _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "job-stalled",
                        "job %s cannot be ended now, and will be later: %s", job_id,
                        why != NULL ? why : "it cannot be resumed");
  return NULL;
}

/* The job where it is final, NULL without an error where it is not. A job whose owner has died is
 * taken over, or nobody would ever end it; one that this service could not end is tried again, once
 * a wait, as `*resumed` notes. */
static ImgImportJob *
look (ImgImportService *self, const char *job_id, gboolean *resumed, GError **error)
{
  g_autoptr (ImgImportUse) use = _imgimport_service_enter (self, error);
  g_autoptr (ImgImportJobRecord) record = NULL;
  gboolean recovered;

  if (use == NULL)
    return NULL;
  record = _imgimport_job_record_load (self, job_id, error);
  if (record == NULL)
    return NULL;
  if (imgimport_job_is_finished (record->job))
    return g_steal_pointer (&record->job);
  if (!g_str_equal (record->owner, self->owner))
    _imgimport_service_recover_owner (self, record->owner, &recovered, error);
  else if (_imgimport_service_is_job_left (self, job_id))
    {
      if (*resumed || !_imgimport_service_resume_job (self, job_id))
        return look_again (self, job_id, error);
      *resumed = TRUE;
    }
  return NULL;
}

/* The job whose end has been told; NULL where it has not. */
static ImgImportJob *
take_ended (ImgImportSubscription *subscription)
{
  ImgImportJob *job = NULL;
  ImgImportEvent *event;

  while ((event = imgimport_subscription_next (subscription)) != NULL)
    {
      if (job == NULL && _imgimport_event_get_ended (event) != NULL)
        job = g_object_ref (_imgimport_event_get_ended (event));
      g_object_unref (event);
    }
  return job;
}

/* look() where there is something to be found; a close is told before an end. */
static ImgImportJob *
find_end (ImgImportService *self, const char *job_id, ImgImportSubscription *subscription,
          gboolean looks, gboolean *resumed, GError **error)
{
  g_autoptr (ImgImportJob) job = take_ended (subscription);

  if (job == NULL)
    return looks ? look (self, job_id, resumed, error) : NULL;
  return _imgimport_service_check (self, error) ? g_steal_pointer (&job) : NULL;
}

/* ---- blocking -------------------------------------------------------------------------------- */

/* Sleeps until the job's end, or for `timeout_ms`. A cancellation has no descriptor here: GLib ends
 * the process where it can get none for it, and the caller looks again soon enough. */
static void
doze (ImgImportSubscription *subscription, gint64 timeout_ms)
{
  struct pollfd fd = { .fd = imgimport_subscription_get_fd (subscription), .events = POLLIN };

  poll (&fd, 1, (int)timeout_ms);
}

/* With no workers the caller's thread does the work. */
static gboolean
work (ImgImportService *self, const char *job_id)
{
  g_autoptr (ImgImportImport) import = NULL;

  if (self->config->workers > 0)
    return FALSE;
  if (imgimport_engine_iterate (self->engine))
    return TRUE;
  import = _imgimport_service_find_import (self, job_id);
  /* Nothing is ready: this sleeps until a retry is due. */
  return import != NULL && imgimport_run_wait (_imgimport_import_get_run (import), LOOK_MS);
}

/* G_MAXINT64 for none. */
static gint64
deadline_after (gint64 timeout_ms)
{
  gint64 now_us = g_get_monotonic_time ();

  if (timeout_ms < 0 || timeout_ms > (G_MAXINT64 - now_us) / 1000)
    return G_MAXINT64;
  return now_us + timeout_ms * 1000;
}

ImgImportJob *
imgimport_service_wait_job (ImgImportService *self, const char *job_id, gint64 timeout_ms,
                            GCancellable *cancellable, GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportSubscription) subscription = NULL;
  gint64 deadline_us = deadline_after (timeout_ms);
  gboolean is_first = TRUE, resumed = FALSE;
  GError *cause = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (job_id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  subscription = use != NULL ? _imgimport_bus_subscribe_end (self->bus, job_id, error) : NULL;
  while (subscription != NULL)
    {
      /* The end of one that is under way here is an event, for which the subscription stands. */
      gboolean looks = !is_first || !_imgimport_service_is_job_under_way (self, job_id);
      ImgImportJob *job = find_end (self, job_id, subscription, looks, &resumed, &cause);
      gint64 left_ms = (deadline_us - g_get_monotonic_time ()) / 1000;

      if (job != NULL || cause != NULL)
        {
          if (cause != NULL)
            g_propagate_error (error, cause);
          return job;
        }
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      if (left_ms <= 0)
        {
          _imgimport_set_error (error, IMGIMPORT_ERROR_TIMED_OUT, "wait-timed-out",
                                "job %s is not over after %" G_GINT64_FORMAT " ms", job_id,
                                timeout_ms);
          return NULL;
        }
      is_first = FALSE;
      if (!work (self, job_id))
        doze (subscription, MIN (left_ms, LOOK_MS));
    }
  return NULL;
}

/* ---- asynchronous ---------------------------------------------------------------------------- */

typedef struct
{
  char *job_id;
  ImgImportSubscription *subscription;
  GSource *timer;
  GSource *events;
  gboolean resumed; /* see look() */
} Wait;

static void
wait_free (gpointer data)
{
  Wait *self = data;

  g_free (self->job_id);
  g_clear_object (&self->subscription);
  g_free (self);
}

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static gboolean
on_wake (gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  Wait *self = g_task_get_task_data (task);
  GError *error = NULL;

  if (g_task_get_completed (task))
    return G_SOURCE_REMOVE;
  if (!g_task_return_error_if_cancelled (task))
    {
      ImgImportJob *job = find_end (g_task_get_source_object (task), self->job_id,
                                    self->subscription, TRUE, &self->resumed, &error);

      if (job == NULL && error == NULL)
        return G_SOURCE_CONTINUE;
      if (job != NULL)
        g_task_return_pointer (task, job, g_object_unref);
      else
        g_task_return_error (task, error);
    }
  drop_source (&self->timer);
  drop_source (&self->events);
  return G_SOURCE_REMOVE;
}

static gboolean
on_event (int fd, GIOCondition condition, gpointer user_data)
{
  return on_wake (user_data);
}

static void
watch (GTask *task, GSource **slot, GSource *source, GSourceFunc func)
{
  *slot = source;
  g_source_set_callback (source, func, g_object_ref (task), g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

static ImgImportSubscription *
subscribe_end (ImgImportService *self, const char *job_id, GError **error)
{
  g_autoptr (ImgImportUse) use = _imgimport_service_enter (self, error);

  return use != NULL ? _imgimport_bus_subscribe_end (self->bus, job_id, error) : NULL;
}

void
imgimport_service_wait_job_async (ImgImportService *self, const char *job_id,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  Wait *data;

  g_return_if_fail (IMGIMPORT_IS_SERVICE (self));
  g_return_if_fail (job_id != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  if (self->config->workers == 0)
    {
      _imgimport_set_error (&error, IMGIMPORT_ERROR_NOT_SUPPORTED, "no-workers",
                            "job %s cannot be awaited without a thread: workers is 0", job_id);
      g_task_return_error (task, error);
      return;
    }
  data = g_new0 (Wait, 1);
  data->job_id = g_strdup (job_id);
  g_task_set_task_data (task, data, wait_free);
  data->subscription = subscribe_end (self, job_id, &error);
  if (data->subscription == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  watch (task, &data->timer, g_timeout_source_new (LOOK_MS), on_wake);
  watch (task, &data->events,
         g_unix_fd_source_new (imgimport_subscription_get_fd (data->subscription), G_IO_IN),
         G_SOURCE_FUNC (on_event));
}

ImgImportJob *
imgimport_service_wait_job_finish (ImgImportService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
