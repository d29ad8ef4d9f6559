/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#define JOB_TYPE "api_image_import"

static const char *const ways[] = { "link", "reflink", "copy", "stream", NULL };

static void
write_input (ImgImportJob *self, JsonObject *object)
{
  if (self->input != NULL)
    json_object_set_member (object, "input", _imgimport_json_parse (self->input, "input", NULL));
  else
    json_object_set_null_member (object, "input");
}

static void
write_result (ImgImportJob *self, JsonObject *object)
{
  JsonObject *result;

  if (self->status != IMGIMPORT_JOB_SUCCESS)
    {
      json_object_set_null_member (object, "result");
      return;
    }
  result = json_object_new ();
  json_object_set_string_member (result, "image_id", self->image_id);
  json_object_set_object_member (object, "result", result);
}

static void
write_tasks (ImgImportJob *self, JsonObject *object)
{
  JsonNode *tasks = self->tasks != NULL ? _imgimport_json_parse (self->tasks, "tasks", NULL) : NULL;

  if (tasks != NULL)
    json_object_set_member (object, "tasks", tasks);
}

static void
write_deliveries (ImgImportJob *self, JsonObject *object)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < self->deliveries->len; i++)
    {
      const ImgImportDelivery *delivery = g_ptr_array_index (self->deliveries, i);
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "store", delivery->store);
      json_object_set_string_member (entry, "way", delivery->way);
      json_object_set_string_member (entry, "why", delivery->why);
      json_array_add_object_element (array, entry);
    }
  json_object_set_array_member (object, "deliveries", array);
}

static void
write_times (ImgImportJob *self, JsonObject *object, gboolean internal)
{
  if (internal)
    {
      json_object_set_int_member (object, "created_us", self->created_us);
      json_object_set_int_member (object, "updated_us", self->updated_us);
      json_object_set_int_member (object, "expires_us", self->expires_us);
      return;
    }
  _imgimport_model_write_time (object, "created_at", self->created_us);
  _imgimport_model_write_time (object, "updated_at", self->updated_us);
  _imgimport_model_write_time (object, "expires_at", self->expires_us);
}

JsonNode *
_imgimport_job_to_node (ImgImportJob *self, gboolean internal)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", self->id);
  json_object_set_string_member (object, "type", JOB_TYPE);
  json_object_set_string_member (object, "status", imgimport_job_status_to_string (self->status));
  _imgimport_model_write_string (object, "owner", self->owner);
  json_object_set_string_member (object, "image_id", self->image_id);
  _imgimport_model_write_string (object, "user_id", self->user_id);
  _imgimport_model_write_string (object, "request_id", self->request_id);
  write_input (self, object);
  write_result (self, object);
  json_object_set_string_member (object, "message", self->message);
  _imgimport_model_write_string (object, "reason", self->reason);
  _imgimport_model_write_string (object, "code", self->code);
  _imgimport_model_write_string (object, "phase", self->phase);
  _imgimport_model_write_size (object, "bytes", self->bytes);
  _imgimport_model_write_size (object, "total", self->total);
  _imgimport_model_write_strv (object, "warnings", (const char *const *)self->warnings);
  write_deliveries (self, object);
  write_tasks (self, object);
  json_object_set_boolean_member (object, "cancel_requested", self->cancel_requested);
  write_times (self, object, internal);
  return _imgimport_model_object_to_node (object);
}

char *
imgimport_job_to_json (ImgImportJob *self)
{
  g_autoptr (JsonNode) node = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), NULL);

  node = _imgimport_job_to_node (self, FALSE);
  return _imgimport_json_object_to_text (json_node_get_object (node));
}

static gboolean
read_identity (ImgImportJob *self, const ImgImportJsonCursor *cursor, GError **error)
{
  static const char *const required[] = { "id", "type", "status", "image_id", NULL };
  const char *id = NULL;
  const char *image_id = NULL;
  const char *type = NULL;
  int status = 0;

  if (!_imgimport_model_require (cursor, required, error) ||
      !_imgimport_json_string (cursor, "id", &id, error) ||
      !_imgimport_json_string (cursor, "image_id", &image_id, error) ||
      !_imgimport_json_string (cursor, "type", &type, error) ||
      !_imgimport_model_read_word (cursor, "status", IMGIMPORT_TYPE_JOB_STATUS, &status, error))
    return FALSE;
  if (!_imgimport_uuid_is_valid (id) || !_imgimport_uuid_is_valid (image_id))
    {
      _imgimport_json_set_error (cursor, _imgimport_uuid_is_valid (id) ? "image_id" : "id",
                                 "json-invalid", error, "is no lower-case UUID");
      return FALSE;
    }
  if (g_strcmp0 (type, JOB_TYPE) != 0)
    {
      _imgimport_json_set_error (cursor, "type", "json-invalid", error, "is not " JOB_TYPE);
      return FALSE;
    }
  self->id = g_strdup (id);
  self->image_id = g_strdup (image_id);
  self->status = (ImgImportJobStatus)status;
  return TRUE;
}

