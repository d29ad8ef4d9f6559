/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

struct _ImgImportCall
{
  ImgImportImage *image;
  ImgImportContext *context; /* nullable */
  char *request;
  char *job_id;
  char *staged_key; /* nullable */
  ImgImportLog *log;
  gboolean uses_staged;
  GHashTable *properties; /* char * → char * */
};

ImgImportCall *
_imgimport_call_new (ImgImportImage *image, ImgImportContext *context, const char *request,
                     const char *job_id, const char *staged_key, ImgImportLog *log)
{
  ImgImportCall *self = g_new0 (ImgImportCall, 1);

  self->image = g_object_ref (image);
  self->context = context != NULL ? g_object_ref (context) : NULL;
  self->request = g_strdup (request);
  self->job_id = g_strdup (job_id);
  self->staged_key = g_strdup (staged_key);
  self->log = _imgimport_log_ref (log);
  self->properties = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
_imgimport_call_free (ImgImportCall *self)
{
  g_object_unref (self->image);
  g_clear_object (&self->context);
  g_free (self->request);
  g_free (self->job_id);
  g_free (self->staged_key);
  _imgimport_log_unref (self->log);
  g_hash_table_unref (self->properties);
  g_free (self);
}

gboolean
_imgimport_call_uses_staged (ImgImportCall *self)
{
  return self->uses_staged;
}

GHashTable *
_imgimport_call_get_properties (ImgImportCall *self)
{
  return self->properties;
}

ImgImportImage *
imgimport_call_get_image (ImgImportCall *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->image;
}

ImgImportContext *
imgimport_call_get_context (ImgImportCall *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->context;
}

const char *
imgimport_call_get_request (ImgImportCall *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->request;
}

const char *
imgimport_call_get_job_id (ImgImportCall *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->job_id;
}

const char *
imgimport_call_get_staged_key (ImgImportCall *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->staged_key;
}

gboolean
imgimport_call_use_staged (ImgImportCall *self, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  if (self->staged_key == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "not-staged",
                            "image %s: nothing is staged", imgimport_image_get_id (self->image));
      return FALSE;
    }
  self->uses_staged = TRUE;
  return TRUE;
}

gboolean
imgimport_call_set_property (ImgImportCall *self, const char *key, const char *value,
                             GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  if (_imgimport_property_is_internal (key))
    {
      g_autofree char *message = NULL;

      message = g_strdup_printf ("property “%s” is the library's own: dropped", key);
      imgimport_call_log (self, G_LOG_LEVEL_WARNING, message);
      return TRUE;
    }
  if (!_imgimport_property_check (key, value, error))
    return FALSE;
  g_hash_table_insert (self->properties, g_strdup (key), g_strdup (value));
  return TRUE;
}

void
imgimport_call_log (ImgImportCall *self, GLogLevelFlags level, const char *message)
{
  g_autofree char *text = NULL;

  g_return_if_fail (self != NULL);
  g_return_if_fail (message != NULL);
  /* A host that hands the level on to GLib's log would be ended by any other. */
  if (level != G_LOG_LEVEL_MESSAGE && level != G_LOG_LEVEL_INFO && level != G_LOG_LEVEL_DEBUG)
    level = G_LOG_LEVEL_WARNING;
  text = g_utf8_make_valid (message, -1);
  _imgimport_log (self->log, level, "image %s, job %s: %s", imgimport_image_get_id (self->image),
                  self->job_id, text);
}
