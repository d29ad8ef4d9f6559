/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host outside the tree: imports an image into the directory it is given. */
#include <imgimport/imgimport.h>
#include <stdio.h>

static gboolean
import (ImgImportService *service, GError **error)
{
  const char *attributes = "{\"disk_format\": \"raw\", \"container_format\": \"bare\"}";
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportUpload) upload = NULL;
  g_autoptr (ImgImportImage) staged = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  g_autofree char *job_id = NULL;
  const char *id;

  image = imgimport_service_create_image (service, NULL, attributes, NULL, error);
  if (image == NULL)
    return FALSE;
  id = imgimport_image_get_id (image);
  upload = imgimport_service_stage_begin (service, NULL, id, 5, error);
  if (upload == NULL || !imgimport_upload_write (upload, "bytes", 5, NULL, error))
    return FALSE;
  staged = imgimport_upload_commit (upload, NULL, error);
  if (staged == NULL)
    return FALSE;
  job_id = imgimport_service_import_image (service, NULL, id, NULL, error);
  if (job_id == NULL)
    return FALSE;
  job = imgimport_service_wait_job (service, job_id, -1, NULL, error);
  return job != NULL && imgimport_job_get_error (job, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportService) service = imgimport_service_open (argv[argc - 1], NULL, &error);

  if (service == NULL || !import (service, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  printf ("imported with %s\n", imgimport_version ());
  return 0;
}
