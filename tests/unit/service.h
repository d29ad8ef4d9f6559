/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A service in memory whose clock stands still and that does nothing by itself. */

#include "service/service-private.h"

#include "image-record.h"

#include <glib/gstdio.h>

#include <imgimport/imgimport-import.h>
#include <imgimport/imgimport-staging.h>

/* 2026-01-01T00:00:00Z */
#define EPOCH_US G_GINT64_CONSTANT (1767225600000000)

#define MEMORY_CATALOG "\"catalog\": {\"type\": \"memory\"}"
#define MEMORY_STAGING "\"staging\": {\"type\": \"memory\"}"
#define MEMORY_STORES                                                                              \
  "\"stores\": [{\"id\": \"one\", \"type\": \"memory\", \"description\": \"the first\"}, "         \
  "{\"id\": \"two\", \"type\": \"memory\"}]"
#define MEMORY_CONFIG "{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES ", \"workers\": 0}"

#define RAW "{\"name\": \"n\", \"disk_format\": \"raw\", \"container_format\": \"bare\"}"

static inline ImgImportService *
service_new (const char *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportClock) clock = _imgimport_clock_new_fake (EPOCH_US);
  ImgImportService *service = imgimport_service_new (NULL, config, &error);

  g_assert_no_error (error);
  _imgimport_service_set_clock (service, clock);
  return service;
}

static inline void
service_start (ImgImportService *service)
{
  g_autoptr (GError) error = NULL;

  imgimport_service_start (service, NULL, &error);
  g_assert_no_error (error);
}

static inline ImgImportContext *
tenant (const char *owner)
{
  g_autoptr (GError) error = NULL;
  ImgImportContext *context = imgimport_context_new (owner, "u", NULL, FALSE, NULL, &error);

  g_assert_no_error (error);
  return context;
}

/* The new image's id. */
static inline char *
create (ImgImportService *service, ImgImportContext *context, const char *attributes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image =
      imgimport_service_create_image (service, context, attributes, NULL, &error);

  g_assert_no_error (error);
  return g_strdup (imgimport_image_get_id (image));
}

static inline ImgImportImage *
get (ImgImportService *service, const char *id)
{
  g_autoptr (GError) error = NULL;
  ImgImportImage *image = imgimport_service_get_image (service, NULL, id, &error);

  g_assert_no_error (error);
  return image;
}

static inline void
stage (ImgImportService *service, const char *id, const char *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_data (bytes, -1, NULL);
  g_autoptr (ImgImportImage) image = imgimport_service_stage_stream (
      service, NULL, id, stream, IMGIMPORT_SIZE_UNKNOWN, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (image);
}

/* Runs an import of what is staged to its end. */
static inline void
import (ImgImportService *service, const char *id, const char *request)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *job_id = imgimport_service_import_image (service, NULL, id, request, &error);
  g_autoptr (ImgImportJob) job = NULL;

  g_assert_no_error (error);
  job = imgimport_service_wait_job (service, job_id, -1, NULL, &error);
  g_assert_no_error (error);
  imgimport_job_get_error (job, &error);
  g_assert_no_error (error);
}

/* An image of these bytes, active in both stores. */
static inline char *
create_active (ImgImportService *service, ImgImportContext *context, const char *bytes)
{
  char *id = create (service, context, RAW);

  stage (service, id, bytes);
  import (service, id, "{\"method\": {\"name\": \"glance-direct\"}, \"all_stores\": true}");
  return id;
}

static inline void
assert_refused (GError **error, ImgImportError code, const char *reason)
{
  g_assert_error (*error, IMGIMPORT_ERROR, (int)code);
  g_assert_cmpstr (imgimport_error_get_reason (*error), ==, reason);
  g_clear_error (error);
}

/* And what is in it. */
static inline void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && !g_file_test (path, G_FILE_TEST_IS_SYMLINK) &&
         (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_remove (path);
}

/* ---- with two tenants
 * ---------------------------------------------------------------------------- */

typedef struct
{
  ImgImportService *service;
  ImgImportContext *alice;
  ImgImportContext *bob;
  GError *error;
  guint n_warnings; /* logged */
} Fixture;

static inline void
count_warning (GLogLevelFlags level, const char *message, gpointer user_data)
{
  Fixture *f = user_data;

  f->n_warnings += level == G_LOG_LEVEL_WARNING ? 1 : 0;
}

static inline void
set_up (Fixture *f, gconstpointer data)
{
  f->service = service_new (MEMORY_CONFIG);
  imgimport_service_set_log_func (f->service, count_warning, f, NULL);
  service_start (f->service);
  f->alice = tenant ("alice");
  f->bob = tenant ("bob");
}

static inline void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_no_error (f->error);
  g_assert_finalize_object (f->service);
  g_object_unref (f->alice);
  g_object_unref (f->bob);
}

/* Where an active image's copy in a store is. */
static inline char *
key_in (Fixture *f, const char *id, const char *store)
{
  g_autoptr (ImgImportImage) image = get (f->service, id);
  const ImgImportLocation *location = find_location (image, store);

  g_assert_nonnull (location);
  return g_strdup (location->key);
}

/* Behind the service's back. */
static inline void
drop_copy (Fixture *f, const char *id, const char *store)
{
  g_autofree char *key = key_in (f, id, store);

  _imgimport_store_remove (_imgimport_service_store (f->service, store, NULL), key, NULL,
                           &f->error);
  g_assert_no_error (f->error);
}
