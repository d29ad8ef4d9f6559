/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

G_DEFINE_ENUM_TYPE (ImgImportStageState, imgimport_stage_state,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STAGE_NONE, "none"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STAGE_RECEIVING, "receiving"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STAGE_SEALED, "sealed"))

G_DEFINE_ENUM_TYPE (ImgImportVisibility, _imgimport_visibility,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_VISIBILITY_PRIVATE, "private"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_VISIBILITY_SHARED, "shared"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_VISIBILITY_COMMUNITY, "community"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_VISIBILITY_PUBLIC, "public"))

G_DEFINE_FINAL_TYPE (ImgImportImage, imgimport_image, G_TYPE_OBJECT)

static const ImgImportImageString image_strings[] = {
  { "name", G_STRUCT_OFFSET (ImgImportImage, name), 255 },
  { "checksum", G_STRUCT_OFFSET (ImgImportImage, checksum), 32 },
  { "os_hash_algo", G_STRUCT_OFFSET (ImgImportImage, os_hash_algo), 64 },
  { "os_hash_value", G_STRUCT_OFFSET (ImgImportImage, os_hash_value), 128 },
  { "owner", G_STRUCT_OFFSET (ImgImportImage, owner), 255 },
  { "container_format", G_STRUCT_OFFSET (ImgImportImage, container_format), 64 },
  { "disk_format", G_STRUCT_OFFSET (ImgImportImage, disk_format), 64 },
  { NULL, 0, 0 },
};

const ImgImportImageString *
_imgimport_image_strings (void)
{
  return image_strings;
}

static void
location_free (gpointer data)
{
  ImgImportLocation *self = data;

  g_free (self->store);
  g_free (self->key);
  g_free (self->version);
  g_free (self);
}

static void
imgimport_image_finalize (GObject *object)
{
  ImgImportImage *self = IMGIMPORT_IMAGE (object);

  for (const ImgImportImageString *entry = image_strings; entry->member != NULL; entry++)
    g_free (*(char **)IMGIMPORT_IMAGE_STRING (self, entry));
  g_free (self->id);
  g_strfreev (self->tags);
  g_hash_table_unref (self->properties);
  g_ptr_array_unref (self->locations);
  G_OBJECT_CLASS (imgimport_image_parent_class)->finalize (object);
}

static void
imgimport_image_class_init (ImgImportImageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_image_finalize;
}

static void
imgimport_image_init (ImgImportImage *self)
{
  self->status = IMGIMPORT_STATUS_QUEUED;
  self->visibility = IMGIMPORT_VISIBILITY_SHARED;
  self->size = IMGIMPORT_SIZE_UNKNOWN;
  self->virtual_size = IMGIMPORT_SIZE_UNKNOWN;
  self->tags = g_new0 (char *, 1);
  self->properties = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->locations = g_ptr_array_new_with_free_func (location_free);
  self->stage.expected = IMGIMPORT_SIZE_UNKNOWN;
}

ImgImportImage *
_imgimport_image_new (const char *id, gint64 now_us)
{
  ImgImportImage *self = g_object_new (IMGIMPORT_TYPE_IMAGE, NULL);

  self->id = g_strdup (id);
  self->created_us = now_us;
  self->updated_us = now_us;
  return self;
}

ImgImportImage *
_imgimport_image_copy (ImgImportImage *self)
{
  ImgImportImage *copy = _imgimport_image_new (self->id, self->created_us);
  GHashTableIter iter;
  gpointer key;
  gpointer value;

  for (const ImgImportImageString *entry = image_strings; entry->member != NULL; entry++)
    *(char **)IMGIMPORT_IMAGE_STRING (copy, entry) =
        g_strdup (*(char **)IMGIMPORT_IMAGE_STRING (self, entry));
  copy->status = self->status;
  copy->visibility = self->visibility;
  copy->is_protected = self->is_protected;
  copy->os_hidden = self->os_hidden;
  copy->size = self->size;
  copy->virtual_size = self->virtual_size;
  copy->updated_us = self->updated_us;
  copy->min_ram = self->min_ram;
  copy->min_disk = self->min_disk;
  copy->stage = self->stage;
  g_strfreev (copy->tags);
  copy->tags = g_strdupv (self->tags);
  g_hash_table_iter_init (&iter, self->properties);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (copy->properties, g_strdup (key), g_strdup (value));
  for (guint i = 0; i < self->locations->len; i++)
    {
      const ImgImportLocation *location = g_ptr_array_index (self->locations, i);

      _imgimport_image_add_location (copy, location->store, location->key, location->version);
    }
  return copy;
}

static gboolean
check_formats (ImgImportImage *self, ImgImportAction action, GError **error)
{
  const gboolean no_disk = self->disk_format == NULL || *self->disk_format == '\0';
  const gboolean no_container = self->container_format == NULL || *self->container_format == '\0';

  if (!no_disk && !no_container)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "formats-missing",
                        "image %s: action %s needs %s%s%s to be set", self->id,
                        imgimport_action_to_string (action), no_disk ? "disk_format" : "",
                        no_disk && no_container ? " and " : "",
                        no_container ? "container_format" : "");
  return FALSE;
}

gboolean
_imgimport_image_set_status (ImgImportImage *self, ImgImportAction action, GError **error)
{
  ImgImportStatus next = self->status;

  if (!imgimport_lifecycle_next (self->status, action, &next, error))
    {
      _imgimport_error_prefix (error, "image %s", self->id);
      return FALSE;
    }
  if (imgimport_lifecycle_needs_formats (self->status, action) &&
      !check_formats (self, action, error))
    return FALSE;

  self->status = next;
  if (next == IMGIMPORT_STATUS_QUEUED)
    {
      self->size = IMGIMPORT_SIZE_UNKNOWN;
      self->virtual_size = IMGIMPORT_SIZE_UNKNOWN;
    }
  return TRUE;
}

void
_imgimport_image_clear_stage (ImgImportImage *self)
{
  self->stage = (ImgImportStage){ .expected = IMGIMPORT_SIZE_UNKNOWN };
}

void
_imgimport_image_add_location (ImgImportImage *self, const char *store, const char *key,
                               const char *version)
{
  ImgImportLocation *location = g_new0 (ImgImportLocation, 1);

  location->store = g_strdup (store);
  location->key = g_strdup (key);
  location->version = g_strdup (version);
  g_ptr_array_add (self->locations, location);
}

void
_imgimport_image_set_property (ImgImportImage *self, const char *key, const char *value)
{
  if (value != NULL)
    g_hash_table_replace (self->properties, g_strdup (key), g_strdup (value));
  else
    g_hash_table_remove (self->properties, key);
}

static int
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

void
_imgimport_image_merge_store_list (ImgImportImage *self, const char *property, const char *store,
                                   gboolean add)
{
  const char *before = g_hash_table_lookup (self->properties, property);
  g_auto (GStrv) words = g_strsplit (before != NULL ? before : "", ",", -1);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  g_autofree char *after = NULL;

  for (gsize i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0' && g_strcmp0 (words[i], store) != 0)
      g_ptr_array_add (sorted, words[i]);
  if (add && store != NULL && *store != '\0')
    g_ptr_array_add (sorted, (gpointer)store);
  g_ptr_array_sort (sorted, compare_words);
  g_ptr_array_add (sorted, NULL);
  after = g_strjoinv (",", (char **)sorted->pdata);
  _imgimport_image_set_property (self, property, after);
}
