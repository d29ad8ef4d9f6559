/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an import request may say, and of two faults the one that is told (F051). */

#include "import.h"

#include "service/txn.h"

#define UNKNOWN_ID "99999999-2222-4333-8444-555555555555"
#define COMMUNITY                                                                                  \
  "{\"visibility\": \"community\", \"disk_format\": \"raw\", \"container_format\": \"bare\"}"
#define COMMUNITY_WITHOUT_FORMATS "{\"visibility\": \"community\"}"

/* A method that refuses every request that reaches it, and one that needs a queued image. */
static gboolean
refuse_request (gpointer self, const char *request, GError **error)
{
  g_assert_nonnull (strstr (request, "\"method\""));
  imgimport_error_set (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "uri-refused", "a wrong address");
  return FALSE;
}

static gboolean
never_open (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
            GCancellable *cancellable, GError **error)
{
  g_assert_not_reached ();
}

static const ImgImportMethodVTable picky = { IMGIMPORT_METHOD_VTABLE_INIT,
                                             .required_status = IMGIMPORT_STATUS_UPLOADING,
                                             .check = refuse_request, .open = never_open };
static const ImgImportMethodVTable fetcher = { IMGIMPORT_METHOD_VTABLE_INIT,
                                               .required_status = IMGIMPORT_STATUS_QUEUED,
                                               .open = never_open };

static void
set_up_methods (Fixture *f, gconstpointer data)
{
  f->service = service_new ("{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES
                            ", \"workers\": 0, \"default_store\": \"two\", "
                            "\"methods\": [\"glance-direct\", \"picky\", \"fetcher\"]}");
  imgimport_service_add_method (f->service, "picky", &picky, NULL, NULL, &f->error);
  imgimport_service_add_method (f->service, "fetcher", &fetcher, NULL, NULL, &f->error);
  imgimport_service_add_method (f->service, "disabled", &fetcher, NULL, NULL, &f->error);
  g_assert_no_error (f->error);
  service_start (f->service);
  f->alice = tenant ("alice");
  f->bob = tenant ("bob");
}

static void
refused (Fixture *f, ImgImportContext *context, const char *id, const char *request,
         ImgImportError code, const char *reason)
{
  g_assert_null (imgimport_service_import_image (f->service, context, id, request, &f->error));
  assert_refused (&f->error, code, reason);
}

/* ---- the request ----------------------------------------------------------------------------- */

