/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define INTERNAL_PREFIX "os_glance"
#define KEY_MAX_CHARACTERS 255

static const char *const base_members[] = {
  "id",         "name",       "status",       "visibility",    "protected",        "os_hidden",
  "checksum",   "owner",      "os_hash_algo", "os_hash_value", "container_format", "disk_format",
  "size",       "tags",       "virtual_size", "min_ram",       "min_disk",         "stage",
  "created_at", "updated_at", "self",         "file",          "schema",           "stores",
  "direct_url", "locations",  "location",     "deleted",       "deleted_at",       NULL,
};

gboolean
_imgimport_property_is_internal (const char *key)
{
  return g_str_has_prefix (key, INTERNAL_PREFIX);
}

gboolean
_imgimport_property_is_base (const char *key)
{
  return g_strv_contains (base_members, key);
}

gboolean
_imgimport_property_check (const char *key, const char *value, GError **error)
{
  if (!g_utf8_validate (key, -1, NULL) || !g_utf8_validate (value, -1, NULL))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid",
                            "an additional property is not UTF-8");
      return FALSE;
    }
  if (*key == '\0' || g_utf8_strlen (key, -1) > KEY_MAX_CHARACTERS)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid",
                            "the name of an additional property has 1 to %d characters",
                            KEY_MAX_CHARACTERS);
      return FALSE;
    }
  if (_imgimport_property_is_internal (key) || _imgimport_property_is_base (key))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "property-reserved",
                            "“%s” is reserved: it cannot be an additional property", key);
      return FALSE;
    }
  return TRUE;
}

static gint64
count_properties (ImgImportImage *self)
{
  GHashTableIter iter;
  gpointer key;
  gint64 n = 0;

  g_hash_table_iter_init (&iter, self->properties);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!_imgimport_property_is_internal (key))
      n++;
  return n;
}

static gsize
measure (ImgImportImage *self)
{
  GString *out = g_string_new (NULL);
  gsize length;

  _imgimport_image_write (self, out, NULL, TRUE);
  length = out->len;
  g_string_free (out, TRUE);
  return length;
}

gboolean
_imgimport_image_check_quotas (ImgImportImage *self, ImgImportImage *before,
                               const ImgImportModelLimits *limits, GError **error)
{
  const gint64 n_properties = count_properties (self);
  const gint64 n_tags = (gint64)g_strv_length (self->tags);
  const gsize size = measure (self);

  if (limits->property_quota >= 0 && n_properties > limits->property_quota &&
      (before == NULL || n_properties > count_properties (before)))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "property-quota",
                            "image %s: %" G_GINT64_FORMAT
                            " additional properties, the limit is %" G_GINT64_FORMAT,
                            self->id, n_properties, limits->property_quota);
      return FALSE;
    }
  if (limits->tag_quota >= 0 && n_tags > limits->tag_quota &&
      (before == NULL || n_tags > (gint64)g_strv_length (before->tags)))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "tag-quota",
                            "image %s: %" G_GINT64_FORMAT " tags, the limit is %" G_GINT64_FORMAT,
                            self->id, n_tags, limits->tag_quota);
      return FALSE;
    }
  if (size > IMGIMPORT_IMAGE_MAX_JSON && (before == NULL || size > measure (before)))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "property-quota",
                            "image %s: the record has %" G_GSIZE_FORMAT
                            " bytes, the limit is %" G_GSIZE_FORMAT,
                            self->id, size, IMGIMPORT_IMAGE_MAX_JSON);
      return FALSE;
    }
  return TRUE;
}
