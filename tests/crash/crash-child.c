/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "crash-child.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- steps ----------------------------------------------------------------------------------- */

void
crash_create (ImgImportService *service, const char *disk_format)
{
  g_autofree char *attributes =
      g_strdup_printf ("{\"id\": \"%s\", \"name\": \"n\", \"disk_format\": \"%s\","
                       " \"container_format\": \"bare\"}",
                       CRASH_IMAGE, disk_format);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image =
      imgimport_service_create_image (service, NULL, attributes, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (imgimport_image_get_status (image) == IMGIMPORT_STATUS_QUEUED);
}

static ImgImportUpload *
begin_upload (ImgImportService *service, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  ImgImportUpload *upload =
      imgimport_service_stage_begin (service, NULL, CRASH_IMAGE, IMGIMPORT_SIZE_UNKNOWN, &error);

  g_assert_no_error (error);
  imgimport_upload_write_bytes (upload, bytes, NULL, &error);
  g_assert_no_error (error);
  return upload;
}

static void
stage_bytes (ImgImportService *service, GBytes *bytes)
{
  g_autoptr (ImgImportUpload) upload = begin_upload (service, bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = imgimport_upload_commit (upload, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (imgimport_image_get_status (image) == IMGIMPORT_STATUS_UPLOADING);
}

void
crash_stage (ImgImportService *service, const char *disk_format)
{
  g_autoptr (GBytes) bytes = crash_bytes ();

  stage_bytes (service, bytes);
}

static void
stage_packed (ImgImportService *service, const char *disk_format)
{
  g_autoptr (GBytes) bytes = crash_packed_bytes ();

  stage_bytes (service, bytes);
}

static void
give_up_upload (ImgImportService *service, const char *disk_format)
{
  g_autoptr (GBytes) bytes = crash_bytes ();
  g_autoptr (ImgImportUpload) upload = begin_upload (service, bytes);

  imgimport_upload_abort (upload);
}

static void
unstage (ImgImportService *service, const char *disk_format)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = imgimport_service_unstage (service, NULL, CRASH_IMAGE, &error);

  g_assert_no_error (error);
  g_assert_true (imgimport_image_get_status (image) == IMGIMPORT_STATUS_QUEUED);
}

char *
crash_import (ImgImportService *service, const char *method)
{
  g_autofree char *request = g_strdup_printf (
      "{\"method\": {\"name\": \"%s\"}, \"all_stores\": true, \"all_stores_must_succeed\": true}",
      method);
  g_autoptr (GError) error = NULL;
  g_autofree char *job_id =
      imgimport_service_import_image (service, NULL, CRASH_IMAGE, request, &error);
  g_autoptr (ImgImportJob) job = NULL;

  g_assert_no_error (error);
  job = imgimport_service_wait_job (service, job_id, -1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (imgimport_job_get_status (job) == IMGIMPORT_JOB_SUCCESS, ==,
                   imgimport_job_get_reason (job) == NULL);
  return g_strdup (imgimport_job_get_reason (job));
}

static void
import_well (ImgImportService *service, const char *disk_format)
{
  g_autofree char *reason = crash_import (service, "glance-direct");

  g_assert_null (reason);
}

static void
import_badly (ImgImportService *service, const char *disk_format)
{
  g_autofree char *reason = crash_import (service, "glance-direct");

  g_assert_nonnull (reason);
}

static void
stream_well (ImgImportService *service, const char *disk_format)
{
  g_autofree char *reason = crash_import (service, "stream");

  g_assert_null (reason);
}

static void
stream_badly (ImgImportService *service, const char *disk_format)
{
  g_autofree char *reason = crash_import (service, "stream");

  g_assert_nonnull (reason);
}

void
crash_delete (ImgImportService *service, const char *disk_format)
{
  g_autoptr (GError) error = NULL;

  imgimport_service_delete_image (service, NULL, CRASH_IMAGE, &error);
  g_assert_no_error (error);
}

/* ---- scenarios ------------------------------------------------------------------------------- */

#define STEP_CREATE                                                                                \
  {                                                                                                \
    "create", crash_create, CRASH_ABSENT | CRASH_QUEUED, CRASH_QUEUED                              \
  }
#define STEP_STAGE                                                                                 \
  {                                                                                                \
    "stage", crash_stage, CRASH_QUEUED | CRASH_UPLOADING, CRASH_UPLOADING                          \
  }
#define STEP_DELETE(from)                                                                          \
  {                                                                                                \
    "delete", crash_delete, from | CRASH_ABSENT, CRASH_ABSENT                                      \
  }
#define STEP_END                                                                                   \
  {                                                                                                \
    NULL, NULL, 0, 0                                                                               \
  }

static const CrashStep success[] = {
  STEP_CREATE,
  STEP_STAGE,
  { "import", import_well, CRASH_UPLOADING | CRASH_ACTIVE, CRASH_ACTIVE },
  STEP_DELETE (CRASH_ACTIVE),
  STEP_END,
};

static const CrashStep packed[] = {
  STEP_CREATE,
  { "stage packed", stage_packed, CRASH_QUEUED | CRASH_UPLOADING, CRASH_UPLOADING },
  { "import", import_well, CRASH_UPLOADING | CRASH_ACTIVE, CRASH_ACTIVE },
  STEP_DELETE (CRASH_ACTIVE),
  STEP_END,
};

static const CrashStep packed_store_full[] = {
  STEP_CREATE,
  { "stage packed", stage_packed, CRASH_QUEUED | CRASH_UPLOADING, CRASH_UPLOADING },
  { "import", import_badly, CRASH_UPLOADING, CRASH_UPLOADING },
  STEP_DELETE (CRASH_UPLOADING),
  STEP_END,
};

static const CrashStep refused[] = {
  STEP_CREATE,
  STEP_STAGE,
  { "import", import_badly, CRASH_UPLOADING | CRASH_QUEUED, CRASH_QUEUED },
  STEP_DELETE (CRASH_QUEUED),
  STEP_END,
};

static const CrashStep store_full[] = {
  STEP_CREATE,
  STEP_STAGE,
  { "import", import_badly, CRASH_UPLOADING, CRASH_UPLOADING },
  STEP_DELETE (CRASH_UPLOADING),
  STEP_END,
};

static const CrashStep streamed[] = {
  STEP_CREATE,
  { "import", stream_well, CRASH_QUEUED | CRASH_ACTIVE, CRASH_ACTIVE },
  STEP_DELETE (CRASH_ACTIVE),
  STEP_END,
};

static const CrashStep stream_refused[] = {
  STEP_CREATE,
  { "import", stream_badly, CRASH_QUEUED, CRASH_QUEUED },
  STEP_END,
};

static const CrashStep given_up[] = {
  STEP_CREATE, { "give up", give_up_upload, CRASH_QUEUED, CRASH_QUEUED },
  STEP_STAGE,  { "unstage", unstage, CRASH_UPLOADING | CRASH_QUEUED, CRASH_QUEUED },
  STEP_END,
};

const CrashScenario crash_scenarios[] = {
  { "success", "raw", FALSE, success },
  { "packed", "raw", FALSE, packed },
  { "packed-store-full", "raw", TRUE, packed_store_full },
  { "refused", "qcow2", FALSE, refused },
  { "store-full", "raw", TRUE, store_full },
  { "streamed", "raw", FALSE, streamed },
  { "stream-refused", "qcow2", FALSE, stream_refused },
  { "given-up", "raw", FALSE, given_up },
  { NULL, NULL, FALSE, NULL },
};

/* ---- the process ----------------------------------------------------------------------------- */

void
crash_drain (ImgImportService *service)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs = imgimport_service_list_jobs (service, NULL, NULL, &error);
  guint i;

  g_assert_no_error (error);
  for (i = 0; i < jobs->len; i++)
    {
      g_autoptr (ImgImportJob) job = imgimport_service_wait_job (
          service, imgimport_job_get_id (jobs->pdata[i]), -1, NULL, &error);

      g_assert_no_error (error);
      g_assert_true (imgimport_job_is_finished (job));
    }
}

static ImgImportService *
open_service (const CrashSetup *setup)
{
  g_autoptr (GError) error = NULL;
  ImgImportService *service = crash_service_open (setup, &error);

  g_assert_no_error (error);
  return service;
}

static void
run_steps (const CrashSetup *setup, const CrashScenario *scenario, int report)
{
  g_autoptr (ImgImportService) service = open_service (setup);
  guint i;

  for (i = 0; scenario->steps[i].name != NULL; i++)
    {
      scenario->steps[i].run (service, scenario->disk_format);
      g_assert_cmpint (write (report, ".", 1), ==, 1);
    }
}

static gboolean
await_child (pid_t pid)
{
  int status = 0;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (WIFSIGNALED (status))
    {
      g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
      return FALSE;
    }
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  return TRUE;
}

gboolean
crash_run (const CrashSetup *setup, const CrashScenario *scenario, guint *n_done)
{
  int report[2];
  char byte;
  pid_t pid;

  g_assert_cmpint (pipe (report), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      run_steps (setup, scenario, report[1]);
      _exit (0);
    }
  close (report[1]);
  *n_done = 0;
  while (read (report[0], &byte, 1) == 1)
    ++*n_done;
  close (report[0]);
  return await_child (pid);
}

gboolean
crash_run_recovery (const CrashSetup *setup)
{
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      ImgImportService *service = open_service (setup);

      crash_drain (service);
      g_object_unref (service);
      _exit (0);
    }
  return await_child (pid);
}
