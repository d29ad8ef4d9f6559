/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

const char *
imgimport_image_get_id (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->id;
}

const char *
imgimport_image_get_name (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->name;
}

ImgImportStatus
imgimport_image_get_status (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), IMGIMPORT_STATUS_DELETED);
  return self->status;
}

const char *
imgimport_image_get_owner (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->owner;
}

const char *
imgimport_image_get_disk_format (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->disk_format;
}

const char *
imgimport_image_get_container_format (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->container_format;
}

guint64
imgimport_image_get_size (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), IMGIMPORT_SIZE_UNKNOWN);
  return self->size;
}

guint64
imgimport_image_get_virtual_size (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), IMGIMPORT_SIZE_UNKNOWN);
  return self->virtual_size;
}

const char *
imgimport_image_get_checksum (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->checksum;
}

const char *
imgimport_image_get_hash_algo (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->os_hash_algo;
}

const char *
imgimport_image_get_hash_value (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  return self->os_hash_value;
}

const char *
imgimport_image_get_property (ImgImportImage *self, const char *key)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  return g_hash_table_lookup (self->properties, key);
}

char **
imgimport_image_dup_stores (ImgImportImage *self)
{
  char **stores;

  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), NULL);

  stores = g_new0 (char *, self->locations->len + 1);
  for (guint i = 0; i < self->locations->len; i++)
    {
      const ImgImportLocation *location = g_ptr_array_index (self->locations, i);

      stores[i] = g_strdup (location->store);
    }
  return stores;
}

ImgImportStageState
imgimport_image_get_stage_state (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), IMGIMPORT_STAGE_NONE);
  return self->stage.state;
}

guint64
imgimport_image_get_stage_bytes (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), 0);
  return self->stage.bytes;
}

guint64
imgimport_image_get_stage_expected (ImgImportImage *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_IMAGE (self), IMGIMPORT_SIZE_UNKNOWN);
  return self->stage.expected;
}
