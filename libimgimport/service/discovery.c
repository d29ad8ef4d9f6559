/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

static JsonArray *
names_of (ImgImportRegistry *registry)
{
  JsonArray *names = json_array_new ();
  guint i;

  for (i = 0; i < _imgimport_registry_get_size (registry); i++)
    json_array_add_string_element (names, _imgimport_registry_get_name (registry, i));
  return names;
}

JsonArray *
_imgimport_service_method_names (ImgImportService *self)
{
  return names_of (self->methods);
}

JsonArray *
_imgimport_service_store_names (ImgImportService *self)
{
  return names_of (self->stores);
}

char *
imgimport_service_info_import (ImgImportService *self)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (JsonObject) answer = NULL;
  JsonObject *methods;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  use = _imgimport_service_enter (self, NULL);
  if (use == NULL)
    return NULL;
  methods = json_object_new ();
  json_object_set_string_member (methods, "description", "Enabled import methods");
  json_object_set_string_member (methods, "type", "array");
  json_object_set_array_member (methods, "value", _imgimport_service_method_names (self));
  answer = json_object_new ();
  json_object_set_object_member (answer, "import-methods", methods);
  return _imgimport_json_object_to_text (answer);
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

static JsonObject *
describe_store (ImgImportService *self, const char *id)
{
  JsonObject *store = json_object_new ();
  const char *description = description_of (self, id);

  json_object_set_string_member (store, "id", id);
  if (description != NULL)
    json_object_set_string_member (store, "description", description);
  if (g_str_equal (id, self->default_store))
    json_object_set_string_member (store, "default", "true");
  return store;
}

char *
imgimport_service_info_stores (ImgImportService *self)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (JsonObject) answer = NULL;
  JsonArray *stores;
  guint i;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  use = _imgimport_service_enter (self, NULL);
  if (use == NULL)
    return NULL;
  stores = json_array_new ();
  for (i = 0; i < _imgimport_registry_get_size (self->stores); i++)
    json_array_add_object_element (
        stores, describe_store (self, _imgimport_registry_get_name (self->stores, i)));
  answer = json_object_new ();
  json_object_set_array_member (answer, "stores", stores);
  return _imgimport_json_object_to_text (answer);
}
