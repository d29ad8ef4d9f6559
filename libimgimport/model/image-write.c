/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

/* What names a host of the deployment is not for the eyes of users (F030). */
static const char *const hidden_properties[] = { "os_glance_stage_host", "os_glance_hash_op_host",
                                                 NULL };

static void
write_base (ImgImportImage *self, JsonObject *object)
{
  json_object_set_string_member (object, "id", self->id);
  for (const ImgImportImageString *entry = _imgimport_image_strings (); entry->member != NULL;
       entry++)
    _imgimport_model_write_string (object, entry->member,
                                   *(char **)IMGIMPORT_IMAGE_STRING (self, entry));
  json_object_set_string_member (object, "status", imgimport_status_to_string (self->status));
  json_object_set_string_member (
      object, "visibility",
      _imgimport_enum_to_word (IMGIMPORT_TYPE_VISIBILITY, (int)self->visibility));
  json_object_set_boolean_member (object, "protected", self->is_protected);
  json_object_set_boolean_member (object, "os_hidden", self->os_hidden);
  _imgimport_model_write_size (object, "size", self->size);
  _imgimport_model_write_size (object, "virtual_size", self->virtual_size);
  _imgimport_model_write_strv (object, "tags", (const char *const *)self->tags);
  json_object_set_int_member (object, "min_ram", self->min_ram);
  json_object_set_int_member (object, "min_disk", self->min_disk);
}

static void
write_stage (ImgImportImage *self, JsonObject *object, gboolean internal)
{
  JsonObject *stage;

  if (self->stage.state == IMGIMPORT_STAGE_NONE)
    return;
  stage = json_object_new ();
  json_object_set_string_member (
      stage, "state", _imgimport_enum_to_word (IMGIMPORT_TYPE_STAGE_STATE, (int)self->stage.state));
  _imgimport_model_write_size (stage, "bytes", self->stage.bytes);
  _imgimport_model_write_size (stage, "expected", self->stage.expected);
  if (internal)
    json_object_set_int_member (stage, "since_us", self->stage.since_us);
  else
    _imgimport_model_write_time (stage, "since", self->stage.since_us);
  json_object_set_object_member (object, "stage", stage);
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
write_properties (ImgImportImage *self, JsonObject *object, const char *const *except)
{
  g_autoptr (GList) keys = g_list_sort (g_hash_table_get_keys (self->properties), compare_keys);

  for (GList *l = keys; l != NULL; l = l->next)
    if (except == NULL || !g_strv_contains (except, l->data))
      json_object_set_string_member (object, l->data,
                                     g_hash_table_lookup (self->properties, l->data));
}

static void
write_links (ImgImportImage *self, JsonObject *object)
{
  g_autofree char *self_link = g_strdup_printf ("/v2/images/%s", self->id);
  g_autofree char *file_link = g_strdup_printf ("/v2/images/%s/file", self->id);

  json_object_set_string_member (object, "self", self_link);
  json_object_set_string_member (object, "file", file_link);
  json_object_set_string_member (object, "schema", "/v2/schemas/image");
}

static void
write_public (ImgImportImage *self, JsonObject *object)
{
  _imgimport_model_write_time (object, "created_at", self->created_us);
  _imgimport_model_write_time (object, "updated_at", self->updated_us);
  write_links (self, object);
  if (self->locations->len > 0)
    {
      g_auto (GStrv) stores = imgimport_image_dup_stores (self);
      g_autofree char *joined = g_strjoinv (",", stores);

      json_object_set_string_member (object, "stores", joined);
    }
  write_properties (self, object, hidden_properties);
}

static void
write_internal (ImgImportImage *self, JsonObject *object)
{
  JsonObject *properties = json_object_new ();
  JsonArray *locations = json_array_new ();

  json_object_set_int_member (object, "created_us", self->created_us);
  json_object_set_int_member (object, "updated_us", self->updated_us);
  write_properties (self, properties, NULL);
  json_object_set_object_member (object, "properties", properties);
  for (guint i = 0; i < self->locations->len; i++)
    {
      const ImgImportLocation *location = g_ptr_array_index (self->locations, i);
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "store", location->store);
      _imgimport_model_write_string (entry, "key", location->key);
      _imgimport_model_write_string (entry, "version", location->version);
      json_array_add_object_element (locations, entry);
    }
  json_object_set_array_member (object, "locations", locations);
}

JsonNode *
_imgimport_image_to_node (ImgImportImage *self, gboolean internal)
{
  JsonObject *object = json_object_new ();

  write_base (self, object);
  write_stage (self, object, internal);
  if (internal)
    write_internal (self, object);
  else
    write_public (self, object);
  return _imgimport_model_object_to_node (object);
}

char *
imgimport_image_to_json (ImgImportImage *self)
{
  g_autoptr (JsonNode) node = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);

  node = _imgimport_image_to_node (self, FALSE);
  return _imgimport_json_object_to_text (json_node_get_object (node));
}
