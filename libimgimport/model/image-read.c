/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

static const char *const internal_members[] = {
  "id",
  "name",
  "status",
  "visibility",
  "protected",
  "os_hidden",
  "checksum",
  "owner",
  "os_hash_algo",
  "os_hash_value",
  "container_format",
  "disk_format",
  "size",
  "tags",
  "virtual_size",
  "min_ram",
  "min_disk",
  "stage",
  "created_us",
  "updated_us",
  "properties",
  "locations",
  NULL,
};

static gboolean
read_identity (ImgImportImage *self, const ImgImportJsonCursor *cursor, GError **error)
{
  static const char *const required[] = { "id", "status", NULL };
  const char *id = NULL;
  int status = 0;
  int visibility = (int)self->visibility;

  if (!_imgimport_model_require (cursor, required, error) ||
      !_imgimport_json_string (cursor, "id", &id, error) ||
      !_imgimport_model_read_word (cursor, "status", IMGIMPORT_TYPE_STATUS, &status, error) ||
      !_imgimport_model_read_word (cursor, "visibility", IMGIMPORT_TYPE_VISIBILITY, &visibility,
                                   error))
    return FALSE;
  if (!_imgimport_uuid_is_valid (id))
    {
      _imgimport_json_set_error (cursor, "id", "json-invalid", error, "is no lower-case UUID");
      return FALSE;
    }
  _imgimport_set_string (&self->id, id);
  self->status = (ImgImportStatus)status;
  self->visibility = (ImgImportVisibility)visibility;
  return TRUE;
}

static gboolean
read_stage (ImgImportImage *self, const ImgImportJsonCursor *cursor, GError **error)
{
  static const char *const known[] = { "state", "bytes", "expected", "since", "since_us", NULL };
  static const char *const required[] = { "state", "bytes", NULL };
  ImgImportJsonCursor stage = { .what = cursor->what, .path = "stage" };
  int state = 0;

  if (!_imgimport_json_object (cursor, "stage", &stage.object, error))
    return FALSE;
  if (stage.object == NULL)
    return TRUE;
  if (!_imgimport_json_only (&stage, known, error) ||
      !_imgimport_model_require (&stage, required, error) ||
      !_imgimport_model_read_word (&stage, "state", IMGIMPORT_TYPE_STAGE_STATE, &state, error) ||
      !_imgimport_model_read_size (&stage, "bytes", &self->stage.bytes, error) ||
      !_imgimport_model_read_size (&stage, "expected", &self->stage.expected, error) ||
      !_imgimport_model_read_time (&stage, "since", &self->stage.since_us, error) ||
      !_imgimport_json_int (&stage, "since_us", G_MININT64, G_MAXINT64, &self->stage.since_us,
                            error))
    return FALSE;
  self->stage.state = (ImgImportStageState)state;
  return TRUE;
}

static gboolean
read_base (ImgImportImage *self, const ImgImportJsonCursor *cursor, GError **error)
{
  for (const ImgImportImageString *entry = _imgimport_image_strings (); entry->member != NULL;
       entry++)
    if (!_imgimport_model_read_string (cursor, entry->member, entry->max,
                                       IMGIMPORT_IMAGE_STRING (self, entry), error))
      return FALSE;
  return read_identity (self, cursor, error) &&
         _imgimport_json_boolean (cursor, "protected", &self->is_protected, error) &&
         _imgimport_json_boolean (cursor, "os_hidden", &self->os_hidden, error) &&
         _imgimport_model_read_size (cursor, "size", &self->size, error) &&
         _imgimport_model_read_size (cursor, "virtual_size", &self->virtual_size, error) &&
         _imgimport_model_read_tags (cursor, "tags", &self->tags, error) &&
         _imgimport_json_int (cursor, "min_ram", 0, G_MAXINT32, &self->min_ram, error) &&
         _imgimport_json_int (cursor, "min_disk", 0, G_MAXINT32, &self->min_disk, error) &&
         read_stage (self, cursor, error);
}

