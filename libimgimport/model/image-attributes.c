/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define OWNER_MAX_BYTES 255

/* What a caller's document does to an image. */
typedef struct
{
  ImgImportImage *image;
  const ImgImportModelLimits *limits;
  ImgImportJsonCursor cursor;
  gboolean is_new;
  gboolean is_admin;
  gboolean formats_frozen;
} Edit;

static gboolean
set_id (Edit *edit, const char *member, GError **error)
{
  const char *id = NULL;

  if (!_imgimport_json_string (&edit->cursor, member, &id, error))
    return FALSE;
  if (!_imgimport_uuid_is_valid (id))
    {
      _imgimport_json_set_error (&edit->cursor, member, "json-invalid", error,
                                 "is no lower-case UUID");
      return FALSE;
    }
  _imgimport_set_string (&edit->image->id, id);
  return TRUE;
}

static gboolean
set_name (Edit *edit, const char *member, GError **error)
{
  return _imgimport_model_read_string (&edit->cursor, member, 255, &edit->image->name, error);
}

static gboolean
set_visibility (Edit *edit, const char *member, GError **error)
{
  int value = (int)edit->image->visibility;

  if (!_imgimport_model_read_word (&edit->cursor, member, IMGIMPORT_TYPE_VISIBILITY, &value, error))
    return FALSE;
  /* As Glance's default policy has it (publicize_image). */
  if (value == IMGIMPORT_VISIBILITY_PUBLIC && value != (int)edit->image->visibility &&
      !edit->is_admin)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "visibility-public",
                            "%s: only an administrator makes an image public", edit->cursor.what);
      return FALSE;
    }
  edit->image->visibility = (ImgImportVisibility)value;
  return TRUE;
}

static gboolean
set_protected (Edit *edit, const char *member, GError **error)
{
  return _imgimport_json_boolean (&edit->cursor, member, &edit->image->is_protected, error);
}

static gboolean
set_hidden (Edit *edit, const char *member, GError **error)
{
  return _imgimport_json_boolean (&edit->cursor, member, &edit->image->os_hidden, error);
}

static gboolean
set_owner (Edit *edit, const char *member, GError **error)
{
  const char *owner = NULL;

  if (!_imgimport_json_nullable_string (&edit->cursor, member, &owner, error))
    return FALSE;
  if (owner != NULL && strlen (owner) > OWNER_MAX_BYTES)
    {
      _imgimport_json_set_error (&edit->cursor, member, "json-invalid", error,
                                 "is longer than %d bytes", OWNER_MAX_BYTES);
      return FALSE;
    }
  if (owner != NULL && *owner == '\0')
    owner = NULL;
  if (!edit->is_admin && g_strcmp0 (owner, edit->image->owner) != 0)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "owner-foreign",
                            "%s: only an administrator gives an image to another owner",
                            edit->cursor.what);
      return FALSE;
    }
  _imgimport_set_string (&edit->image->owner, owner);
  return TRUE;
}

static gboolean
set_format (Edit *edit, const char *member, char **field, char *const *allowed, GError **error)
{
  g_autofree char *format = NULL;

  if (!_imgimport_model_read_string (&edit->cursor, member, 64, &format, error))
    return FALSE;
  if (g_strcmp0 (format, *field) == 0)
    return TRUE;
  if (edit->formats_frozen)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "formats-frozen",
                            "%s: %s cannot be changed in status %s%s", edit->cursor.what, member,
                            imgimport_status_to_string (edit->image->status),
                            edit->image->status == IMGIMPORT_STATUS_UPLOADING
                                ? " while an upload or import holds the image"
                                : "");
      return FALSE;
    }
  if (format != NULL && !g_strv_contains ((const char *const *)allowed, format))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "format-unknown",
                            "%s: %s “%s” is not configured", edit->cursor.what, member, format);
      return FALSE;
    }
  _imgimport_set_string (field, format);
  return TRUE;
}

static gboolean
set_container_format (Edit *edit, const char *member, GError **error)
{
  return set_format (edit, member, &edit->image->container_format, edit->limits->container_formats,
                     error);
}

static gboolean
set_disk_format (Edit *edit, const char *member, GError **error)
{
  return set_format (edit, member, &edit->image->disk_format, edit->limits->disk_formats, error);
}

static gboolean
set_tags (Edit *edit, const char *member, GError **error)
{
  return _imgimport_model_read_tags (&edit->cursor, member, &edit->image->tags, error);
}

static gboolean
set_min_ram (Edit *edit, const char *member, GError **error)
{
  return _imgimport_json_int (&edit->cursor, member, 0, G_MAXINT32, &edit->image->min_ram, error);
}

static gboolean
set_min_disk (Edit *edit, const char *member, GError **error)
{
  return _imgimport_json_int (&edit->cursor, member, 0, G_MAXINT32, &edit->image->min_disk, error);
}

static gboolean
set_read_only (Edit *edit, const char *member, GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "property-read-only",
                        "%s: %s is read-only", edit->cursor.what, member);
  return FALSE;
}

