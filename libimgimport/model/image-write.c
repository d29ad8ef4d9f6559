/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

/* What names a host of the deployment is not for the eyes of users (F030). */
static const char *const hidden_properties[] = { "os_glance_stage_host", "os_glance_hash_op_host",
                                                 NULL };

static void
write_base (ImgImportImage *self, GString *out)
{
  _imgimport_json_write_string (out, "id", self->id);
  for (const ImgImportImageString *entry = _imgimport_image_strings (); entry->member != NULL;
       entry++)
    _imgimport_json_write_string (out, entry->member,
                                  *(char **)IMGIMPORT_IMAGE_STRING (self, entry));
  _imgimport_json_write_string (out, "status", imgimport_status_to_string (self->status));
  _imgimport_json_write_string (
      out, "visibility",
      _imgimport_enum_to_word (IMGIMPORT_TYPE_VISIBILITY, (int)self->visibility));
  _imgimport_json_write_boolean (out, "protected", self->is_protected);
  _imgimport_json_write_boolean (out, "os_hidden", self->os_hidden);
  _imgimport_model_write_size (out, "size", self->size);
  _imgimport_model_write_size (out, "virtual_size", self->virtual_size);
  _imgimport_json_write_strv (out, "tags", (const char *const *)self->tags);
  _imgimport_json_write_int (out, "min_ram", self->min_ram);
  _imgimport_json_write_int (out, "min_disk", self->min_disk);
}

static void
write_stage (ImgImportImage *self, GString *out, gboolean internal)
{
  if (self->stage.state == IMGIMPORT_STAGE_NONE)
    return;
  _imgimport_json_begin_object (out, "stage");
  _imgimport_json_write_string (
      out, "state", _imgimport_enum_to_word (IMGIMPORT_TYPE_STAGE_STATE, (int)self->stage.state));
  _imgimport_model_write_size (out, "bytes", self->stage.bytes);
  _imgimport_model_write_size (out, "expected", self->stage.expected);
  if (internal)
    _imgimport_json_write_int (out, "since_us", self->stage.since_us);
  else
    _imgimport_model_write_time (out, "since", self->stage.since_us);
  _imgimport_json_end_object (out);
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
write_properties (ImgImportImage *self, GString *out, const char *const *except)
{
  g_autoptr (GList) keys = g_list_sort (g_hash_table_get_keys (self->properties), compare_keys);

  for (GList *l = keys; l != NULL; l = l->next)
    if (except == NULL || !g_strv_contains (except, l->data))
      _imgimport_json_write_string (out, l->data, g_hash_table_lookup (self->properties, l->data));
}

static void
write_links (ImgImportImage *self, GString *out)
{
  g_autofree char *self_link = g_strdup_printf ("/v2/images/%s", self->id);
  g_autofree char *file_link = g_strdup_printf ("/v2/images/%s/file", self->id);

  _imgimport_json_write_string (out, "self", self_link);
  _imgimport_json_write_string (out, "file", file_link);
  _imgimport_json_write_string (out, "schema", "/v2/schemas/image");
}

static void
write_public (ImgImportImage *self, GString *out)
{
  _imgimport_model_write_time (out, "created_at", self->created_us);
  _imgimport_model_write_time (out, "updated_at", self->updated_us);
  write_links (self, out);
  if (self->locations->len > 0)
    {
      g_auto (GStrv) stores = imgimport_image_dup_stores (self);
      g_autofree char *joined = g_strjoinv (",", stores);

      _imgimport_json_write_string (out, "stores", joined);
    }
  write_properties (self, out, hidden_properties);
}

static void
write_internal (ImgImportImage *self, GString *out)
{
  _imgimport_json_write_int (out, "created_us", self->created_us);
  _imgimport_json_write_int (out, "updated_us", self->updated_us);
  _imgimport_json_begin_object (out, "properties");
  write_properties (self, out, NULL);
  _imgimport_json_end_object (out);
  _imgimport_json_begin_array (out, "locations");
  for (guint i = 0; i < self->locations->len; i++)
    {
      const ImgImportLocation *location = g_ptr_array_index (self->locations, i);

      _imgimport_json_begin_object (out, NULL);
      _imgimport_json_write_string (out, "store", location->store);
      _imgimport_json_write_string (out, "key", location->key);
      _imgimport_json_write_string (out, "version", location->version);
      _imgimport_json_end_object (out);
    }
  _imgimport_json_end_array (out);
}

void
_imgimport_image_write (ImgImportImage *self, GString *out, const char *name, gboolean internal)
{
  _imgimport_json_begin_object (out, name);
  write_base (self, out);
  write_stage (self, out, internal);
  if (internal)
    write_internal (self, out);
  else
    write_public (self, out);
  _imgimport_json_end_object (out);
}

char *
imgimport_image_to_json (ImgImportImage *self)
{
  GString *out;

  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);

  out = g_string_new (NULL);
  _imgimport_image_write (self, out, NULL, FALSE);
  return g_string_free (out, FALSE);
}
