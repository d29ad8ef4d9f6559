/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <stdlib.h>
#include <string.h>

const char *
_imgimport_enum_to_word (GType type, int value)
{
  GEnumClass *klass = g_type_class_ref (type);
  const GEnumValue *found = g_enum_get_value (klass, value);
  const char *word = found != NULL ? found->value_nick : NULL; /* static, outlives the class */

  g_type_class_unref (klass);
  return word;
}

gboolean
_imgimport_enum_from_word (GType type, const char *word, int *value)
{
  GEnumClass *klass = g_type_class_ref (type);
  const GEnumValue *found = word != NULL ? g_enum_get_value_by_nick (klass, word) : NULL;

  if (found != NULL)
    *value = found->value;
  g_type_class_unref (klass);
  return found != NULL;
}

gboolean
_imgimport_model_refuse (GError **error, const char *reason, GError *cause)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, reason, "%s", cause->message);
  g_error_free (cause);
  return FALSE;
}

gboolean
_imgimport_model_require (const ImgImportJsonCursor *self, const char *const *members,
                          GError **error)
{
  for (gsize i = 0; members[i] != NULL; i++)
    {
      if (json_object_has_member (self->object, members[i]) &&
          !json_object_get_null_member (self->object, members[i]))
        continue;
      _imgimport_json_set_error (self, members[i], "json-invalid", error, "is missing");
      return FALSE;
    }
  return TRUE;
}

gboolean
_imgimport_model_read_size (const ImgImportJsonCursor *self, const char *member, guint64 *value,
                            GError **error)
{
  gint64 read = 0;

  if (!json_object_has_member (self->object, member))
    return TRUE;
  if (json_object_get_null_member (self->object, member))
    {
      *value = IMGIMPORT_SIZE_UNKNOWN;
      return TRUE;
    }
  if (!_imgimport_json_int (self, member, 0, G_MAXINT64, &read, error))
    return FALSE;
  *value = (guint64)read;
  return TRUE;
}

gboolean
_imgimport_model_read_time (const ImgImportJsonCursor *self, const char *member, gint64 *value,
                            GError **error)
{
  const char *text = NULL;

  if (!json_object_has_member (self->object, member))
    return TRUE;
  if (!_imgimport_json_nullable_string (self, member, &text, error))
    return FALSE;
  if (text == NULL)
    {
      *value = 0;
      return TRUE;
    }
  if (!_imgimport_time_from_iso (text, value))
    {
      _imgimport_json_set_error (self, member, "json-invalid", error, "is no ISO 8601 time");
      return FALSE;
    }
  return TRUE;
}

gboolean
_imgimport_model_read_string (const ImgImportJsonCursor *self, const char *member, glong max,
                              char **value, GError **error)
{
  const char *text = *value;

  if (!_imgimport_json_nullable_string (self, member, &text, error))
    return FALSE;
  if (text != NULL && g_utf8_strlen (text, -1) > max)
    {
      _imgimport_json_set_error (self, member, "json-invalid", error,
                                 "is longer than %ld characters", max);
      return FALSE;
    }
  _imgimport_set_string (value, text);
  return TRUE;
}

gboolean
_imgimport_model_read_word (const ImgImportJsonCursor *self, const char *member, GType type,
                            int *value, GError **error)
{
  const char *word = NULL;

  if (!_imgimport_json_string (self, member, &word, error))
    return FALSE;
  if (word == NULL || _imgimport_enum_from_word (type, word, value))
    return TRUE;
  _imgimport_json_set_error (self, member, "json-invalid", error, "is none of its values");
  return FALSE;
}

gboolean
_imgimport_model_read_element (const ImgImportJsonCursor *self, JsonArray *array, guint index,
                               const char *path, JsonObject **value, GError **error)
{
  JsonNode *element = json_array_get_element (array, index);

  if (!JSON_NODE_HOLDS_OBJECT (element))
    {
      _imgimport_json_set_error (self, path, "json-invalid", error, "is no object");
      return FALSE;
    }
  *value = json_node_get_object (element);
  return TRUE;
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

gboolean
_imgimport_model_read_tags (const ImgImportJsonCursor *self, const char *member, char ***value,
                            GError **error)
{
  g_auto (GStrv) read = NULL;
  gsize n;
  gsize kept = 0;

  if (!_imgimport_json_strv (self, member, &read, error))
    return FALSE;
  if (read == NULL)
    return TRUE;
  for (n = 0; read[n] != NULL; n++)
    {
      if (g_utf8_strlen (read[n], -1) <= 255)
        continue;
      _imgimport_json_set_error (self, member, "json-invalid", error,
                                 "a tag is longer than 255 characters");
      return FALSE;
    }

  qsort (read, n, sizeof read[0], compare_strings);
  for (gsize i = 0; i < n; i++)
    {
      if (kept > 0 && strcmp (read[kept - 1], read[i]) == 0)
        g_free (read[i]);
      else
        read[kept++] = read[i];
    }
  read[kept] = NULL;
  g_strfreev (*value);
  *value = g_steal_pointer (&read);
  return TRUE;
}

void
_imgimport_model_write_size (GString *out, const char *member, guint64 value)
{
  if (value <= G_MAXINT64)
    _imgimport_json_write_int (out, member, (gint64)value);
  else
    _imgimport_json_write_json (out, member, NULL);
}

void
_imgimport_model_write_time (GString *out, const char *member, gint64 value)
{
  g_autofree char *text = value != 0 ? _imgimport_time_to_iso (value) : NULL;

  _imgimport_json_write_string (out, member, text);
}