static gboolean
read_texts (ImgImportJob *self, const ImgImportJsonCursor *cursor, GError **error)
{
  const char *message = self->message;
  JsonObject *input = NULL;

  if (!_imgimport_model_read_string (cursor, "owner", G_MAXLONG, &self->owner, error) ||
      !_imgimport_model_read_string (cursor, "user_id", G_MAXLONG, &self->user_id, error) ||
      !_imgimport_model_read_string (cursor, "request_id", G_MAXLONG, &self->request_id, error) ||
      !_imgimport_model_read_string (cursor, "reason", G_MAXLONG, &self->reason, error) ||
      !_imgimport_model_read_string (cursor, "code", G_MAXLONG, &self->code, error) ||
      !_imgimport_model_read_string (cursor, "phase", G_MAXLONG, &self->phase, error) ||
      !_imgimport_json_string (cursor, "message", &message, error))
    return FALSE;
  _imgimport_set_string (&self->message, message);
  if (!json_object_has_member (cursor->object, "input") ||
      json_object_get_null_member (cursor->object, "input"))
    return TRUE;
  if (!_imgimport_json_object (cursor, "input", &input, error))
    return FALSE;
  self->input = _imgimport_json_object_to_text (input);
  return TRUE;
}

static gboolean
read_tasks (ImgImportJob *self, const ImgImportJsonCursor *cursor, GError **error)
{
  JsonArray *array = NULL;

  if (!_imgimport_json_array (cursor, "tasks", &array, error))
    return FALSE;
  if (array != NULL)
    self->tasks = _imgimport_json_to_text (json_object_get_member (cursor->object, "tasks"));
  return TRUE;
}

static gboolean
read_delivery (ImgImportJob *self, const ImgImportJsonCursor *cursor, GError **error)
{
  static const char *const known[] = { "store", "way", "why", NULL };
  const char *store = NULL;
  const char *way = NULL;
  const char *why = NULL;

  if (!_imgimport_json_only (cursor, known, error) ||
      !_imgimport_model_require (cursor, known, error) ||
      !_imgimport_json_string (cursor, "store", &store, error) ||
      !_imgimport_json_string (cursor, "way", &way, error) ||
      !_imgimport_json_string (cursor, "why", &why, error))
    return FALSE;
  if (!g_strv_contains (ways, way))
    {
      _imgimport_json_set_error (cursor, "way", "json-invalid", error, "“%s” is no way", way);
      return FALSE;
    }
  _imgimport_job_add_delivery (self, store, way, why);
  return TRUE;
}

static gboolean
read_deliveries (ImgImportJob *self, const ImgImportJsonCursor *cursor, GError **error)
{
  JsonArray *array = NULL;

  if (!_imgimport_json_array (cursor, "deliveries", &array, error))
    return FALSE;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      g_autofree char *path = g_strdup_printf ("deliveries/%u", i);
      ImgImportJsonCursor entry = { .what = cursor->what, .path = path };

      if (!_imgimport_model_read_element (cursor, array, i, path, &entry.object, error) ||
          !read_delivery (self, &entry, error))
        return FALSE;
    }
  return TRUE;
}

ImgImportJob *
_imgimport_job_from_object (JsonObject *object, const char *what, GError **error)
{
  static const char *const known[] = {
    "id",         "type",       "status",     "owner",      "image_id",         "user_id",
    "request_id", "input",      "result",     "message",    "reason",           "code",
    "phase",      "bytes",      "total",      "warnings",   "deliveries",       "created_at",
    "updated_at", "expires_at", "created_us", "updated_us", "cancel_requested", "expires_us", "tasks",
    NULL
  };
  g_autoptr (ImgImportJob) self = g_object_new (IMGIMPORT_TYPE_JOB, NULL);
  g_auto (GStrv) warnings = NULL;
  const ImgImportJsonCursor cursor = { .object = object, .what = what, .path = "" };

  if (!_imgimport_json_only (&cursor, known, error) || !read_identity (self, &cursor, error) ||
      !read_texts (self, &cursor, error) ||
      !_imgimport_model_read_size (&cursor, "bytes", &self->bytes, error) ||
      !_imgimport_model_read_size (&cursor, "total", &self->total, error) ||
      !_imgimport_json_strv (&cursor, "warnings", &warnings, error) ||
      !read_deliveries (self, &cursor, error) || !read_tasks (self, &cursor, error) ||
      !_imgimport_json_boolean (&cursor, "cancel_requested", &self->cancel_requested, error) ||
      !_imgimport_model_read_time (&cursor, "created_at", &self->created_us, error) ||
      !_imgimport_model_read_time (&cursor, "updated_at", &self->updated_us, error) ||
      !_imgimport_model_read_time (&cursor, "expires_at", &self->expires_us, error) ||
      !_imgimport_json_int (&cursor, "created_us", 0, G_MAXINT64, &self->created_us, error) ||
      !_imgimport_json_int (&cursor, "updated_us", 0, G_MAXINT64, &self->updated_us, error) ||
      !_imgimport_json_int (&cursor, "expires_us", 0, G_MAXINT64, &self->expires_us, error))
    return NULL;
  if (warnings != NULL)
    {
      g_strfreev (self->warnings);
      self->warnings = g_steal_pointer (&warnings);
    }
  return g_steal_pointer (&self);
}

ImgImportJob *
imgimport_job_new_from_json (const char *json, GError **error)
{
  g_autoptr (JsonObject) object = NULL;

  g_return_val_if_fail (json != NULL, NULL);

  object = _imgimport_json_parse_object (json, "job", error);
  return object != NULL ? _imgimport_job_from_object (object, "job", error) : NULL;
}
