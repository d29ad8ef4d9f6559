/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define DIRECT "{\"method\": {\"name\": \"glance-direct\"}"
#define IMAGE_ID "11111111-2222-4333-8444-555555555555"

static void
no_request_is_the_default (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportRequest) request = _imgimport_request_parse (NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (request->method, ==, "glance-direct");
  g_assert_null (request->stores);
  g_assert_false (request->all_stores);
  g_assert_true (request->must_succeed);
}

/* The text that is kept reads back as the same request. */
static void
assert_text_is_stable (const ImgImportRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportRequest) again = _imgimport_request_parse (request->text, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (again->text, ==, request->text);
  g_assert_cmpstr (again->method, ==, request->method);
  g_assert_cmpint (again->all_stores, ==, request->all_stores);
  g_assert_cmpint (again->must_succeed, ==, request->must_succeed);
  g_assert_cmpstr (again->digest_name, ==, request->digest_name);
  g_assert_cmpstr (again->digest_value, ==, request->digest_value);
  g_assert_cmpint (again->stores == NULL, ==, request->stores == NULL);
}

static void
must_succeed_is_the_default (void)
{
  g_autoptr (ImgImportRequest) request = _imgimport_request_parse (DIRECT "}", NULL);

  g_assert_true (request->must_succeed);
  g_assert_cmpstr (request->text, ==,
                   "{\"method\":{\"name\":\"glance-direct\"},\"all_stores\":false,"
                   "\"all_stores_must_succeed\":true}");
  assert_text_is_stable (request);
}

static void
every_member (void)
{
  g_autoptr (ImgImportRequest) request = _imgimport_request_parse (
      "{\"method\": {\"name\": \"web-download\", \"uri\": \"https://x/y\", \"more\": [1]},"
      " \"stores\": [\"b\", \"a\"], \"all_stores\": false, \"all_stores_must_succeed\": false}",
      NULL);

  g_assert_cmpstr (request->method, ==, "web-download");
  g_assert_cmpstr (request->stores[0], ==, "b");
  g_assert_cmpstr (request->stores[1], ==, "a");
  g_assert_null (request->stores[2]);
  g_assert_false (request->must_succeed);
  g_assert_nonnull (strstr (request->text, "\"uri\":\"https://x/y\""));
  g_assert_nonnull (strstr (request->text, "\"more\":[1]"));
  assert_text_is_stable (request);
}

static void
all_stores (void)
{
  g_autoptr (ImgImportRequest) request =
      _imgimport_request_parse (DIRECT ", \"all_stores\": true}", NULL);

  g_assert_true (request->all_stores);
  g_assert_null (request->stores);
  assert_text_is_stable (request);
}

static void
unknown_members_are_ignored (void)
{
  g_autoptr (ImgImportRequest) request =
      _imgimport_request_parse (DIRECT ", \"colour\": {\"a\": 1}}", NULL);

  g_assert_nonnull (request);
  g_assert_null (strstr (request->text, "colour"));
}

typedef struct
{
  const char *text;
  const char *reason;
} Case;

static void
assert_refused (const Case *cases, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportRequest) request = _imgimport_request_parse (cases[i].text, &error);

      if (request != NULL)
        g_error ("%s was accepted", cases[i].text);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, cases[i].reason);
      g_assert_nonnull (strstr (error->message, "import request"));
    }
}

static void
method_is_needed (void)
{
  static const Case cases[] = {
    { "{}", "request-invalid" },
    { "{\"stores\": [\"a\"]}", "request-invalid" },
    { "{\"method\": null}", "request-invalid" },
    { "{\"method\": \"glance-direct\"}", "request-invalid" },
    { "{\"method\": {}}", "request-invalid" },
    { "{\"method\": {\"name\": null}}", "request-invalid" },
    { "{\"method\": {\"name\": 1}}", "request-invalid" },
    { "{\"method\": {\"uri\": \"https://x/y\"}}", "request-invalid" },
  };

  assert_refused (cases, G_N_ELEMENTS (cases));
}