static gboolean
set_property (Edit *edit, const char *member, GError **error)
{
  const char *value = NULL;

  if (!_imgimport_property_check (member, "", error))
    {
      _imgimport_error_prefix (error, "%s", edit->cursor.what);
      return FALSE;
    }
  /* A merge patch removes by null; a new image has nothing to remove. */
  if (edit->is_new || !json_object_get_null_member (edit->cursor.object, member))
    if (!_imgimport_json_string (&edit->cursor, member, &value, error))
      return FALSE;
  _imgimport_image_set_property (edit->image, member, value);
  return TRUE;
}

typedef struct
{
  const char *member;
  gboolean (*on_create) (Edit *edit, const char *member, GError **error);
  gboolean (*on_update) (Edit *edit, const char *member, GError **error);
} Setter;

/* What is not here is an additional property. */
static const Setter setters[] = {
  { "id", set_id, set_read_only },
  { "name", set_name, set_name },
  { "visibility", set_visibility, set_visibility },
  { "protected", set_protected, set_protected },
  { "os_hidden", set_hidden, set_hidden },
  { "owner", set_owner, set_owner },
  { "container_format", set_container_format, set_container_format },
  { "disk_format", set_disk_format, set_disk_format },
  { "tags", set_tags, set_tags },
  { "min_ram", set_min_ram, set_min_ram },
  { "min_disk", set_min_disk, set_min_disk },
  { "status", set_read_only, set_read_only },
  { "checksum", set_read_only, set_read_only },
  { "os_hash_algo", set_read_only, set_read_only },
  { "os_hash_value", set_read_only, set_read_only },
  { "size", set_read_only, set_read_only },
  { "virtual_size", set_read_only, set_read_only },
  { "created_at", set_read_only, set_read_only },
  { "updated_at", set_read_only, set_read_only },
  { "direct_url", set_read_only, set_read_only },
  { "self", set_read_only, set_read_only },
  { "file", set_read_only, set_read_only },
  { "schema", set_read_only, set_read_only },
  { "stores", set_read_only, set_read_only },
  { "stage", set_read_only, set_read_only },
};

static gboolean
set_member (Edit *edit, const char *member, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (setters); i++)
    if (strcmp (setters[i].member, member) == 0)
      return edit->is_new ? setters[i].on_create (edit, member, error)
                          : setters[i].on_update (edit, member, error);
  return set_property (edit, member, error);
}

static gboolean
apply (Edit *edit, GError **error)
{
  g_autoptr (GList) members = json_object_get_members (edit->cursor.object);

  for (GList *l = members; l != NULL; l = l->next)
    {
      GError *cause = NULL;

      if (set_member (edit, l->data, &cause))
        continue;
      if (strcmp (imgimport_error_get_reason (cause), "json-invalid") == 0)
        return _imgimport_model_refuse (error, "property-invalid", cause);
      g_propagate_error (error, cause);
      return FALSE;
    }
  return TRUE;
}

ImgImportImage *
_imgimport_image_new_from_attributes (const ImgImportModelLimits *limits, const char *attributes,
                                      ImgImportContext *context, const char *new_id, gint64 now_us,
                                      GError **error)
{
  g_autoptr (ImgImportImage) image = _imgimport_image_new (new_id, now_us);
  g_autoptr (JsonObject) object = NULL;
  Edit edit = {
    .image = image,
    .limits = limits,
    .cursor = { .what = "new image", .path = "" },
    .is_new = TRUE,
    .is_admin = _imgimport_context_is_admin (context),
  };

  image->owner = g_strdup (_imgimport_context_owner (context));
  if (attributes != NULL)
    {
      object = _imgimport_json_parse_object (attributes, edit.cursor.what, error);
      if (object == NULL)
        return NULL;
      edit.cursor.object = object;
      if (!apply (&edit, error))
        return NULL;
    }
  if (!_imgimport_image_check_quotas (image, NULL, limits, error))
    return NULL;
  return g_steal_pointer (&image);
}

/* Glance lets formats change while queued or importing (F006); we also while uploading, as long as
 * nobody works with the bytes, so that a wrong declaration does not cost the upload. */
static gboolean
formats_are_frozen (ImgImportImage *self, gboolean claimed)
{
  if (self->status == IMGIMPORT_STATUS_UPLOADING)
    return claimed;
  return self->status != IMGIMPORT_STATUS_QUEUED && self->status != IMGIMPORT_STATUS_IMPORTING;
}

gboolean
_imgimport_image_apply_patch (ImgImportImage *self, const ImgImportModelLimits *limits,
                              const char *patch, ImgImportContext *context, gboolean claimed,
                              gint64 now_us, GError **error)
{
  g_autoptr (ImgImportImage) before = _imgimport_image_copy (self);
  g_autofree char *what = g_strdup_printf ("patch of image %s", self->id);
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (patch, what, error);
  Edit edit = {
    .image = self,
    .limits = limits,
    .cursor = { .object = object, .what = what, .path = "" },
    .is_admin = _imgimport_context_is_admin (context),
    .formats_frozen = formats_are_frozen (self, claimed),
  };

  if (object == NULL || !apply (&edit, error) ||
      !_imgimport_image_check_quotas (self, before, limits, error))
    return FALSE;
  self->updated_us = now_us;
  return TRUE;
}
