/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#define REASON_INVALID "json-invalid"
#define SEGMENT_MAX_CHARS 64

JsonNode *
_imgimport_json_parse (const char *text, const char *what, GError **error)
{
  g_autoptr (GError) cause = NULL;
  JsonNode *node;

  if (!_imgimport_json_scan (text, what, error))
    return NULL;
  node = json_from_string (text, &cause);
  if (node == NULL)
    _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, REASON_INVALID, "%s: %s", what,
                          cause != NULL ? cause->message : "the parser refused it");
  return node;
}

static const char *
type_name (JsonNode *node)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      return "an object";
    case JSON_NODE_ARRAY:
      return "an array";
    case JSON_NODE_NULL:
      return "null";
    case JSON_NODE_VALUE:
    default:
      break;
    }
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return "a string";
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return "a boolean";
  return json_node_get_value_type (node) == G_TYPE_INT64 ? "an integer" : "a number";
}

JsonObject *
_imgimport_json_parse_object (const char *text, const char *what, GError **error)
{
  g_autoptr (JsonNode) node = _imgimport_json_parse (text, what, error);

  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, REASON_INVALID,
                            "%s: expected an object, is %s", what, type_name (node));
      return NULL;
    }
  return json_node_dup_object (node);
}

void
_imgimport_json_path_append (GString *path, const char *segment)
{
  guint n = 0;

  if (path->len > 0)
    g_string_append_c (path, '/');
  for (; *segment != '\0' && n < SEGMENT_MAX_CHARS; segment = g_utf8_next_char (segment), n++)
    {
      gunichar c = g_utf8_get_char (segment);

      g_string_append_unichar (path, g_unichar_isprint (c) ? c : '?');
    }
  if (*segment != '\0')
    g_string_append (path, "…");
}

void
_imgimport_json_set_error (const ImgImportJsonCursor *self, const char *member, const char *reason,
                           GError **error, const char *format, ...)
{
  g_autoptr (GString) path = g_string_new (self->path);
  g_autofree char *message = NULL;
  va_list args;

  _imgimport_json_path_append (path, member);
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, reason, "%s: %s: %s", self->what,
                        path->str, message);
}

static gboolean
wrong_type (const ImgImportJsonCursor *self, const char *member, const char *expected,
            JsonNode *node, GError **error)
{
  _imgimport_json_set_error (self, member, REASON_INVALID, error, "expected %s, is %s", expected,
                             type_name (node));
  return FALSE;
}

gboolean
_imgimport_json_only (const ImgImportJsonCursor *self, const char *const *known, GError **error)
{
  g_autoptr (GList) members = json_object_get_members (self->object);
  GList *l;

  for (l = members; l != NULL; l = l->next)
    if (!g_strv_contains (known, l->data))
      {
        _imgimport_json_set_error (self, l->data, REASON_INVALID, error, "unknown member");
        return FALSE;
      }
  return TRUE;
}

static gboolean
holds (JsonNode *node, GType type)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type;
}

gboolean
_imgimport_json_string (const ImgImportJsonCursor *self, const char *member, const char **value,
                        GError **error)
{
  JsonNode *node = json_object_get_member (self->object, member);

  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_STRING))
    return wrong_type (self, member, "a string", node, error);
  *value = json_node_get_string (node);
  return TRUE;
}

gboolean
_imgimport_json_nullable_string (const ImgImportJsonCursor *self, const char *member,
                                 const char **value, GError **error)
{
  JsonNode *node = json_object_get_member (self->object, member);

  if (node == NULL || !JSON_NODE_HOLDS_NULL (node))
    return _imgimport_json_string (self, member, value, error);
  *value = NULL;
  return TRUE;
}

gboolean
_imgimport_json_boolean (const ImgImportJsonCursor *self, const char *member, gboolean *value,
                         GError **error)
{
  JsonNode *node = json_object_get_member (self->object, member);

  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_BOOLEAN))
    return wrong_type (self, member, "a boolean", node, error);
  *value = json_node_get_boolean (node);
  return TRUE;
}

gboolean
_imgimport_json_int (const ImgImportJsonCursor *self, const char *member, gint64 minimum,
                     gint64 maximum, gint64 *value, GError **error)
{
  JsonNode *node = json_object_get_member (self->object, member);
  gint64 number;

  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_INT64))
    return wrong_type (self, member, "an integer", node, error);
  number = json_node_get_int (node);
  if (number < minimum || number > maximum)
    {
      _imgimport_json_set_error (self, member, REASON_INVALID, error,
                                 "%" G_GINT64_FORMAT " is not between %" G_GINT64_FORMAT
                                 " and %" G_GINT64_FORMAT,
                                 number, minimum, maximum);
      return FALSE;
    }
  *value = number;
  return TRUE;
}

gboolean
_imgimport_json_limit (const ImgImportJsonCursor *self, const char *member, guint64 *value,
                       GError **error)
{
  gint64 number = -1;

  if (!json_object_has_member (self->object, member))
    return TRUE;
  if (!_imgimport_json_int (self, member, G_MININT64, G_MAXINT64, &number, error))
    return FALSE;
  if (number == 0)
    {
      _imgimport_json_set_error (self, member, REASON_INVALID, error,
                                 "0 would allow nothing; a negative number is no limit");
      return FALSE;
    }
  *value = number < 0 ? IMGIMPORT_SIZE_UNKNOWN : (guint64) number;
  return TRUE;
}

gboolean
_imgimport_json_strv (const ImgImportJsonCursor *self, const char *member, char ***value,
                      GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array = NULL;
  guint i;

  if (!_imgimport_json_array (self, member, &array, error))
    return FALSE;
  if (array == NULL)
    return TRUE;
  for (i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (!holds (node, G_TYPE_STRING))
        {
          g_autofree char *element = g_strdup_printf ("%s/%u", member, i);

          return wrong_type (self, element, "a string", node, error);
        }
      g_strv_builder_add (builder, json_node_get_string (node));
    }
  *value = g_strv_builder_end (builder);
  return TRUE;
}

gboolean
_imgimport_json_object (const ImgImportJsonCursor *self, const char *member, JsonObject **value,
                        GError **error)
{
  JsonNode *node = json_object_get_member (self->object, member);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong_type (self, member, "an object", node, error);
  *value = json_node_get_object (node);
  return TRUE;
}

gboolean
_imgimport_json_array (const ImgImportJsonCursor *self, const char *member, JsonArray **value,
                       GError **error)
{
  JsonNode *node = json_object_get_member (self->object, member);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return wrong_type (self, member, "an array", node, error);
  *value = json_node_get_array (node);
  return TRUE;
}
