/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define JOB_ID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define IMAGE_ID "11111111-2222-4333-8444-555555555555"
#define NOW_US G_GINT64_CONSTANT (1767225600123456)
#define TTL_US (G_GINT64_CONSTANT (48) * 3600 * G_USEC_PER_SEC)
#define HEAD                                                                                       \
  "{\"id\": \"" JOB_ID "\", \"type\": \"api_image_import\", \"status\": \"pending\","              \
  " \"image_id\": \"" IMAGE_ID "\""

static ImgImportJob *
new_job (void)
{
  g_autoptr (ImgImportContext) context =
      imgimport_context_new ("project", "user", NULL, FALSE, "req-1", NULL);

  return _imgimport_job_new (JOB_ID, IMAGE_ID, context,
                             "{\"image_id\":\"" IMAGE_ID "\",\"backend\":[\"fast\"]}", NOW_US);
}

static ImgImportJob *
full_job (void)
{
  ImgImportJob *job = new_job ();

  job->status = IMGIMPORT_JOB_PROCESSING;
  job->phase = g_strdup ("deliver");
  job->bytes = 10;
  job->total = 20;
  job->cancel_requested = TRUE;
  job->updated_us = NOW_US + 1;
  _imgimport_job_add_warning (job, "clean-up left");
  _imgimport_job_add_warning (job, "second");
  _imgimport_job_add_delivery (job, "fast", "link", NULL);
  _imgimport_job_add_delivery (job, "slow", "stream", "another file system");
  return job;
}

static char *
internal_text (ImgImportJob *job)
{
  GString *out = g_string_new (NULL);

  _imgimport_job_write (job, out, NULL, TRUE);
  return g_string_free (out, FALSE);
}

static ImgImportJob *
read_internal (const char *text, GError **error)
{
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (text, "record", error);

  return object != NULL ? _imgimport_job_from_object (object, "record", error) : NULL;
}

static void
a_new_job_is_pending (void)
{
  g_autoptr (ImgImportJob) job = new_job ();
  g_autofree char *json = imgimport_job_to_json (job);
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (json, "job", NULL);
  JsonObject *input = json_object_get_object_member (object, "input");

  g_assert_cmpstr (json_object_get_string_member (object, "type"), ==, "api_image_import");
  g_assert_cmpstr (json_object_get_string_member (object, "status"), ==, "pending");
  g_assert_cmpstr (json_object_get_string_member (object, "owner"), ==, "project");
  g_assert_cmpstr (json_object_get_string_member (object, "user_id"), ==, "user");
  g_assert_cmpstr (json_object_get_string_member (object, "request_id"), ==, "req-1");
  g_assert_cmpstr (json_object_get_string_member (object, "message"), ==, "");
  g_assert_cmpstr (json_object_get_string_member (input, "image_id"), ==, IMAGE_ID);
  g_assert_true (json_object_get_null_member (object, "result"));
  g_assert_true (json_object_get_null_member (object, "expires_at"));
  g_assert_true (json_object_get_null_member (object, "total"));
  g_assert_cmpstr (json_object_get_string_member (object, "created_at"), ==,
                   "2026-01-01T00:00:00Z");
  g_assert_cmpstr (imgimport_job_get_id (job), ==, JOB_ID);
  g_assert_cmpstr (imgimport_job_get_image_id (job), ==, IMAGE_ID);
  g_assert_null (imgimport_job_get_reason (job));
  g_assert_null (imgimport_job_get_phase (job));
  g_assert_false (imgimport_job_is_finished (job));
}

static void
a_job_of_the_host_has_no_owner (void)
{
  g_autoptr (ImgImportJob) job = _imgimport_job_new (JOB_ID, IMAGE_ID, NULL, NULL, NOW_US);
  g_autofree char *json = imgimport_job_to_json (job);
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (json, "job", NULL);
  g_autoptr (ImgImportJob) read = imgimport_job_new_from_json (json, NULL);

  g_assert_true (json_object_get_null_member (object, "owner"));
  g_assert_true (json_object_get_null_member (object, "input"));
  g_assert_null (read->owner);
  g_assert_null (read->input);
}

