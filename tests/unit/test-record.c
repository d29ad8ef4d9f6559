/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records that the library would not have written: each is said to be corrupt, by its name, and
 * none is taken for what it does not say. */

#include "import.h"

typedef struct
{
  const char *name;
  const char *kind;
  const char *path;  /* of a member, by slashes */
  const char *value; /* JSON that it has instead; NULL: there is no such member */
  const char *why;
} Row;

#define IMAGE IMGIMPORT_KIND_IMAGE
#define JOB IMGIMPORT_KIND_JOB

static const Row rows[] = {
  { "image/is-missing", IMAGE, "image", NULL, "missing" },
  { "image/is-no-object", IMAGE, "image", "1", "image" },
  { "image/status-unknown", IMAGE, "image/status", "\"half\"", "status" },
  { "epoch/negative", IMAGE, "epoch", "-1", "epoch" },
  { "claim/is-no-object", IMAGE, "claim", "[]", "claim" },
  { "claim/kind-missing", IMAGE, "claim/kind", NULL, "not a claim" },
  { "claim/kind-unknown", IMAGE, "claim/kind", "\"none\"", "not a claim" },
  { "claim/owner-missing", IMAGE, "claim/owner", NULL, "not a claim" },
  { "claim/owner-is-no-text", IMAGE, "claim/owner", "7", "owner" },
  { "claim/epoch-zero", IMAGE, "claim/epoch", "0", "epoch" },
  { "claim/from-unknown", IMAGE, "claim/from", "\"nowhere\"", "nowhere" },
  { "staged/is-no-object", IMAGE, "staged", "\"key\"", "staged" },
  { "staged/key-missing", IMAGE, "staged/key", NULL, "not a staged object" },
  { "staged/version-missing", IMAGE, "staged/version", NULL, "not a staged object" },
  { "staged/size-negative", IMAGE, "staged/size", "-1", "size" },
  { "staged/digests-missing", IMAGE, "staged/digests", NULL, "not a staged object" },
  { "staged/digest-is-no-text", IMAGE, "staged/digests/sha512", "1", "sha512" },
  { "staged/facts-missing", IMAGE, "staged/facts", NULL, "not a staged object" },
  { "staged/facts-unknown", IMAGE, "staged/facts", "{\"x\": 1}", "x" },
  { "original/is-no-staged-object", IMAGE, "original", "{}", "not a staged object" },
  { "job/is-missing", JOB, "job", NULL, "missing" },
  { "job/status-unknown", JOB, "job/status", "\"half\"", "status" },
  { "job/owner-missing", JOB, "owner", NULL, "missing" },
  { "job/epoch-is-no-number", JOB, "epoch", "\"1\"", "epoch" },
  { "job/context-is-no-document", JOB, "context", "\"{\"", "" },
};

/* The body with one member changed. */
static char *
spoil (const char *body, const Row *row)
{
  g_autoptr (JsonNode) root = json_from_string (body, NULL);
  g_auto (GStrv) names = g_strsplit (row->path, "/", -1);
  JsonObject *object = json_node_get_object (root);
  char **name = names;

  for (; name[1] != NULL; name++)
    object = json_object_get_object_member (object, *name);
  if (row->value == NULL)
    json_object_remove_member (object, *name);
  else
    json_object_set_member (object, *name, json_from_string (row->value, NULL));
  return _imgimport_json_to_text (root);
}

static void
spoil_record (ImgImportService *service, const Row *row, const char *id)
{
  ImgImportRecord record = { .kind = row->kind, .id = id, .created_us = 1 };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT,
                           .expected = IMGIMPORT_REVISION_ANY,
                           .record = &record };
  const ImgImportOp *const ops[] = { &op };
  g_autofree char *good = NULL;
  g_autofree char *bad = NULL;
  g_autoptr (GError) error = NULL;
  gint64 revision = 0;

  _imgimport_catalog_get (service->catalog, row->kind, id, &good, &revision, &error);
  g_assert_no_error (error);
  bad = spoil (good, row);
  g_assert_cmpstr (good, !=, bad);
  record.body = bad;
  _imgimport_catalog_commit (service->catalog, ops, 1, FALSE, &error);
  g_assert_no_error (error);
}

static void
test_spoilt_record (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (ImgImportContext) context = tenant ("alice");
  g_autoptr (ImgImportUpload) upload = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *image_id = NULL;
  g_autofree char *job_id = NULL;
  const char *id;

  service_start (service);
  image_id = create (service, context, RAW);
  if (g_str_has_prefix (row->path, "claim"))
    upload =
        imgimport_service_stage_begin (service, context, image_id, IMGIMPORT_SIZE_UNKNOWN, &error);
  else
    stage (service, image_id, "bytes");
  if (g_str_equal (row->kind, JOB))
    job_id = begin_import (service, context, image_id, NULL);
  id = job_id != NULL ? job_id : image_id;
  spoil_record (service, row, id);
  if (job_id != NULL)
    g_assert_null (imgimport_service_get_job (service, NULL, id, &error));
  else
    g_assert_null (imgimport_service_get_image (service, NULL, id, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, id) == NULL || strstr (error->message, row->why) == NULL)
    g_error ("“%s” does not name record and cause", error->message);
  assert_refused (&error, IMGIMPORT_ERROR_CORRUPT, "record-corrupt");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/record/corrupt/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], test_spoilt_record);
    }
  return g_test_run ();
}
