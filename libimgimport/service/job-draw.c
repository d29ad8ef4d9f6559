/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tasks of a job as a picture: of its run while there is one here, else of its record. */

#include "flow/timeline-private.h"
#include "service/import-private.h"

static ImgImportTimeline *
read_timeline (ImgImportJob *job, GError **error)
{
  g_autoptr (JsonNode) node = NULL;

  if (job->tasks == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, "tasks-unknown",
                            "job %s: nothing is known of its tasks: it runs in another process, or "
                            "ended without having begun",
                            job->id);
      return NULL;
    }
  node = _imgimport_json_parse (job->tasks, "tasks", error);
  return node != NULL
             ? _imgimport_timeline_from_array (json_node_get_array (node), "job tasks", error)
             : NULL;
}

static ImgImportTimeline *
load_timeline (ImgImportService *self, ImgImportContext *context, const char *job_id,
               GError **error)
{
  g_autoptr (ImgImportUse) use = _imgimport_service_enter (self, error);
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (ImgImportImport) import = NULL;

  if (use == NULL)
    return NULL;
  job = imgimport_service_get_job (self, context, job_id, error);
  if (job == NULL)
    return NULL;
  import = _imgimport_service_find_import (self, job_id);
  if (import != NULL && _imgimport_import_get_run (import) != NULL)
    return _imgimport_run_dup_timeline (_imgimport_import_get_run (import));
  return read_timeline (job, error);
}

static char *
draw (ImgImportService *self, ImgImportContext *context, const char *job_id, gboolean as_trace,
      GError **error)
{
  g_autoptr (GPtrArray) timeline = load_timeline (self, context, job_id, error);
  g_autofree char *title = NULL;

  if (timeline == NULL)
    return NULL;
  title = g_strdup_printf ("job %s", job_id);
  return as_trace ? _imgimport_timeline_to_trace (timeline, title)
                  : _imgimport_timeline_to_dot (timeline, title);
}

char *
imgimport_service_job_graph (ImgImportService *self, ImgImportContext *context, const char *job_id,
                             GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (job_id != NULL, NULL);

  return draw (self, context, job_id, FALSE, error);
}

char *
imgimport_service_job_trace (ImgImportService *self, ImgImportContext *context, const char *job_id,
                             GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (job_id != NULL, NULL);

  return draw (self, context, job_id, TRUE, error);
}