/* Every member of the cursor's object that is not a base property or link. */
static gboolean
read_properties (ImgImportImage *self, const ImgImportJsonCursor *cursor, GError **error)
{
  g_autoptr (GList) members = json_object_get_members (cursor->object);

  for (GList *l = members; l != NULL; l = l->next)
    {
      const char *value = NULL;

      if (_imgimport_property_is_base (l->data))
        continue;
      if (!_imgimport_json_string (cursor, l->data, &value, error))
        return FALSE;
      _imgimport_image_set_property (self, l->data, value);
    }
  return TRUE;
}

static gboolean
read_stores (ImgImportImage *self, const ImgImportJsonCursor *cursor, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (GStrv) stores = NULL;
  const char *joined = NULL;

  if (!_imgimport_json_string (cursor, "stores", &joined, error))
    return FALSE;
  stores = g_strsplit (joined != NULL ? joined : "", ",", -1);
  for (gsize i = 0; stores[i] != NULL; i++)
    if (*stores[i] != '\0' && g_hash_table_add (seen, stores[i]))
      _imgimport_image_add_location (self, stores[i], NULL, NULL);
  return TRUE;
}

static gboolean
read_location (ImgImportImage *self, const ImgImportJsonCursor *cursor, GError **error)
{
  static const char *const known[] = { "store", "key", "version", NULL };
  static const char *const required[] = { "store", NULL };
  const char *store = NULL;
  const char *key = NULL;
  const char *version = NULL;

  if (!_imgimport_json_only (cursor, known, error) ||
      !_imgimport_model_require (cursor, required, error) ||
      !_imgimport_json_string (cursor, "store", &store, error) ||
      !_imgimport_json_nullable_string (cursor, "key", &key, error) ||
      !_imgimport_json_nullable_string (cursor, "version", &version, error))
    return FALSE;
  _imgimport_image_add_location (self, store, key, version);
  return TRUE;
}

static gboolean
read_locations (ImgImportImage *self, const ImgImportJsonCursor *cursor, GError **error)
{
  JsonArray *array = NULL;

  if (!_imgimport_json_array (cursor, "locations", &array, error))
    return FALSE;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      g_autofree char *path = g_strdup_printf ("locations/%u", i);
      ImgImportJsonCursor location = { .what = cursor->what, .path = path };

      if (!_imgimport_model_read_element (cursor, array, i, path, &location.object, error) ||
          !read_location (self, &location, error))
        return FALSE;
    }
  return TRUE;
}

ImgImportImage *
_imgimport_image_from_object (JsonObject *object, const char *what, GError **error)
{
  g_autoptr (ImgImportImage) self = _imgimport_image_new (NULL, 0);
  ImgImportJsonCursor cursor = { .object = object, .what = what, .path = "" };
  ImgImportJsonCursor properties = { .what = what, .path = "properties" };

  if (!_imgimport_json_only (&cursor, internal_members, error) ||
      !read_base (self, &cursor, error) ||
      !_imgimport_json_int (&cursor, "created_us", G_MININT64, G_MAXINT64, &self->created_us,
                            error) ||
      !_imgimport_json_int (&cursor, "updated_us", G_MININT64, G_MAXINT64, &self->updated_us,
                            error) ||
      !_imgimport_json_object (&cursor, "properties", &properties.object, error) ||
      !read_locations (self, &cursor, error))
    return NULL;
  if (properties.object != NULL && !read_properties (self, &properties, error))
    return NULL;
  return g_steal_pointer (&self);
}

ImgImportImage *
imgimport_image_new_from_json (const char *json, GError **error)
{
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (ImgImportImage) self = NULL;
  ImgImportJsonCursor cursor = { .what = "image", .path = "" };

  g_return_val_if_fail (json != NULL, NULL);

  object = _imgimport_json_parse_object (json, cursor.what, error);
  if (object == NULL)
    return NULL;
  cursor.object = object;
  self = _imgimport_image_new (NULL, 0);
  if (!read_base (self, &cursor, error) ||
      !_imgimport_model_read_time (&cursor, "created_at", &self->created_us, error) ||
      !_imgimport_model_read_time (&cursor, "updated_at", &self->updated_us, error) ||
      !read_stores (self, &cursor, error) || !read_properties (self, &cursor, error))
    return NULL;
  return g_steal_pointer (&self);
}
