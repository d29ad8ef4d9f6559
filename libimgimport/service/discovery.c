/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

void
_imgimport_service_write_names (ImgImportRegistry *registry, GString *out, const char *member)
{
  guint i;

  _imgimport_json_begin_array (out, member);
  for (i = 0; i < _imgimport_registry_get_size (registry); i++)
    _imgimport_json_write_string (out, NULL, _imgimport_registry_get_name (registry, i));
  _imgimport_json_end_array (out);
}

char *
imgimport_service_info_import (ImgImportService *self)
{
  g_autoptr (ImgImportUse) use = NULL;
  GString *out;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  use = _imgimport_service_enter (self, NULL);
  if (use == NULL)
    return NULL;
  out = g_string_new (NULL);
  _imgimport_json_begin_object (out, NULL);
  _imgimport_json_begin_object (out, "import-methods");
  _imgimport_json_write_string (out, "description", "Enabled import methods");
  _imgimport_json_write_string (out, "type", "array");
  _imgimport_service_write_names (self->methods, out, "value");
  _imgimport_json_end_object (out);
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}

static const char *
description_of (ImgImportService *self, const char *id)
{
  guint i;

  for (i = 0; i < self->config->stores->len; i++)
    {
      const ImgImportPluginConfig *config = self->config->stores->pdata[i];

      if (g_str_equal (config->id, id))
        return config->description;
    }
  return NULL;
}

static void
write_store (ImgImportService *self, GString *out, const char *id)
{
  const char *description = description_of (self, id);

  _imgimport_json_begin_object (out, NULL);
  _imgimport_json_write_string (out, "id", id);
  if (description != NULL)
    _imgimport_json_write_string (out, "description", description);
  if (g_str_equal (id, self->default_store))
    _imgimport_json_write_string (out, "default", "true");
  _imgimport_json_end_object (out);
}

char *
imgimport_service_info_stores (ImgImportService *self)
{
  g_autoptr (ImgImportUse) use = NULL;
  GString *out;
  guint i;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  use = _imgimport_service_enter (self, NULL);
  if (use == NULL)
    return NULL;
  out = g_string_new (NULL);
  _imgimport_json_begin_object (out, NULL);
  _imgimport_json_begin_array (out, "stores");
  for (i = 0; i < _imgimport_registry_get_size (self->stores); i++)
    write_store (self, out, _imgimport_registry_get_name (self->stores, i));
  _imgimport_json_end_array (out);
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}