static void
statuses_have_words (void)
{
  static const char *const words[] = { "pending", "processing", "success", "failure" };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_assert_cmpstr (imgimport_job_status_to_string ((ImgImportJobStatus)i), ==, words[i]);
  g_assert_null (imgimport_job_status_to_string ((ImgImportJobStatus)4));
}

static void
every_transition_is_as_in_the_table (void)
{
  static const char *const table[4] = {
    ".Y.Y", /* pending */
    "..YY", /* processing */
    "....", /* success */
    "....", /* failure */
  };

  for (int from = 0; from < 4; from++)
    for (int to = 0; to < 4; to++)
      {
        g_autoptr (ImgImportJob) job = new_job ();
        g_autoptr (GError) error = NULL;
        gboolean done;

        job->status = (ImgImportJobStatus)from;
        done = _imgimport_job_set_status (job, (ImgImportJobStatus)to, NOW_US + 9, TTL_US, &error);
        g_assert_cmpint (done, ==, table[from][to] == 'Y');
        g_assert_cmpint ((int)job->status, ==, done ? to : from);
        g_assert_cmpint (job->updated_us, ==, done ? NOW_US + 9 : NOW_US);
        if (done)
          continue;
        g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
        g_assert_cmpstr (imgimport_error_get_reason (error), ==, "job-transition");
        g_assert_nonnull (strstr (error->message, JOB_ID));
      }
}

static void
success_answers_the_image (void)
{
  g_autoptr (ImgImportJob) job = full_job ();
  g_autofree char *json = NULL;
  g_autoptr (JsonObject) object = NULL;

  g_assert_true (_imgimport_job_set_status (job, IMGIMPORT_JOB_SUCCESS, NOW_US, TTL_US, NULL));
  json = imgimport_job_to_json (job);
  object = _imgimport_json_parse_object (json, "job", NULL);
  g_assert_cmpstr (
      json_object_get_string_member (json_object_get_object_member (object, "result"), "image_id"),
      ==, IMAGE_ID);
  g_assert_true (imgimport_job_is_finished (job));
  g_assert_true (imgimport_job_get_error (job, NULL));
}

static void
only_final_jobs_expire (void)
{
  g_autoptr (ImgImportJob) job = new_job ();
  g_autoptr (ImgImportJob) kept = full_job ();

  g_assert_true (_imgimport_job_set_status (job, IMGIMPORT_JOB_PROCESSING, NOW_US, TTL_US, NULL));
  g_assert_cmpint (job->expires_us, ==, 0);
  g_assert_true (_imgimport_job_set_status (job, IMGIMPORT_JOB_SUCCESS, NOW_US, TTL_US, NULL));
  g_assert_cmpint (job->expires_us, ==, NOW_US + TTL_US);
  g_assert_true (_imgimport_job_set_status (kept, IMGIMPORT_JOB_SUCCESS, NOW_US, -1, NULL));
  g_assert_cmpint (kept->expires_us, ==, 0);
}

static void
assert_same_error (const GError *a, const GError *b)
{
  g_assert_cmpuint (a->domain, ==, b->domain);
  g_assert_cmpint (a->code, ==, b->code);
  g_assert_cmpstr (a->message, ==, b->message);
  g_assert_cmpstr (imgimport_error_get_reason (a), ==, imgimport_error_get_reason (b));
}

static void
assert_failure_is_kept (const GError *cause)
{
  g_autoptr (ImgImportJob) job = full_job ();
  g_autoptr (ImgImportJob) read = NULL;
  g_autofree char *json = NULL;
  g_autoptr (GError) direct = NULL;
  g_autoptr (GError) restored = NULL;

  g_assert_true (_imgimport_job_fail (job, cause, NOW_US, TTL_US, NULL));
  g_assert_cmpstr (imgimport_job_get_message (job), ==, cause->message);
  g_assert_cmpstr (imgimport_job_get_reason (job), ==, imgimport_error_get_reason (cause));
  g_assert_false (imgimport_job_get_error (job, &direct));
  assert_same_error (direct, cause);
  json = imgimport_job_to_json (job);
  read = imgimport_job_new_from_json (json, NULL);
  g_assert_false (imgimport_job_get_error (read, &restored));
  assert_same_error (restored, cause);
  g_assert_false (imgimport_job_get_error (read, NULL));
}

