/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

#define WORKERS_MAX 64
#define TTL_MAX_HOURS 876000 /* a century */
#define DEFAULT_SIZE_CAP (G_GUINT64_CONSTANT (1) << 40)

gboolean
_imgimport_config_read_names (const ImgImportJsonCursor *cursor, const char *member, char ***value,
                              GError **error)
{
  g_auto (GStrv) names = NULL;
  guint i, j;

  if (!_imgimport_json_strv (cursor, member, &names, error))
    return FALSE;
  for (i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autofree char *element = g_strdup_printf ("%s/%u", member, i);

      if (!_imgimport_name_is_valid (names[i]))
        {
          _imgimport_json_set_error (cursor, element, "config-invalid", error,
                                     "is no name ([a-z0-9][a-z0-9_-]*, at most 64 characters)");
          return FALSE;
        }
      for (j = 0; j < i; j++)
        if (g_str_equal (names[i], names[j]))
          {
            _imgimport_json_set_error (cursor, element, "config-invalid", error,
                                       "“%s” is listed twice", names[i]);
            return FALSE;
          }
    }
  if (names != NULL)
    {
      g_strfreev (*value);
      *value = g_steal_pointer (&names);
    }
  return TRUE;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static gboolean
read_limits (ImgImportConfig *self, const ImgImportJsonCursor *top, GError **error)
{
  static const char *const known[] = { "image_size_cap", "image_property_quota", "image_tag_quota",
                                       NULL };
  ImgImportJsonCursor cursor = { NULL, IMGIMPORT_CONFIG_WHAT, "limits" };

  if (!_imgimport_json_object (top, "limits", &cursor.object, error))
    return FALSE;
  if (cursor.object == NULL)
    return TRUE;
  return _imgimport_json_only (&cursor, known, error) &&
         _imgimport_json_limit (&cursor, "image_size_cap", &self->image_size_cap, error) &&
         _imgimport_json_int (&cursor, "image_property_quota", G_MININT64, G_MAXINT64,
                              &self->limits.property_quota, error) &&
         _imgimport_json_int (&cursor, "image_tag_quota", G_MININT64, G_MAXINT64,
                              &self->limits.tag_quota, error);
}

/* ---- single values --------------------------------------------------------------------------- */

static gboolean
read_count (const ImgImportJsonCursor *cursor, const char *member, guint minimum, guint maximum,
            guint *value, GError **error)
{
  gint64 number = *value;

  if (!_imgimport_json_int (cursor, member, minimum, maximum, &number, error))
    return FALSE;
  *value = (guint)number;
  return TRUE;
}

static gboolean
read_durability (ImgImportConfig *self, const ImgImportJsonCursor *cursor, GError **error)
{
  const char *word = "power";

  if (!_imgimport_json_string (cursor, "durability", &word, error))
    return FALSE;
  if (!g_str_equal (word, "power") && !g_str_equal (word, "process"))
    {
      _imgimport_json_set_error (cursor, "durability", "config-invalid", error,
                                 "“%s” is neither “power” nor “process”", word);
      return FALSE;
    }
  self->durable = g_str_equal (word, "power");
  return TRUE;
}

static gboolean
read_hashing (ImgImportConfig *self, const ImgImportJsonCursor *cursor, GError **error)
{
  const char *algorithm = self->hashing_algorithm;

  if (!_imgimport_json_string (cursor, "hashing_algorithm", &algorithm, error))
    return FALSE;
  if (g_str_equal (algorithm, "none"))
    algorithm = NULL;
  else if (!_imgimport_digest_is_known (algorithm))
    {
      _imgimport_json_set_error (cursor, "hashing_algorithm", "config-invalid", error,
                                 "this build does not compute “%s”", algorithm);
      return FALSE;
    }
  _imgimport_set_string (&self->hashing_algorithm, algorithm);
  return TRUE;
}

/* After what it depends on. */
static gboolean
read_verify (ImgImportConfig *self, const ImgImportJsonCursor *cursor, GError **error)
{
  if (!_imgimport_json_boolean (cursor, "verify_on_delivery", &self->verify_on_delivery, error))
    return FALSE;
  if (!self->verify_on_delivery || self->hashing_algorithm != NULL || self->checksum)
    return TRUE;
  _imgimport_json_set_error (cursor, "verify_on_delivery", "config-invalid", error,
                             "there is no digest to compare: hashing_algorithm is “none” and "
                             "checksum is off");
  return FALSE;
}

static gboolean
read_default_store (ImgImportConfig *self, const ImgImportJsonCursor *cursor, GError **error)
{
  const char *id = NULL;

  if (!_imgimport_json_string (cursor, "default_store", &id, error))
    return FALSE;
  if (id != NULL && !_imgimport_name_is_valid (id))
    {
      _imgimport_json_set_error (cursor, "default_store", "config-invalid", error,
                                 "is no id of a store");
      return FALSE;
    }
  self->default_store = g_strdup (id);
  return TRUE;
}

static gboolean
read_format_policy (ImgImportConfig *self, const ImgImportJsonCursor *cursor, GError **error)
{
  self->format_policy = _imgimport_format_policy_read (cursor, "format_policy", error);
  return self->format_policy != NULL;
}

/* ---- the document ---------------------------------------------------------------------------- */

static ImgImportConfig *
config_new (const char *directory)
{
  ImgImportConfig *self = g_new0 (ImgImportConfig, 1);

  self->directory = directory != NULL ? g_canonicalize_filename (directory, NULL) : NULL;
  self->stores = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_plugin_config_free);
  self->hooks = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_plugin_config_free);
  self->workers = 2;
  self->durable = TRUE;
  self->hashing_algorithm = g_strdup ("sha512");
  self->checksum = TRUE;
  self->image_size_cap = DEFAULT_SIZE_CAP;
  self->task_time_to_live_hours = 48;
  _imgimport_model_limits_init (&self->limits);
  return self;
}

