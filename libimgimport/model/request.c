/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define RESERVED_STORE_PREFIX "os_glance_"

/* A job's record holds the request some levels down and is read within IMGIMPORT_JSON_MAX_DEPTH. */
#define METHOD_MAX_DEPTH 8

void
_imgimport_request_free (ImgImportRequest *self)
{
  if (self == NULL)
    return;
  g_free (self->method);
  g_strfreev (self->stores);
  g_free (self->digest_name);
  g_free (self->digest_value);
  g_free (self->text);
  g_free (self);
}

/* The parser has bounded what this recursion can meet. */
static guint
depth_of (JsonNode *node)
{
  g_autoptr (GList) children = NULL;
  guint deepest = 0;

  if (JSON_NODE_HOLDS_OBJECT (node))
    children = json_object_get_values (json_node_get_object (node));
  else if (JSON_NODE_HOLDS_ARRAY (node))
    children = json_array_get_elements (json_node_get_array (node));
  else
    return 0;
  for (GList *l = children; l != NULL; l = l->next)
    {
      const guint depth = depth_of (l->data);

      deepest = MAX (deepest, depth);
    }
  return deepest + 1;
}

static ImgImportRequest *
request_new (const char *method)
{
  ImgImportRequest *self = g_new0 (ImgImportRequest, 1);

  self->method = g_strdup (method);
  self->must_succeed = TRUE;
  return self;
}

/* `method` is the request's own object, NULL for the default. */
static void
fill_text (ImgImportRequest *self, JsonNode *method)
{
  GString *out = g_string_new (NULL);

  _imgimport_json_begin_object (out, NULL);
  if (method != NULL)
    _imgimport_json_write_node (out, "method", method);
  else
    {
      _imgimport_json_begin_object (out, "method");
      _imgimport_json_write_string (out, "name", self->method);
      _imgimport_json_end_object (out);
    }
  if (self->stores != NULL)
    _imgimport_json_write_strv (out, "stores", (const char *const *)self->stores);
  _imgimport_json_write_boolean (out, "all_stores", self->all_stores);
  _imgimport_json_write_boolean (out, "all_stores_must_succeed", self->must_succeed);
  if (self->digest_name != NULL)
    {
      _imgimport_json_begin_object (out, "expected_digest");
      _imgimport_json_write_string (out, "algorithm", self->digest_name);
      _imgimport_json_write_string (out, "value", self->digest_value);
      _imgimport_json_end_object (out);
    }
  _imgimport_json_end_object (out);
  self->text = g_string_free (out, FALSE);
}

static gboolean
refuse (GError **error, const char *reason, const char *message)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, reason, "import request: %s",
                        message);
  return FALSE;
}

static gboolean
check_stores (const ImgImportRequest *self, GError **error)
{
  g_autoptr (GHashTable) seen = NULL;

  if (self->stores == NULL)
    return TRUE;
  if (self->all_stores)
    return refuse (error, "stores-conflict", "stores and all_stores exclude each other");
  if (self->stores[0] == NULL)
    return refuse (error, "stores-empty", "the list of stores is empty");

  seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (gsize i = 0; self->stores[i] != NULL; i++)
    {
      if (!g_hash_table_add (seen, self->stores[i]))
        return refuse (error, "store-duplicate", "a store is listed twice");
      if (g_str_has_prefix (self->stores[i], RESERVED_STORE_PREFIX))
        return refuse (error, "store-unknown",
                       "stores whose id begins with " RESERVED_STORE_PREFIX " are reserved");
    }
  return TRUE;
}

/* What a publisher may prove an image with: MD5 and SHA-1 prove nothing any more. */
static const struct
{
  const char *name;
  gsize length; /* of its hexadecimal form */
} digests[] = { { "sha256", 64 }, { "sha384", 96 }, { "sha512", 128 } };