static const struct
{
  const char *request;
  ImgImportError code;
  const char *reason;
} wrong_requests[] = {
  { "", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { "[]", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { "{}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { "{\"method\": \"glance-direct\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { "{\"method\": {}}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { "{\"method\": {\"name\": 1}}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { DIRECT ", \"all_stores\": \"true\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { DIRECT ", \"all_stores\": 1}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { DIRECT ", \"all_stores_must_succeed\": \"false\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT,
    "request-invalid" },
  { DIRECT ", \"stores\": \"one\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { DIRECT ", \"stores\": [1]}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid" },
  { DIRECT ", \"stores\": []}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "stores-empty" },
  { DIRECT ", \"stores\": [\"one\"], \"all_stores\": true}", IMGIMPORT_ERROR_INVALID_ARGUMENT,
    "stores-conflict" },
  { DIRECT ", \"stores\": [\"one\", \"one\"]}", IMGIMPORT_ERROR_INVALID_ARGUMENT,
    "store-duplicate" },
  { DIRECT ", \"stores\": [\"os_glance_staging_store\"]}", IMGIMPORT_ERROR_INVALID_ARGUMENT,
    "store-unknown" },
  { DIRECT ", \"stores\": [\"staging\"]}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "store-unknown" },
  { DIRECT ", \"stores\": [\"one\", \"three\"]}", IMGIMPORT_ERROR_INVALID_ARGUMENT,
    "store-unknown" },
  { "{\"method\": {\"name\": \"none\"}}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "method-unknown" },
  { "{\"method\": {\"name\": \"disabled\"}}", IMGIMPORT_ERROR_NOT_SUPPORTED, "method-disabled" },
  { "{\"method\": {\"name\": \"picky\"}}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "uri-refused" },
};

/* Rows F036 to F038, F042, F043 and D15; C01 to C06, C21, C23. */
static void
test_wrong_requests_are_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  gsize i;

  stage (f->service, id, "bytes");
  for (i = 0; i < G_N_ELEMENTS (wrong_requests); i++)
    refused (f, f->alice, id, wrong_requests[i].request, wrong_requests[i].code,
             wrong_requests[i].reason);
  assert_image_is (f->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_no_notes (f->service);
  import (f->service, id, NULL);
}

/* Where each request sends the bytes, and that all must succeed unless it says otherwise. */
static void
test_stores_of_a_request (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *request;
    const char *stores;
    gboolean must_succeed;
  } rows[] = {
    { NULL, "two", TRUE },
    { DIRECT "}", "two", TRUE },
    { DIRECT ", \"all_stores\": false}", "two", TRUE },
    { DIRECT ", \"stores\": [\"one\"]}", "one", TRUE },
    { DIRECT ", \"stores\": [\"two\", \"one\"]}", "two,one", TRUE },
    { DIRECT_TO_ALL, "one,two", TRUE },
    { DIRECT_TO_SOME, "one,two", FALSE },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *id = create (f->service, NULL, RAW);
      g_autoptr (ImgImportJob) job = NULL;

      stage (f->service, id, "bytes");
      job = run_import (f->service, id, rows[i].request);
      assert_success (job);
      assert_copies (f->service, id, rows[i].stores);
      g_assert_nonnull (strstr (job->input, rows[i].must_succeed
                                                ? "\"all_stores_must_succeed\":true"
                                                : "\"all_stores_must_succeed\":false"));
    }
}

/* ---- the image ------------------------------------------------------------------------------- */

static void
test_wrong_status_is_told (Fixture *f, gconstpointer data)
{
  g_autofree char *queued = create (f->service, f->alice, RAW);
  g_autofree char *staged = create (f->service, f->alice, RAW);
  g_autofree char *active = create_active (f->service, f->alice, "bytes");

  g_assert_null (
      imgimport_service_import_image (f->service, f->alice, queued, DIRECT "}", &f->error));
  g_assert_nonnull (strstr (f->error->message, "staged first"));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "status-not-importable");

  refused (f, f->alice, active, DIRECT "}", IMGIMPORT_ERROR_INVALID_STATE, "status-not-importable");
  stage (f->service, staged, "bytes");
  g_assert_null (imgimport_service_import_image (
      f->service, f->alice, staged, "{\"method\": {\"name\": \"fetcher\"}}", &f->error));
  g_assert_nonnull (strstr (f->error->message, "is uploading"));
  g_assert_nonnull (strstr (f->error->message, "to be queued"));
  assert_refused (&f->error, IMGIMPORT_ERROR_INVALID_STATE, "status-not-importable");
}

static void
test_both_formats_are_needed (Fixture *f, gconstpointer data)
{
  static const char *const attributes[] = { NULL, "{\"disk_format\": \"raw\"}",
                                            "{\"container_format\": \"bare\"}" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (attributes); i++)
    {
      g_autofree char *id = create (f->service, f->alice, attributes[i]);

      stage (f->service, id, "bytes");
      refused (f, f->alice, id, NULL, IMGIMPORT_ERROR_INVALID_STATE, "formats-missing");
    }
}

static void
test_only_owner_and_administrator_may (Fixture *f, gconstpointer data)
{
  g_autofree char *hidden = create (f->service, f->alice, RAW);
  g_autofree char *seen = create (f->service, f->alice, COMMUNITY);
  g_autofree char *job_id = NULL;

  stage (f->service, hidden, "bytes");
  stage (f->service, seen, "bytes");
  refused (f, f->bob, hidden, NULL, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  refused (f, f->bob, seen, NULL, IMGIMPORT_ERROR_PERMISSION, "not-owner");
  assert_no_notes (f->service);
  job_id = begin_import (f->service, f->alice, seen, NULL);
  import (f->service, hidden, NULL);
}

/* A record that says uploading, but of what: nothing that staging makes. */
static gboolean
lose_seal (ImgImportTxn *txn, gpointer data, GError **error)
{
  _imgimport_staged_clear (&_imgimport_txn_image (txn)->staged);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static void
test_nothing_but_sealed_bytes_is_imported (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload =
      imgimport_service_stage_begin (f->service, f->alice, id, IMGIMPORT_SIZE_UNKNOWN, &f->error);

  g_assert_no_error (f->error);
  refused (f, f->alice, id, NULL, IMGIMPORT_ERROR_BUSY, "image-claimed");
  imgimport_upload_abort (upload);
  stage (f->service, id, "bytes");
  g_assert_true (_imgimport_txn_run (f->service, id, NULL, FALSE, lose_seal, NULL, &f->error));
  refused (f, f->alice, id, NULL, IMGIMPORT_ERROR_INVALID_STATE, "not-staged");
}

static void
test_one_import_at_a_time (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *job_id = NULL;
  g_autoptr (ImgImportJob) job = NULL;

  stage (f->service, id, "bytes");
  job_id = begin_import (f->service, f->alice, id, NULL);
  refused (f, f->alice, id, NULL, IMGIMPORT_ERROR_BUSY, "image-claimed");
  g_assert_null (imgimport_service_unstage (f->service, f->alice, id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_BUSY, "image-claimed");
  job = finish (f->service, job_id);
  assert_success (job);
}

/* ---- of two faults, which -------------------------------------------------------------------- */

typedef enum
{
  NO_IMAGE,
  QUEUED,      /* not what glance-direct needs */
  BARE_STAGED, /* without formats */
  CLAIMED,     /* by an import */
  STAGED,
} Kind;

/* Alice's, and seen by all. */
static char *
make (Fixture *f, Kind kind)
{
  gboolean bare = kind == QUEUED || kind == BARE_STAGED;
  char *id;
  char *job_id;

  if (kind == NO_IMAGE)
    return g_strdup (UNKNOWN_ID);
  id = create (f->service, NULL, bare ? COMMUNITY_WITHOUT_FORMATS : COMMUNITY);
  if (kind == QUEUED)
    return id;
  stage (f->service, id, "bytes");
  if (kind == CLAIMED)
    {
      job_id = begin_import (f->service, NULL, id, NULL);
      g_free (job_id);
    }
  return id;
}

#define NOWHERE ", \"stores\": [\"nowhere\"]}"

static void
test_first_fault_wins (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *request;
    Kind kind;
    gboolean by_owner;
    const char *reason;
  } rows[] = {
    { "{\"method\": {\"name\": \"none\"}, \"stores\": []}", NO_IMAGE, TRUE, "stores-empty" },
    { "{\"method\": {\"name\": \"none\"}}", NO_IMAGE, TRUE, "method-unknown" },
    { "{\"method\": {\"name\": \"disabled\"}}", NO_IMAGE, TRUE, "method-disabled" },
    { DIRECT NOWHERE, NO_IMAGE, FALSE, "image-not-found" },
    { DIRECT "}", QUEUED, TRUE, "status-not-importable" },
    { DIRECT "}", QUEUED, FALSE, "status-not-importable" },
    { DIRECT NOWHERE, QUEUED, TRUE, "status-not-importable" },
    { DIRECT "}", BARE_STAGED, FALSE, "formats-missing" },
    { DIRECT NOWHERE, BARE_STAGED, TRUE, "formats-missing" },
    { DIRECT "}", CLAIMED, FALSE, "not-owner" },
    { DIRECT NOWHERE, STAGED, FALSE, "not-owner" },
    { DIRECT NOWHERE, CLAIMED, TRUE, "image-claimed" },
    { "{\"method\": {\"name\": \"picky\"}}", CLAIMED, TRUE, "image-claimed" },
    { "{\"method\": {\"name\": \"picky\"}" NOWHERE, STAGED, TRUE, "store-unknown" },
    { "{\"method\": {\"name\": \"picky\"}}", STAGED, TRUE, "uri-refused" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *id = make (f, rows[i].kind);

      g_assert_null (imgimport_service_import_image (f->service, rows[i].by_owner ? NULL : f->bob,
                                                     id, rows[i].request, &f->error));
      g_assert_cmpstr (imgimport_error_get_reason (f->error), ==, rows[i].reason);
      g_clear_error (&f->error);
    }
}

static void
test_closed_service_accepts_nothing (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);

  stage (f->service, id, "bytes");
  g_assert_true (imgimport_service_close (f->service, NULL, &f->error));
  refused (f, f->alice, id, NULL, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up_methods, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/conformance/F038/wrong-requests-are-refused", test_wrong_requests_are_refused);
  ADD ("/conformance/F044/stores-of-a-request", test_stores_of_a_request);
  ADD ("/conformance/F048/wrong-status-is-told", test_wrong_status_is_told);
  ADD ("/conformance/F049/both-formats-are-needed", test_both_formats_are_needed);
  ADD ("/conformance/F050/only-owner-and-administrator-may", test_only_owner_and_administrator_may);
  ADD ("/import/I2/nothing-but-sealed-bytes-is-imported",
       test_nothing_but_sealed_bytes_is_imported);
  ADD ("/conformance/F058/one-import-at-a-time", test_one_import_at_a_time);
  ADD ("/conformance/F051/first-fault-wins", test_first_fault_wins);
  ADD ("/import/closed-service-accepts-nothing", test_closed_service_accepts_nothing);
  return g_test_run ();
}