void
_imgimport_config_free (ImgImportConfig *self)
{
  if (self == NULL)
    return;
  g_free (self->directory);
  _imgimport_plugin_config_free (self->catalog);
  _imgimport_plugin_config_free (self->staging);
  g_ptr_array_unref (self->stores);
  g_ptr_array_unref (self->hooks);
  g_free (self->default_store);
  g_strfreev (self->methods);
  g_free (self->hashing_algorithm);
  g_clear_object (&self->format_policy);
  _imgimport_model_limits_clear (&self->limits);
  g_free (self);
}

static gboolean
read_config (ImgImportConfig *self, JsonObject *object, GError **error)
{
  static const char *const known[] = { "catalog",
                                       "staging",
                                       "stores",
                                       "default_store",
                                       "methods",
                                       "hooks",
                                       "workers",
                                       "durability",
                                       "hashing_algorithm",
                                       "checksum",
                                       "verify_on_delivery",
                                       "allow_empty_images",
                                       "disk_formats",
                                       "container_formats",
                                       "limits",
                                       "task_time_to_live",
                                       "format_policy",
                                       NULL };
  const ImgImportJsonCursor cursor = { object, IMGIMPORT_CONFIG_WHAT, "" };

  return _imgimport_json_only (&cursor, known, error) &&
         _imgimport_config_read_plugins (self, &cursor, error) &&
         read_default_store (self, &cursor, error) &&
         _imgimport_config_read_names (&cursor, "methods", &self->methods, error) &&
         read_count (&cursor, "workers", 0, WORKERS_MAX, &self->workers, error) &&
         read_durability (self, &cursor, error) && read_hashing (self, &cursor, error) &&
         _imgimport_json_boolean (&cursor, "checksum", &self->checksum, error) &&
         read_verify (self, &cursor, error) &&
         _imgimport_json_boolean (&cursor, "allow_empty_images", &self->allow_empty_images,
                                  error) &&
         _imgimport_config_read_names (&cursor, "disk_formats", &self->limits.disk_formats,
                                       error) &&
         _imgimport_config_read_names (&cursor, "container_formats",
                                       &self->limits.container_formats, error) &&
         read_limits (self, &cursor, error) &&
         read_count (&cursor, "task_time_to_live", 1, TTL_MAX_HOURS, &self->task_time_to_live_hours,
                     error) &&
         read_format_policy (self, &cursor, error);
}

ImgImportConfig *
_imgimport_config_parse (const char *directory, const char *json, GError **error)
{
  g_autoptr (ImgImportConfig) self = config_new (directory);
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (GError) cause = NULL;

  object = _imgimport_json_parse_object (json != NULL ? json : "{}", IMGIMPORT_CONFIG_WHAT, &cause);
  if (object != NULL && read_config (self, object, &cause))
    return g_steal_pointer (&self);
  _imgimport_model_refuse (error, "config-invalid", g_steal_pointer (&cause));
  return NULL;
}