/* Never skipped, whatever it looks like: it is refused, or the bytes are compared with it. */
static gboolean
check_digest (const ImgImportRequest *self, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (digests); i++)
    {
      if (g_strcmp0 (self->digest_name, digests[i].name) != 0)
        continue;
      if (strlen (self->digest_value) == digests[i].length &&
          strspn (self->digest_value, "0123456789abcdef") == digests[i].length)
        return TRUE;
      return refuse (
          error, "digest-malformed",
          "expected_digest/value is not as many hexadecimal digits as its algorithm has");
    }
  return self->digest_name == NULL ||
         refuse (error, "digest-malformed",
                 "expected_digest/algorithm is none of sha256, sha384 and sha512");
}

static gboolean
read_digest (ImgImportRequest *self, const ImgImportJsonCursor *request, GError **error)
{
  static const char *const members[] = { "algorithm", "value", NULL };
  ImgImportJsonCursor cursor = { .what = request->what, .path = "expected_digest" };
  const char *name = NULL;
  const char *value = NULL;

  if (!_imgimport_json_object (request, "expected_digest", &cursor.object, error))
    return FALSE;
  if (cursor.object == NULL)
    return TRUE;
  if (!_imgimport_model_require (&cursor, members, error) ||
      !_imgimport_json_string (&cursor, "algorithm", &name, error) ||
      !_imgimport_json_string (&cursor, "value", &value, error))
    return FALSE;
  self->digest_name = g_strdup (name);
  self->digest_value = g_ascii_strdown (value, -1);
  return TRUE;
}

static ImgImportRequest *
read_request (JsonObject *object, GError **error)
{
  static const char *const body[] = { "method", NULL };
  static const char *const names[] = { "name", NULL };
  const ImgImportJsonCursor cursor = { .object = object, .what = "import request", .path = "" };
  ImgImportJsonCursor method = { .what = cursor.what, .path = "method" };
  g_autoptr (ImgImportRequest) self = NULL;
  const char *name = NULL;

  if (!_imgimport_model_require (&cursor, body, error))
    return NULL;
  if (depth_of (json_object_get_member (object, "method")) > METHOD_MAX_DEPTH)
    {
      _imgimport_json_set_error (&cursor, "method", "json-invalid", error,
                                 "is nested deeper than %d levels", METHOD_MAX_DEPTH);
      return NULL;
    }
  if (!_imgimport_json_object (&cursor, "method", &method.object, error) ||
      !_imgimport_model_require (&method, names, error) ||
      !_imgimport_json_string (&method, "name", &name, error))
    return NULL;

  self = request_new (name);
  if (!_imgimport_json_strv (&cursor, "stores", &self->stores, error) ||
      !_imgimport_json_boolean (&cursor, "all_stores", &self->all_stores, error) ||
      !_imgimport_json_boolean (&cursor, "all_stores_must_succeed", &self->must_succeed, error) ||
      !read_digest (self, &cursor, error))
    return NULL;
  fill_text (self, json_object_get_member (object, "method"));
  return g_steal_pointer (&self);
}

ImgImportRequest *
_imgimport_request_parse (const char *json, GError **error)
{
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (ImgImportRequest) self = NULL;
  GError *cause = NULL;

  if (json == NULL)
    {
      self = request_new ("glance-direct");
      fill_text (self, NULL);
      return g_steal_pointer (&self);
    }

  object = _imgimport_json_parse_object (json, "import request", &cause);
  if (object != NULL)
    self = read_request (object, &cause);
  if (self == NULL)
    {
      _imgimport_model_refuse (error, "request-invalid", cause);
      return NULL;
    }
  if (strlen (self->text) > IMGIMPORT_REQUEST_MAX_JSON)
    {
      refuse (error, "request-invalid", "is longer than 64 KiB");
      return NULL;
    }
  if (!check_stores (self, error) || !check_digest (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

char *
_imgimport_request_to_input (const ImgImportRequest *self, const char *image_id,
                             const char *const *stores)
{
  GString *out = g_string_new (NULL);

  _imgimport_json_begin_object (out, NULL);
  _imgimport_json_write_string (out, "image_id", image_id);
  _imgimport_json_write_json (out, "import_req", self->text);
  _imgimport_json_write_strv (out, "backend", stores);
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}
