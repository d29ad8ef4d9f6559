/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Imports, and what they must leave behind. */

#include "service.h"

#define DIRECT "{\"method\": {\"name\": \"glance-direct\"}"
#define DIRECT_TO_ALL DIRECT ", \"all_stores\": true}"
#define DIRECT_TO_SOME DIRECT ", \"all_stores\": true, \"all_stores_must_succeed\": false}"

/* The job. */
static inline char *
begin_import (ImgImportService *service, ImgImportContext *context, const char *id,
              const char *request)
{
  g_autoptr (GError) error = NULL;
  char *job_id = imgimport_service_import_image (service, context, id, request, &error);

  g_assert_no_error (error);
  return job_id;
}

static inline ImgImportJob *
finish (ImgImportService *service, const char *job_id)
{
  g_autoptr (GError) error = NULL;
  ImgImportJob *job = imgimport_service_wait_job (service, job_id, -1, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (imgimport_job_is_finished (job));
  return job;
}

/* The last bytes and notes may go only after the job has been told to be over. */
static inline void
await_imports (ImgImportService *service)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&service->lock);

  while (g_hash_table_size (service->imports) > 0)
    g_cond_wait (&service->cond, &service->lock);
}

static inline ImgImportJob *
run_import (ImgImportService *service, const char *id, const char *request)
{
  g_autofree char *job_id = begin_import (service, NULL, id, request);

  return finish (service, job_id);
}

static inline void
assert_success (ImgImportJob *job)
{
  g_assert_cmpstr (imgimport_job_get_message (job), ==, "");
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_SUCCESS);
}

/* A failure that names the image and tells why. */
static inline void
assert_failure (ImgImportJob *job, const char *reason, const char *why)
{
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_FAILURE);
  g_assert_cmpstr (imgimport_job_get_reason (job), ==, reason);
  if (strstr (imgimport_job_get_message (job), why) == NULL ||
      strstr (imgimport_job_get_message (job), imgimport_job_get_image_id (job)) == NULL)
    g_error ("“%s” does not name image and cause", imgimport_job_get_message (job));
}

static inline void
assert_image_is (ImgImportService *service, const char *id, ImgImportStatus status,
                 ImgImportStageState state)
{
  g_autoptr (ImgImportImage) image = get (service, id);

  g_assert_cmpstr (imgimport_status_to_string (image->status), ==,
                   imgimport_status_to_string (status));
  g_assert_cmpint ((int)image->stage.state, ==, (int)state);
}

static inline void
assert_property (ImgImportService *service, const char *id, const char *key, const char *value)
{
  g_autoptr (ImgImportImage) image = get (service, id);

  g_assert_cmpstr (imgimport_image_get_property (image, key), ==, value);
}

/* The importing and the failed list. */
static inline void
assert_lists (ImgImportService *service, const char *id, const char *importing, const char *failed)
{
  assert_property (service, id, IMGIMPORT_PROPERTY_IMPORTING, importing);
  assert_property (service, id, IMGIMPORT_PROPERTY_FAILED, failed);
}

/* The stores that have a copy, joined by commas. */
static inline void
assert_copies (ImgImportService *service, const char *id, const char *stores)
{
  g_autoptr (ImgImportImage) image = get (service, id);
  g_autoptr (GString) found = g_string_new (NULL);
  guint i;

  for (i = 0; i < image->locations->len; i++)
    {
      const ImgImportLocation *location = image->locations->pdata[i];
      guint64 size = 0;
      g_autoptr (GError) error = NULL;

      g_string_append_printf (found, "%s%s", i > 0 ? "," : "", location->store);
      _imgimport_store_stat (_imgimport_service_store (service, location->store, NULL),
                             location->key, &size, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (size, ==, image->size);
    }
  g_assert_cmpstr (found->str, ==, stores);
}

static inline gboolean
count_note (const ImgImportRecord *record, gpointer user_data)
{
  (*(guint *)user_data)++;
  return TRUE;
}

/* No bytes without an image, no job without an end. */
static inline void
assert_no_notes (ImgImportService *service)
{
  static const char *const kinds[] = { IMGIMPORT_KIND_OBJECT, IMGIMPORT_KIND_RUN };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = kinds[i] };
      g_autoptr (GError) error = NULL;
      guint n = 0;

      _imgimport_catalog_scan (service->catalog, &query, count_note, &n, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (n, ==, 0);
    }
}

/* "store:way" of each delivery, joined by commas. */
static inline void
assert_ways (ImgImportJob *job, const char *ways)
{
  g_autoptr (GString) found = g_string_new (NULL);
  guint i;

  for (i = 0; i < job->deliveries->len; i++)
    {
      const ImgImportDelivery *delivery = job->deliveries->pdata[i];

      g_string_append_printf (found, "%s%s:%s", i > 0 ? "," : "", delivery->store, delivery->way);
    }
  g_assert_cmpstr (found->str, ==, ways);
}