static void
booleans_are_booleans (void)
{
  static const Case cases[] = {
    { DIRECT ", \"all_stores\": \"true\"}", "request-invalid" },
    { DIRECT ", \"all_stores\": 1}", "request-invalid" },
    { DIRECT ", \"all_stores\": null}", "request-invalid" },
    { DIRECT ", \"all_stores_must_succeed\": \"true\"}", "request-invalid" },
    { DIRECT ", \"all_stores_must_succeed\": 0}", "request-invalid" },
    { DIRECT ", \"all_stores_must_succeed\": null}", "request-invalid" },
  };

  assert_refused (cases, G_N_ELEMENTS (cases));
}

static void
stores_exclude_all_stores (void)
{
  static const Case cases[] = {
    { DIRECT ", \"stores\": [\"a\"], \"all_stores\": true}", "stores-conflict" },
    { DIRECT ", \"stores\": [], \"all_stores\": true}", "stores-conflict" },
  };
  g_autoptr (ImgImportRequest) both =
      _imgimport_request_parse (DIRECT ", \"stores\": [\"a\"], \"all_stores\": false}", NULL);

  assert_refused (cases, G_N_ELEMENTS (cases));
  g_assert_nonnull (both);
}

static void
store_lists (void)
{
  static const Case cases[] = {
    { DIRECT ", \"stores\": []}", "stores-empty" },
    { DIRECT ", \"stores\": [\"a\", \"b\", \"a\"]}", "store-duplicate" },
    { DIRECT ", \"stores\": [\"a\", \"os_glance_staging_store\"]}", "store-unknown" },
    { DIRECT ", \"stores\": \"a\"}", "request-invalid" },
    { DIRECT ", \"stores\": [\"a\", null]}", "request-invalid" },
    { DIRECT ", \"stores\": {}}", "request-invalid" },
    { DIRECT ", \"stores\": null}", "request-invalid" },
  };

  assert_refused (cases, G_N_ELEMENTS (cases));
}

#define HEX32 "0123456789abcdef0123456789ABCDEF"
#define DIGEST(algorithm, value)                                                                   \
  DIRECT ", \"expected_digest\": {\"algorithm\": \"" algorithm "\", \"value\": \"" value "\"}}"

