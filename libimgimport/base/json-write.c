/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

/* json-glib (1.6) writes a round number with an exponent as 1e+300.0, and U+001F as it is, neither
 * of which is JSON. */

static void write_node (JsonNode *node, GString *out);

static void
write_escaped (guchar c, GString *out)
{
  static const char plain[] = "\"\\\b\f\n\r\t";
  static const char words[] = "\"\\bfnrt";
  const char *at = strchr (plain, c);

  if (at != NULL)
    {
      g_string_append_c (out, '\\');
      g_string_append_c (out, words[at - plain]);
    }
  else
    g_string_append_printf (out, "\\u%04x", c);
}

static void
write_string (const char *text, GString *out)
{
  const char *at;

  g_string_append_c (out, '"');
  for (at = text; *at != '\0'; at++)
    {
      guchar c = (guchar)*at;

      if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
        continue;
      g_string_append_len (out, text, at - text);
      write_escaped (c, out);
      text = at + 1;
    }
  g_string_append_len (out, text, at - text);
  g_string_append_c (out, '"');
}

static void
write_int (gint64 value, GString *out)
{
  char buffer[24];

  g_snprintf (buffer, sizeof buffer, "%" G_GINT64_FORMAT, value);
  g_string_append (out, buffer);
}

/* A number that is not an integer stays one that is none. */
static void
write_double (double value, GString *out)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_dtostr (buffer, sizeof buffer, value);
  g_string_append (out, buffer);
  if (strpbrk (buffer, ".e") == NULL)
    g_string_append (out, ".0");
}

static void
write_value (JsonNode *node, GString *out)
{
  GType type = json_node_get_value_type (node);

  if (type == G_TYPE_STRING)
    write_string (json_node_get_string (node), out);
  else if (type == G_TYPE_BOOLEAN)
    g_string_append (out, json_node_get_boolean (node) ? "true" : "false");
  else if (type == G_TYPE_INT64)
    write_int (json_node_get_int (node), out);
  else
    write_double (json_node_get_double (node), out);
}

/* What comes before a value. */
static void
begin_value (GString *out, const char *name)
{
  char last = out->len > 0 ? out->str[out->len - 1] : '[';

  if (last != '{' && last != '[')
    g_string_append_c (out, ',');
  if (name == NULL)
    return;
  write_string (name, out);
  g_string_append_c (out, ':');
}

static void
write_member (JsonObject *object, const char *name, JsonNode *node, gpointer out)
{
  _imgimport_json_write_node (out, name, node);
}

static void
write_element (JsonArray *array, guint index, JsonNode *node, gpointer out)
{
  _imgimport_json_write_node (out, NULL, node);
}

static void
write_node (JsonNode *node, GString *out)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      g_string_append_c (out, '{');
      json_object_foreach_member (json_node_get_object (node), write_member, out);
      g_string_append_c (out, '}');
      break;
    case JSON_NODE_ARRAY:
      g_string_append_c (out, '[');
      json_array_foreach_element (json_node_get_array (node), write_element, out);
      g_string_append_c (out, ']');
      break;
    case JSON_NODE_VALUE:
      write_value (node, out);
      break;
    case JSON_NODE_NULL:
    default:
      g_string_append (out, "null");
      break;
    }
}

char *
_imgimport_json_to_text (JsonNode *node)
{
  GString *out = g_string_sized_new (1024);

  write_node (node, out);
  return g_string_free (out, FALSE);
}

char *
_imgimport_json_object_to_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  return _imgimport_json_to_text (node);
}

/* ---- without nodes --------------------------------------------------------------------------- */

void
_imgimport_json_begin_object (GString *out, const char *name)
{
  begin_value (out, name);
  g_string_append_c (out, '{');
}

void
_imgimport_json_end_object (GString *out)
{
  g_string_append_c (out, '}');
}

void
_imgimport_json_begin_array (GString *out, const char *name)
{
  begin_value (out, name);
  g_string_append_c (out, '[');
}

void
_imgimport_json_end_array (GString *out)
{
  g_string_append_c (out, ']');
}

void
_imgimport_json_write_string (GString *out, const char *name, const char *value)
{
  begin_value (out, name);
  if (value != NULL)
    write_string (value, out);
  else
    g_string_append (out, "null");
}

void
_imgimport_json_write_int (GString *out, const char *name, gint64 value)
{
  begin_value (out, name);
  write_int (value, out);
}

void
_imgimport_json_write_boolean (GString *out, const char *name, gboolean value)
{
  _imgimport_json_write_json (out, name, value ? "true" : "false");
}

void
_imgimport_json_write_strv (GString *out, const char *name, const char *const *values)
{
  gsize i;

  _imgimport_json_begin_array (out, name);
  for (i = 0; values[i] != NULL; i++)
    _imgimport_json_write_string (out, NULL, values[i]);
  _imgimport_json_end_array (out);
}

void
_imgimport_json_write_node (GString *out, const char *name, JsonNode *node)
{
  begin_value (out, name);
  write_node (node, out);
}

void
_imgimport_json_write_json (GString *out, const char *name, const char *json)
{
  begin_value (out, name);
  g_string_append (out, json != NULL ? json : "null");
}