static void
a_failure_keeps_code_reason_and_message (void)
{
  g_autoptr (GError) cancelled =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");

  for (int code = (int)IMGIMPORT_ERROR_FAILED; code <= (int)IMGIMPORT_ERROR_PLUGIN; code++)
    {
      g_autoptr (GError) cause = NULL;

      _imgimport_set_error (&cause, (ImgImportError)code, "digest-mismatch", "it differs: %d",
                            code);
      assert_failure_is_kept (cause);
    }
  assert_failure_is_kept (cancelled);
}

static void
a_finished_job_cannot_fail (void)
{
  g_autoptr (ImgImportJob) job = full_job ();
  g_autoptr (GError) cause = NULL;
  g_autoptr (GError) error = NULL;

  _imgimport_set_error (&cause, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch", "late");
  g_assert_true (_imgimport_job_set_status (job, IMGIMPORT_JOB_SUCCESS, NOW_US, TTL_US, NULL));
  g_assert_false (_imgimport_job_fail (job, cause, NOW_US, TTL_US, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  g_assert_cmpstr (job->message, ==, "");
  g_assert_null (job->code);
}

static void
foreign_words_are_bounded (void)
{
  g_autoptr (ImgImportJob) job = full_job ();
  g_autofree char *words = g_strnfill (100000, 'x');
  g_autoptr (GError) cause = g_error_new (G_FILE_ERROR, G_FILE_ERROR_IO, "\xff%s", words);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportJob) read = NULL;
  g_autofree char *json = NULL;

  _imgimport_job_add_warning (job, words);
  g_assert_cmpuint (strlen (job->warnings[2]), ==, 4096);
  g_assert_true (_imgimport_job_fail (job, cause, NOW_US, TTL_US, NULL));
  g_assert_cmpuint (strlen (job->message), <=, 4100);
  json = imgimport_job_to_json (job);
  read = imgimport_job_new_from_json (json, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (read->code, ==, "failed");
}

static void
round_trips (void)
{
  g_autoptr (ImgImportJob) job = full_job ();
  g_autofree char *text = internal_text (job);
  g_autofree char *json = imgimport_job_to_json (job);
  g_autoptr (ImgImportJob) read = read_internal (text, NULL);
  g_autoptr (ImgImportJob) read_public = imgimport_job_new_from_json (json, NULL);
  g_autofree char *text_again = internal_text (read);
  g_autofree char *json_again = imgimport_job_to_json (read_public);

  g_assert_cmpstr (text_again, ==, text);
  g_assert_cmpstr (json_again, ==, json);
  g_assert_cmpint (read->created_us, ==, NOW_US);
  g_assert_cmpint ((int)imgimport_job_get_status (read_public), ==, (int)IMGIMPORT_JOB_PROCESSING);
  g_assert_cmpstr (imgimport_job_get_phase (read_public), ==, "deliver");
  g_assert_cmpuint (imgimport_job_get_bytes (read_public), ==, 10);
  g_assert_cmpuint (imgimport_job_get_total (read_public), ==, 20);
  g_assert_true (read_public->cancel_requested);
  g_assert_cmpstr (read_public->warnings[1], ==, "second");
  g_assert_cmpuint (read_public->deliveries->len, ==, 2);
}

static void
wrong_documents_are_refused (void)
{
  static const char *const wrong[][2] = {
    { "[]", "" },
    { "{}", "id" },
    { "{\"id\": 1, \"type\": \"x\", \"status\": \"x\", \"image_id\": \"x\"}", "id" },
    { "{\"id\": \"x\", \"type\": \"api_image_import\", \"status\": \"pending\", \"image_id\": "
      "\"" IMAGE_ID "\"}",
      "id" },
    { "{\"id\": \"" JOB_ID "\", \"type\": \"api_image_import\", \"status\": \"pending\","
      " \"image_id\": \"x\"}",
      "image_id" },
    { "{\"id\": \"" JOB_ID
      "\", \"type\": \"import\", \"status\": \"pending\", \"image_id\": \"" IMAGE_ID "\"}",
      "type" },
    { "{\"id\": \"" JOB_ID "\", \"type\": \"api_image_import\", \"status\": \"done\","
      " \"image_id\": \"" IMAGE_ID "\"}",
      "status" },
    { HEAD ", \"owner\": 1}", "owner" },
    { HEAD ", \"user_id\": 1}", "user_id" },
    { HEAD ", \"request_id\": 1}", "request_id" },
    { HEAD ", \"input\": []}", "input" },
    { HEAD ", \"message\": null}", "message" },
    { HEAD ", \"reason\": 1}", "reason" },
    { HEAD ", \"code\": 1}", "code" },
    { HEAD ", \"phase\": 1}", "phase" },
    { HEAD ", \"bytes\": -1}", "bytes" },
    { HEAD ", \"total\": \"1\"}", "total" },
    { HEAD ", \"warnings\": [1]}", "warnings" },
    { HEAD ", \"deliveries\": {}}", "deliveries" },
    { HEAD ", \"deliveries\": [1]}", "deliveries/0" },
    { HEAD ", \"deliveries\": [{\"store\": \"a\", \"way\": \"link\"}]}", "deliveries/0/why" },
    { HEAD ", \"deliveries\": [{\"store\": 1, \"way\": \"link\", \"why\": \"\"}]}",
      "deliveries/0/store" },
    { HEAD ", \"deliveries\": [{\"store\": \"a\", \"way\": \"fax\", \"why\": \"\"}]}",
      "deliveries/0/way" },
    { HEAD ", \"deliveries\": [{\"store\": \"a\", \"way\": \"link\", \"why\": \"\", \"x\": 1}]}",
      "deliveries/0/x" },
    { HEAD ", \"cancel_requested\": 1}", "cancel_requested" },
    { HEAD ", \"created_at\": \"x\"}", "created_at" },
    { HEAD ", \"updated_at\": \"x\"}", "updated_at" },
    { HEAD ", \"expires_at\": \"x\"}", "expires_at" },
    { HEAD ", \"created_us\": \"x\"}", "created_us" },
    { HEAD ", \"updated_us\": -1}", "updated_us" },
    { HEAD ", \"expires_us\": null}", "expires_us" },
    { HEAD ", \"extra\": 1}", "extra" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportJob) job = imgimport_job_new_from_json (wrong[i][0], &error);

      g_assert_null (job);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, wrong[i][1]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/F053/a-new-job-is-pending", a_new_job_is_pending);
  g_test_add_func ("/conformance/F053/statuses-have-words", statuses_have_words);
  g_test_add_func ("/conformance/F053/every-transition-is-as-in-the-table",
                   every_transition_is_as_in_the_table);
  g_test_add_func ("/conformance/F054/success-answers-the-image", success_answers_the_image);
  g_test_add_func ("/conformance/F055/only-final-jobs-expire", only_final_jobs_expire);
  g_test_add_func ("/model/job/a-job-of-the-host-has-no-owner", a_job_of_the_host_has_no_owner);
  g_test_add_func ("/model/job/a-failure-keeps-code-reason-and-message",
                   a_failure_keeps_code_reason_and_message);
  g_test_add_func ("/model/job/a-finished-job-cannot-fail", a_finished_job_cannot_fail);
  g_test_add_func ("/model/job/foreign-words-are-bounded", foreign_words_are_bounded);
  g_test_add_func ("/model/job/round-trips", round_trips);
  g_test_add_func ("/model/job/wrong-documents-are-refused", wrong_documents_are_refused);
  return g_test_run ();
}