static void
digests (void)
{
  static const Case cases[] = {
    { DIGEST ("sha256", ""), "digest-malformed" },
    { DIGEST ("sha256", HEX32), "digest-malformed" },
    { DIGEST ("sha256", HEX32 HEX32 "0"), "digest-malformed" },
    { DIGEST ("sha256", HEX32 "0123456789abcdef0123456789abcde "), "digest-malformed" },
    { DIGEST ("sha256", " " HEX32 HEX32), "digest-malformed" },
    { DIGEST ("sha256", HEX32 "0123456789abcdef0123456789abcdeg"), "digest-malformed" },
    { DIGEST ("sha256", "sha256:" HEX32 HEX32), "digest-malformed" },
    { DIGEST ("sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), "digest-malformed" },
    { DIGEST ("sha512", HEX32 HEX32), "digest-malformed" },
    { DIGEST ("md5", HEX32), "digest-malformed" },
    { DIGEST ("sha1", HEX32 "01234567"), "digest-malformed" },
    { DIGEST ("SHA256", HEX32 HEX32), "digest-malformed" },
    { DIGEST ("", HEX32 HEX32), "digest-malformed" },
    { DIRECT ", \"expected_digest\": null}", "request-invalid" },
    { DIRECT ", \"expected_digest\": \"sha256:" HEX32 HEX32 "\"}", "request-invalid" },
    { DIRECT ", \"expected_digest\": {}}", "request-invalid" },
    { DIRECT ", \"expected_digest\": {\"algorithm\": \"sha256\"}}", "request-invalid" },
    { DIRECT ", \"expected_digest\": {\"value\": \"" HEX32 HEX32 "\"}}", "request-invalid" },
    { DIRECT ", \"expected_digest\": {\"algorithm\": 1, \"value\": \"" HEX32 HEX32 "\"}}",
      "request-invalid" },
    { DIRECT ", \"expected_digest\": {\"algorithm\": \"sha256\", \"value\": null}}",
      "request-invalid" },
  };
  g_autofree char *lower = g_ascii_strdown (HEX32 HEX32, -1);
  g_autoptr (ImgImportRequest) request =
      _imgimport_request_parse (DIGEST ("sha256", HEX32 HEX32), NULL);

  assert_refused (cases, G_N_ELEMENTS (cases));
  g_assert_cmpstr (request->digest_name, ==, "sha256");
  g_assert_cmpstr (request->digest_value, ==, lower);
  g_assert_nonnull (strstr (request->text, lower));
  assert_text_is_stable (request);
}

static void
malformed_documents (void)
{
  static const Case cases[] = {
    { "", "request-invalid" },
    { "[]", "request-invalid" },
    { "{\"method\": {\"name\": \"x\"}", "request-invalid" },
    { "{\"method\": {\"name\": \"x\", \"name\": \"y\"}}", "request-invalid" },
  };

  assert_refused (cases, G_N_ELEMENTS (cases));
}

static void
requests_are_bounded (void)
{
  g_autofree char *filler = g_strnfill (IMGIMPORT_REQUEST_MAX_JSON, 'u');
  g_autofree char *large =
      g_strdup_printf ("{\"method\": {\"name\": \"x\", \"uri\": \"%s\"}}", filler);
  const Case cases[] = {
    { large, "request-invalid" },
    { "{\"method\": {\"name\": \"x\", \"a\": [[[[[[[[]]]]]]]]}}", "request-invalid" },
    { "{\"method\": {\"name\": \"x\", \"a\": {\"b\": [{\"c\": [[[[[{}]]]]]}]}}}",
      "request-invalid" },
  };
  g_autoptr (ImgImportRequest) deep =
      _imgimport_request_parse ("{\"method\": {\"name\": \"x\", \"a\": [[[[[[[]]]]]]]}}", NULL);

  assert_refused (cases, G_N_ELEMENTS (cases));
  g_assert_nonnull (deep);
}

static void
input_of_a_job (void)
{
  static const char *const stores[] = { "a", "b", NULL };
  g_autoptr (ImgImportRequest) request = _imgimport_request_parse (
      "{\"method\": {\"name\": \"copy-image\"}, \"all_stores\": true}", NULL);
  g_autofree char *input = _imgimport_request_to_input (request, IMAGE_ID, stores);
  g_autoptr (ImgImportJob) job = _imgimport_job_new (IMAGE_ID, IMAGE_ID, NULL, input, 1);
  g_autofree char *json = imgimport_job_to_json (job);
  g_autoptr (ImgImportJob) read = imgimport_job_new_from_json (json, NULL);

  g_assert_cmpstr (input, ==,
                   "{\"image_id\":\"" IMAGE_ID "\",\"import_req\":{\"method\":{\"name\":"
                   "\"copy-image\"},\"all_stores\":true,\"all_stores_must_succeed\":true},"
                   "\"backend\":[\"a\",\"b\"]}");
  g_assert_cmpstr (read->input, ==, input);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/F037/method-is-needed", method_is_needed);
  g_test_add_func ("/conformance/F038/booleans-are-booleans", booleans_are_booleans);
  g_test_add_func ("/conformance/F039/must-succeed-is-the-default", must_succeed_is_the_default);
  g_test_add_func ("/conformance/F042/stores-exclude-all-stores", stores_exclude_all_stores);
  g_test_add_func ("/conformance/F053/input-of-a-job", input_of_a_job);
  g_test_add_func ("/model/request/no-request-is-the-default", no_request_is_the_default);
  g_test_add_func ("/model/request/every-member", every_member);
  g_test_add_func ("/model/request/all-stores", all_stores);
  g_test_add_func ("/model/request/unknown-members-are-ignored", unknown_members_are_ignored);
  g_test_add_func ("/model/request/store-lists", store_lists);
  g_test_add_func ("/model/request/security-52/digests", digests);
  g_test_add_func ("/model/request/malformed-documents", malformed_documents);
  g_test_add_func ("/model/request/requests-are-bounded", requests_are_bounded);
  return g_test_run ();
}
