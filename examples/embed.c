/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shortest host: imports a qcow2 image into a directory and prints its record. */
#include <fcntl.h>
#include <imgimport/imgimport.h>
#include <stdio.h>

int
main (int argc, char **argv)
{
  const char *attributes = "{\"disk_format\": \"qcow2\", \"container_format\": \"bare\"}";
  int fd = argc == 3 ? open (argv[2], O_RDONLY | O_CLOEXEC) : -1;
  g_autoptr (ImgImportService) service = NULL;
  g_autoptr (ImgImportImage) queued = NULL;
  g_autoptr (ImgImportImage) staged = NULL;
  g_autoptr (ImgImportImage) active = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *job_id = NULL;
  g_autofree char *record = NULL;
  const char *id;

  if (fd == -1)
    return fputs ("usage: embed DIRECTORY QCOW2_FILE\n", stderr), 2;
  if ((service = imgimport_service_open (argv[1], NULL, &error)) &&
      (queued = imgimport_service_create_image (service, NULL, attributes, NULL, &error)) &&
      (id = imgimport_image_get_id (queued)) &&
      (staged = imgimport_service_stage_fd (service, NULL, id, fd, IMGIMPORT_SIZE_UNKNOWN, NULL,
                                            &error)) &&
      (job_id = imgimport_service_import_image (service, NULL, id, NULL, &error)) &&
      (job = imgimport_service_wait_job (service, job_id, -1, NULL, &error)) &&
      imgimport_job_get_error (job, &error) &&
      (active = imgimport_service_get_image (service, NULL, id, &error)))
    record = imgimport_image_to_json (active);
  if (record == NULL)
    return fprintf (stderr, "%s\n", error->message), 1;
  return puts (record) < 0;
}
