/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/hooks-private.h"

#include "base/base-private.h"

/* Written by configure, before the service starts; only read afterwards. */
typedef struct
{
  GHashTable *inject;   /* char * → char * */
  char **ignored_roles; /* whose images are left alone */
} InjectMetadata;

gpointer
_imgimport_hook_inject_metadata_new (void)
{
  static const char *const ignored[] = { "admin", NULL };
  InjectMetadata *self = g_new0 (InjectMetadata, 1);

  self->inject = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->ignored_roles = g_strdupv ((char **)ignored);
  return self;
}

void
_imgimport_hook_inject_metadata_free (gpointer self)
{
  InjectMetadata *hook = self;

  g_hash_table_unref (hook->inject);
  g_strfreev (hook->ignored_roles);
  g_free (hook);
}

static gboolean
read_inject (InjectMetadata *self, JsonObject *inject, const char *what, GError **error)
{
  const ImgImportJsonCursor cursor = { inject, what, "inject" };
  JsonObjectIter iter;
  const char *key = NULL;
  JsonNode *node = NULL;

  g_hash_table_remove_all (self->inject);
  json_object_iter_init (&iter, inject);
  while (json_object_iter_next (&iter, &key, &node))
    {
      const char *value = NULL;

      if (!_imgimport_json_string (&cursor, key, &value, error))
        return FALSE;
      g_hash_table_insert (self->inject, g_strdup (key), g_strdup (value));
    }
  return TRUE;
}

static gboolean
inject_metadata_configure (gpointer self, const char *options, GError **error)
{
  static const char *const known[] = { "inject", "ignore_user_roles", NULL };
  InjectMetadata *hook = self;
  g_autoptr (JsonObject) object = NULL;
  g_auto (GStrv) roles = NULL;
  ImgImportJsonCursor cursor = { NULL, "options", "" };
  JsonObject *inject = NULL;

  object = _imgimport_json_parse_object (options, cursor.what, error);
  if (object == NULL)
    return FALSE;
  cursor.object = object;
  if (!_imgimport_json_only (&cursor, known, error) ||
      !_imgimport_json_strv (&cursor, "ignore_user_roles", &roles, error) ||
      !_imgimport_json_object (&cursor, "inject", &inject, error))
    return FALSE;
  if (inject != NULL && !read_inject (hook, inject, cursor.what, error))
    return FALSE;
  if (roles != NULL)
    {
      g_strfreev (hook->ignored_roles);
      hook->ignored_roles = g_steal_pointer (&roles);
    }
  return TRUE;
}

static gboolean
is_ignored (const InjectMetadata *self, ImgImportContext *context)
{
  const char *const *ignored = (const char *const *)self->ignored_roles;
  const char *const *roles = NULL;
  gsize i;

  if ((context == NULL || imgimport_context_get_is_admin (context)) &&
      g_strv_contains (ignored, "admin"))
    return TRUE;
  if (context == NULL)
    return FALSE;
  roles = imgimport_context_get_roles (context);
  for (i = 0; roles[i] != NULL; i++)
    if (g_strv_contains (ignored, roles[i]))
      return TRUE;
  return FALSE;
}

static gboolean
inject_metadata_metadata (gpointer self, ImgImportCall *call, GCancellable *cancellable,
                          GError **error)
{
  InjectMetadata *hook = self;
  GHashTableIter iter;
  gpointer key;
  gpointer value;

  if (is_ignored (hook, imgimport_call_get_context (call)))
    return TRUE;
  g_hash_table_iter_init (&iter, hook->inject);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (!imgimport_call_set_property (call, key, value, error))
      return FALSE;
  return TRUE;
}

const ImgImportHookVTable _imgimport_hook_inject_metadata_vtable = {
  IMGIMPORT_HOOK_VTABLE_INIT,
  .configure = inject_metadata_configure,
  .metadata = inject_metadata_metadata,
};
