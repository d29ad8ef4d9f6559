/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

#define RESERVED_ID_PREFIX "os_glance_"
#define DESCRIPTION_MAX 255

void
_imgimport_plugin_config_free (ImgImportPluginConfig *self)
{
  if (self == NULL)
    return;
  g_free (self->id);
  g_free (self->type);
  g_free (self->path);
  g_free (self->description);
  g_clear_pointer (&self->options, json_object_unref);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportPluginConfig, _imgimport_plugin_config_free)

static gboolean
refuse_missing (const ImgImportJsonCursor *cursor, const char *member, GError **error)
{
  _imgimport_json_set_error (cursor, member, "config-invalid", error, "is missing");
  return FALSE;
}

/* ---- catalog and stores ---------------------------------------------------------------------- */

static gboolean
read_type (ImgImportPluginConfig *self, ImgImportBuiltinKind kind,
           const ImgImportJsonCursor *cursor, const char **path_member, GError **error)
{
  const char *type = NULL;

  if (!_imgimport_json_string (cursor, "type", &type, error))
    return FALSE;
  if (type == NULL)
    return refuse_missing (cursor, "type", error);
  if (!_imgimport_builtin_is_known (kind, type, path_member))
    {
      g_autofree char *types = _imgimport_builtin_types (kind);

      _imgimport_json_set_error (cursor, "type", "config-invalid", error,
                                 "unknown type “%s”; known are %s", type, types);
      return FALSE;
    }
  self->type = g_strdup (type);
  return TRUE;
}

static gboolean
read_path (ImgImportPluginConfig *self, const char *directory, const ImgImportJsonCursor *cursor,
           const char *member, GError **error)
{
  const char *path = NULL;

  if (!_imgimport_json_string (cursor, member, &path, error))
    return FALSE;
  if (path == NULL)
    return refuse_missing (cursor, member, error);
  if (*path == '\0')
    {
      _imgimport_json_set_error (cursor, member, "config-invalid", error, "is empty");
      return FALSE;
    }
  if (!g_path_is_absolute (path) && directory == NULL)
    {
      _imgimport_json_set_error (cursor, member, "config-invalid", error,
                                 "“%s” is relative, and the service was given no directory", path);
      return FALSE;
    }
  self->path = g_canonicalize_filename (path, directory);
  return TRUE;
}

