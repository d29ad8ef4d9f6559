/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that describe a new image, as the JSON that the library takes. */
#include "cli.h"

#include <string.h>

const GOptionEntry cli_attribute_entries[] = {
  { "id", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, id),
    "The image's id (default: a new one)", "UUID" },
  { "name", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, name), "The image's name",
    "NAME" },
  { "disk-format", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, disk_format),
    "What the bytes are, such as qcow2 or raw", "FORMAT" },
  { "container-format", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, container_format),
    "What they are wrapped in, such as bare", "FORMAT" },
  { "visibility", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, visibility),
    "public, private, shared or community", "WORD" },
  { "owner", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, owner),
    "The project that owns it (default: the caller's)", "NAME" },
  { "protected", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, is_protected),
    "Whether it cannot be deleted", "true|false" },
  { "hidden", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, hidden),
    "Whether lists leave it out", "true|false" },
  { "min-disk", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, min_disk),
    "The disk it needs to boot", "GIB" },
  { "min-ram", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliAttributes, min_ram),
    "The memory it needs to boot", "MIB" },
  { "tag", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, CLI_OFFSET (CliAttributes, tags),
    "A tag; may be repeated", "TAG" },
  { "property", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, CLI_OFFSET (CliAttributes, properties),
    "An additional property; may be repeated", "KEY=VALUE" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
set_text (JsonObject *object, const char *option, const char *member, const char *value,
          GError **error)
{
  if (!cli_check_text (option, value, error))
    return FALSE;
  if (value != NULL)
    json_object_set_string_member (object, member, value);
  return TRUE;
}

static gboolean
set_number (JsonObject *object, const char *option, const char *member, const char *text,
            GError **error)
{
  guint64 value = 0;

  if (!cli_parse_number (option, text, G_MAXINT32, &value, error))
    return FALSE;
  if (text != NULL)
    json_object_set_int_member (object, member, (gint64)value);
  return TRUE;
}

static gboolean
set_boolean (JsonObject *object, const char *option, const char *member, const char *text,
             GError **error)
{
  gboolean value = FALSE;

  if (!cli_parse_boolean (option, text, &value, error))
    return FALSE;
  if (text != NULL)
    json_object_set_boolean_member (object, member, value);
  return TRUE;
}

static gboolean
set_tags (JsonObject *object, char **tags, GError **error)
{
  g_autoptr (JsonArray) array = json_array_new ();

  for (; tags != NULL && *tags != NULL; tags++)
    {
      if (!cli_check_text ("--tag", *tags, error))
        return FALSE;
      json_array_add_string_element (array, *tags);
    }
  if (json_array_get_length (array) > 0)
    json_object_set_array_member (object, "tags", g_steal_pointer (&array));
  return TRUE;
}

static gboolean
set_properties (JsonObject *object, char **properties, GError **error)
{
  for (; properties != NULL && *properties != NULL; properties++)
    {
      const char *equals = strchr (*properties, '=');
      g_autofree char *key = NULL;

      if (!cli_check_text ("--property", *properties, error))
        return FALSE;
      if (equals == NULL || equals == *properties)
        {
          cli_set_usage_error (error, "--property: “%s” is not KEY=VALUE", *properties);
          return FALSE;
        }
      key = g_strndup (*properties, (gsize)(equals - *properties));
      json_object_set_string_member (object, key, equals + 1);
    }
  return TRUE;
}

char *
cli_attributes_to_json (const CliAttributes *self, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  /* Properties first, so that an option of its own wins. */
  if (!set_properties (object, self->properties, error) ||
      !set_text (object, "--id", "id", self->id, error) ||
      !set_text (object, "--name", "name", self->name, error) ||
      !set_text (object, "--disk-format", "disk_format", self->disk_format, error) ||
      !set_text (object, "--container-format", "container_format", self->container_format, error) ||
      !set_text (object, "--visibility", "visibility", self->visibility, error) ||
      !set_text (object, "--owner", "owner", self->owner, error) ||
      !set_boolean (object, "--protected", "protected", self->is_protected, error) ||
      !set_boolean (object, "--hidden", "os_hidden", self->hidden, error) ||
      !set_number (object, "--min-disk", "min_disk", self->min_disk, error) ||
      !set_number (object, "--min-ram", "min_ram", self->min_ram, error) ||
      !set_tags (object, self->tags, error))
    return NULL;
  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}
