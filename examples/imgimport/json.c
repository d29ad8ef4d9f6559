/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the documents that the library answers. */
#include "cli.h"

JsonNode *
cli_json_parse (const char *text, GError **error)
{
  return json_from_string (text, error);
}

char *
cli_json_cell (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return g_strdup ("None");
  if (!JSON_NODE_HOLDS_VALUE (node))
    return json_to_string (node, FALSE);
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return g_strdup (json_node_get_boolean (node) ? "True" : "False");
  return json_to_string (node, FALSE);
}
