/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#define JOB_ID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define IMAGE_ID "11111111-2222-4333-8444-555555555555"

static void
assert_json (ImgImportEvent *event, const char *expected)
{
  g_autofree char *json = imgimport_event_to_json (event);

  g_assert_cmpstr (json, ==, expected);
}

static void
an_image_changed (void)
{
  g_autoptr (ImgImportImage) image = _imgimport_image_new (IMAGE_ID, 1);
  g_autoptr (ImgImportEvent) event = NULL;

  image->status = IMGIMPORT_STATUS_UPLOADING;
  event = _imgimport_event_new_image (image);
  image->status = IMGIMPORT_STATUS_ACTIVE;
  g_assert_cmpint ((int)imgimport_event_get_kind (event), ==, (int)IMGIMPORT_EVENT_IMAGE);
  g_assert_cmpstr (imgimport_event_get_image_id (event), ==, IMAGE_ID);
  g_assert_null (imgimport_event_get_job_id (event));
  g_assert_cmpstr (imgimport_event_get_status (event), ==, "uploading");
  g_assert_null (imgimport_event_get_phase (event));
  g_assert_cmpuint (imgimport_event_get_bytes (event), ==, 0);
  g_assert_cmpuint (imgimport_event_get_total (event), ==, IMGIMPORT_SIZE_UNKNOWN);
  assert_json (event,
               "{\"kind\":\"image\",\"image_id\":\"" IMAGE_ID "\",\"status\":\"uploading\"}");
}

static void
a_job_changed (void)
{
  g_autoptr (ImgImportJob) job = _imgimport_job_new (JOB_ID, IMAGE_ID, NULL, NULL, 1);
  g_autoptr (ImgImportEvent) event = NULL;

  job->status = IMGIMPORT_JOB_PROCESSING;
  job->phase = g_strdup ("fetch");
  job->bytes = 3;
  job->total = 9;
  event = _imgimport_event_new_job (job);
  g_assert_cmpint ((int)imgimport_event_get_kind (event), ==, (int)IMGIMPORT_EVENT_JOB);
  g_assert_cmpstr (imgimport_event_get_image_id (event), ==, IMAGE_ID);
  g_assert_cmpstr (imgimport_event_get_job_id (event), ==, JOB_ID);
  g_assert_cmpstr (imgimport_event_get_status (event), ==, "processing");
  g_assert_cmpstr (imgimport_event_get_phase (event), ==, "fetch");
  g_assert_cmpuint (imgimport_event_get_bytes (event), ==, 3);
  g_assert_cmpuint (imgimport_event_get_total (event), ==, 9);
  assert_json (event, "{\"kind\":\"job\",\"image_id\":\"" IMAGE_ID "\",\"job_id\":\"" JOB_ID
                      "\",\"status\":\"processing\",\"phase\":\"fetch\",\"bytes\":3,\"total\":9}");
}

static void
bytes_moved (void)
{
  g_autoptr (ImgImportEvent) upload =
      _imgimport_event_new_progress (IMAGE_ID, NULL, NULL, 5, IMGIMPORT_SIZE_UNKNOWN);
  g_autoptr (ImgImportEvent) phase =
      _imgimport_event_new_progress (IMAGE_ID, JOB_ID, "deliver", 0, 0);

  g_assert_cmpint ((int)imgimport_event_get_kind (upload), ==, (int)IMGIMPORT_EVENT_PROGRESS);
  assert_json (upload, "{\"kind\":\"progress\",\"image_id\":\"" IMAGE_ID "\",\"bytes\":5}");
  assert_json (phase, "{\"kind\":\"progress\",\"image_id\":\"" IMAGE_ID "\",\"job_id\":\"" JOB_ID
                      "\",\"phase\":\"deliver\",\"bytes\":0,\"total\":0}");
}

static void
events_were_dropped (void)
{
  g_autoptr (ImgImportEvent) event = _imgimport_event_new_resync ();

  g_assert_cmpint ((int)imgimport_event_get_kind (event), ==, (int)IMGIMPORT_EVENT_RESYNC);
  g_assert_null (imgimport_event_get_image_id (event));
  assert_json (event, "{\"kind\":\"resync\"}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/event/an-image-changed", an_image_changed);
  g_test_add_func ("/model/event/a-job-changed", a_job_changed);
  g_test_add_func ("/model/event/bytes-moved", bytes_moved);
  g_test_add_func ("/model/event/events-were-dropped", events_were_dropped);
  return g_test_run ();
}
