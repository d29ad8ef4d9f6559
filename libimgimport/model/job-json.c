/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#define JOB_TYPE "api_image_import"

static const char *const ways[] = { "link", "reflink", "copy", "stream", NULL };

static void
write_result (ImgImportJob *self, GString *out)
{
  if (self->status != IMGIMPORT_JOB_SUCCESS)
    {
      _imgimport_json_write_json (out, "result", NULL);
      return;
    }
  _imgimport_json_begin_object (out, "result");
  _imgimport_json_write_string (out, "image_id", self->image_id);
  _imgimport_json_end_object (out);
}

static void
write_deliveries (ImgImportJob *self, GString *out)
{
  _imgimport_json_begin_array (out, "deliveries");
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      const ImgImportDelivery *delivery = g_ptr_array_index (self->deliveries, i);

      _imgimport_json_begin_object (out, NULL);
      _imgimport_json_write_string (out, "store", delivery->store);
      _imgimport_json_write_string (out, "way", delivery->way);
      _imgimport_json_write_string (out, "why", delivery->why);
      _imgimport_json_end_object (out);
    }
  _imgimport_json_end_array (out);
}

static void
write_times (ImgImportJob *self, GString *out, gboolean internal)
{
  if (internal)
    {
      _imgimport_json_write_int (out, "created_us", self->created_us);
      _imgimport_json_write_int (out, "updated_us", self->updated_us);
      _imgimport_json_write_int (out, "expires_us", self->expires_us);
      return;
    }
  _imgimport_model_write_time (out, "created_at", self->created_us);
  _imgimport_model_write_time (out, "updated_at", self->updated_us);
  _imgimport_model_write_time (out, "expires_at", self->expires_us);
}

void
_imgimport_job_write (ImgImportJob *self, GString *out, const char *name, gboolean internal)
{
  _imgimport_json_begin_object (out, name);
  _imgimport_json_write_string (out, "id", self->id);
  _imgimport_json_write_string (out, "type", JOB_TYPE);
  _imgimport_json_write_string (out, "status", imgimport_job_status_to_string (self->status));
  _imgimport_json_write_string (out, "owner", self->owner);
  _imgimport_json_write_string (out, "image_id", self->image_id);
  _imgimport_json_write_string (out, "user_id", self->user_id);
  _imgimport_json_write_string (out, "request_id", self->request_id);
  _imgimport_json_write_json (out, "input", self->input);
  write_result (self, out);
  _imgimport_json_write_string (out, "message", self->message);
  _imgimport_json_write_string (out, "reason", self->reason);
  _imgimport_json_write_string (out, "code", self->code);
  _imgimport_json_write_string (out, "phase", self->phase);
  _imgimport_model_write_size (out, "bytes", self->bytes);
  _imgimport_model_write_size (out, "total", self->total);
  _imgimport_json_write_strv (out, "warnings", (const char *const *)self->warnings);
  write_deliveries (self, out);
  if (self->tasks != NULL)
    _imgimport_json_write_json (out, "tasks", self->tasks);
  _imgimport_json_write_boolean (out, "cancel_requested", self->cancel_requested);
  write_times (self, out, internal);
  _imgimport_json_end_object (out);
}

char *
imgimport_job_to_json (ImgImportJob *self)
{
  GString *out;

  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), NULL);

  out = g_string_new (NULL);
  _imgimport_job_write (self, out, NULL, FALSE);
  return g_string_free (out, FALSE);
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
    "updated_at", "expires_at", "created_us", "updated_us", "cancel_requested", "expires_us",
    "tasks",      NULL
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