/* `known`: the members beside type and path. */
static ImgImportPluginConfig *
read_plugin (ImgImportBuiltinKind kind, const char *directory, const ImgImportJsonCursor *cursor,
             const char *const *known, GError **error)
{
  g_autoptr (ImgImportPluginConfig) self = g_new0 (ImgImportPluginConfig, 1);
  g_autoptr (GPtrArray) members = g_ptr_array_new ();
  const char *path_member = NULL;
  gsize i;

  if (!read_type (self, kind, cursor, &path_member, error))
    return NULL;
  g_ptr_array_add (members, (gpointer) "type");
  if (path_member != NULL)
    g_ptr_array_add (members, (gpointer)path_member);
  for (i = 0; known[i] != NULL; i++)
    g_ptr_array_add (members, (gpointer)known[i]);
  g_ptr_array_add (members, NULL);
  if (!_imgimport_json_only (cursor, (const char *const *)members->pdata, error))
    return NULL;
  if (path_member != NULL && !read_path (self, directory, cursor, path_member, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* `*value` stays NULL where there is no such member. */
static gboolean
read_one (ImgImportBuiltinKind kind, const char *directory, const ImgImportJsonCursor *top,
          const char *member, ImgImportPluginConfig **value, GError **error)
{
  static const char *const none[] = { NULL };
  ImgImportJsonCursor cursor = { NULL, IMGIMPORT_CONFIG_WHAT, member };

  if (!_imgimport_json_object (top, member, &cursor.object, error))
    return FALSE;
  if (cursor.object != NULL)
    *value = read_plugin (kind, directory, &cursor, none, error);
  return cursor.object == NULL || *value != NULL;
}

static gboolean
id_is_taken (const GPtrArray *plugins, const char *id)
{
  guint i;

  for (i = 0; i < plugins->len; i++)
    {
      const ImgImportPluginConfig *other = plugins->pdata[i];

      if (g_str_equal (other->id, id))
        return TRUE;
    }
  return FALSE;
}

/* `member` says which one it is: "id" of stores, "name" of hooks, or the entry itself. */
static gboolean
check_id (const GPtrArray *plugins, const ImgImportJsonCursor *cursor, const char *member,
          const char *id, GError **error)
{
  if (!_imgimport_name_is_valid (id))
    {
      _imgimport_json_set_error (cursor, member, "config-invalid", error,
                                 "is no name ([a-z0-9][a-z0-9_-]*, at most 64 characters)");
      return FALSE;
    }
  if (!id_is_taken (plugins, id))
    return TRUE;
  _imgimport_json_set_error (cursor, member, "config-invalid", error, "“%s” is listed twice", id);
  return FALSE;
}

gboolean
_imgimport_store_id_is_reserved (const char *id)
{
  return g_str_has_prefix (id, RESERVED_ID_PREFIX) || g_str_equal (id, IMGIMPORT_STAGING_ID);
}

static gboolean
read_store_names (ImgImportPluginConfig *self, const GPtrArray *others,
                  const ImgImportJsonCursor *cursor, GError **error)
{
  const char *id = NULL;

  if (!_imgimport_json_string (cursor, "id", &id, error))
    return FALSE;
  if (id == NULL)
    return refuse_missing (cursor, "id", error);
  if (!check_id (others, cursor, "id", id, error))
    return FALSE;
  if (_imgimport_store_id_is_reserved (id))
    {
      _imgimport_json_set_error (cursor, "id", "config-invalid", error, "“%s” is reserved", id);
      return FALSE;
    }
  self->id = g_strdup (id);
  return _imgimport_model_read_string (cursor, "description", DESCRIPTION_MAX, &self->description,
                                       error);
}

static gboolean
read_stores (ImgImportConfig *self, JsonArray *array, GError **error)
{
  static const char *const known[] = { "id", "description", NULL };
  guint i;

  for (i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *path = g_strdup_printf ("stores/%u", i);
      ImgImportJsonCursor cursor = { NULL, IMGIMPORT_CONFIG_WHAT, path };
      g_autoptr (ImgImportPluginConfig) store = NULL;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        {
          cursor.path = "";
          _imgimport_json_set_error (&cursor, path, "config-invalid", error, "expected an object");
          return FALSE;
        }
      cursor.object = json_node_get_object (node);
      store = read_plugin (IMGIMPORT_BUILTIN_STORE, self->directory, &cursor, known, error);
      if (store == NULL || !read_store_names (store, self->stores, &cursor, error))
        return FALSE;
      g_ptr_array_add (self->stores, g_steal_pointer (&store));
    }
  return TRUE;
}

/* ---- hooks ----------------------------------------------------------------------------------- */

/* `*name` and `*options` of an entry: a name, or an object with both. */
static gboolean
read_hook_entry (JsonNode *node, const char *path, const char **name, JsonObject **options,
                 GError **error)
{
  static const char *const known[] = { "name", "options", NULL };
  ImgImportJsonCursor cursor = { NULL, IMGIMPORT_CONFIG_WHAT, path };

  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      *name = json_node_get_string (node);
      return TRUE;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      cursor.path = "";
      _imgimport_json_set_error (&cursor, path, "config-invalid", error,
                                 "expected a string or an object");
      return FALSE;
    }
  cursor.object = json_node_get_object (node);
  if (!_imgimport_json_only (&cursor, known, error) ||
      !_imgimport_json_string (&cursor, "name", name, error) ||
      !_imgimport_json_object (&cursor, "options", options, error))
    return FALSE;
  return *name != NULL || refuse_missing (&cursor, "name", error);
}

static gboolean
read_hooks (ImgImportConfig *self, JsonArray *array, GError **error)
{
  const ImgImportJsonCursor cursor = { NULL, IMGIMPORT_CONFIG_WHAT, "" };
  guint i;

  for (i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *path = g_strdup_printf ("hooks/%u", i);
      g_autoptr (ImgImportPluginConfig) hook = g_new0 (ImgImportPluginConfig, 1);
      const char *name = NULL;
      JsonObject *options = NULL;

      if (!read_hook_entry (json_array_get_element (array, i), path, &name, &options, error) ||
          !check_id (self->hooks, &cursor, path, name, error))
        return FALSE;
      hook->id = g_strdup (name);
      hook->options = options != NULL ? json_object_ref (options) : NULL;
      g_ptr_array_add (self->hooks, g_steal_pointer (&hook));
    }
  return TRUE;
}

/* ---- what is not configured ------------------------------------------------------------------ */

static ImgImportPluginConfig *
plugin_config_new (const char *id, const char *type, const char *directory, const char *name)
{
  ImgImportPluginConfig *self = g_new0 (ImgImportPluginConfig, 1);

  self->id = g_strdup (id);
  self->type = g_strdup (type);
  self->path = g_build_filename (directory, name, NULL);
  return self;
}

static void
fill_in (ImgImportConfig *self, gboolean has_stores)
{
  if (self->catalog == NULL)
    self->catalog = plugin_config_new (NULL, "sqlite", self->directory, "catalog.db");
  if (self->staging == NULL)
    self->staging = plugin_config_new (NULL, "file", self->directory, "staging");
  if (!has_stores)
    g_ptr_array_add (self->stores, plugin_config_new ("local", "file", self->directory, "store"));
}

gboolean
_imgimport_config_read_plugins (ImgImportConfig *self, const ImgImportJsonCursor *cursor,
                                GError **error)
{
  JsonArray *stores = NULL, *hooks = NULL;

  if (!read_one (IMGIMPORT_BUILTIN_CATALOG, self->directory, cursor, "catalog", &self->catalog,
                 error) ||
      !read_one (IMGIMPORT_BUILTIN_STORE, self->directory, cursor, "staging", &self->staging,
                 error) ||
      !_imgimport_json_array (cursor, "stores", &stores, error) ||
      !_imgimport_json_array (cursor, "hooks", &hooks, error))
    return FALSE;
  if ((stores != NULL && !read_stores (self, stores, error)) ||
      (hooks != NULL && !read_hooks (self, hooks, error)))
    return FALSE;
  if (self->directory != NULL)
    fill_in (self, stores != NULL);
  return TRUE;
}
