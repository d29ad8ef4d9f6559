/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The one place that knows the built-in plug-ins. A new one is a new file and one line in a table
 * here.
 */

#include "service/service-private.h"

#include "catalogs/catalogs-private.h"
#include "hooks/hooks-private.h"
#include "methods/methods-private.h"
#include "stores/stores-private.h"

/* ---- catalogs and stores --------------------------------------------------------------------- */

typedef struct
{
  ImgImportBuiltinKind kind;
  const char *type;
  const char *path_member; /* NULL: it keeps nothing */
  gconstpointer vtable;    /* ImgImportCatalogVTable or ImgImportStoreVTable */
  gpointer (*construct) (const char *path, gboolean durable, GError **error);
  GDestroyNotify destroy;
} Builtin;

static gpointer
construct_memory_catalog (const char *path, gboolean durable, GError **error)
{
  return _imgimport_catalog_memory_new ();
}

#if HAVE_SQLITE
static gpointer
construct_sqlite_catalog (const char *path, gboolean durable, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_auto (ImgImportFd) fd = _imgimport_dir_open_private (parent, TRUE, error);

  return fd >= 0 ? _imgimport_catalog_sqlite_new (path, error) : NULL;
}
#endif

static gpointer
construct_file_store (const char *path, gboolean durable, GError **error)
{
  return _imgimport_store_file_new (path, durable, error);
}

static gpointer
construct_memory_store (const char *path, gboolean durable, GError **error)
{
  return _imgimport_store_memory_new ();
}

static const Builtin builtins[] = {
  { IMGIMPORT_BUILTIN_CATALOG, "memory", NULL, &_imgimport_catalog_memory_vtable,
    construct_memory_catalog, _imgimport_catalog_memory_free },
#if HAVE_SQLITE
  { IMGIMPORT_BUILTIN_CATALOG, "sqlite", "path", &_imgimport_catalog_sqlite_vtable,
    construct_sqlite_catalog, _imgimport_catalog_sqlite_free },
#endif
  { IMGIMPORT_BUILTIN_STORE, "file", "directory", &_imgimport_store_file_vtable,
    construct_file_store, _imgimport_store_file_free },
  { IMGIMPORT_BUILTIN_STORE, "memory", NULL, &_imgimport_store_memory_vtable,
    construct_memory_store, _imgimport_store_memory_free },
};

static const Builtin *
find (ImgImportBuiltinKind kind, const char *type)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (builtins); i++)
    if (builtins[i].kind == kind && g_str_equal (builtins[i].type, type))
      return &builtins[i];
  return NULL;
}

gboolean
_imgimport_builtin_is_known (ImgImportBuiltinKind kind, const char *type, const char **path_member)
{
  const Builtin *builtin = find (kind, type);

  if (builtin == NULL)
    return FALSE;
  *path_member = builtin->path_member;
  return TRUE;
}

char *
_imgimport_builtin_types (ImgImportBuiltinKind kind)
{
  GString *types = g_string_new (NULL);
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (builtins); i++)
    if (builtins[i].kind == kind)
      g_string_append_printf (types, "%s%s", types->len > 0 ? ", " : "", builtins[i].type);
  return g_string_free (types, FALSE);
}

/* The `self` of a plug-in's slots; NULL where it cannot be had. */
static gpointer
construct (ImgImportBuiltinKind kind, const ImgImportPluginConfig *config, gboolean durable,
           const Builtin **builtin, GError **error)
{
  *builtin = find (kind, config->type);
  if (*builtin == NULL)
    {
      g_autofree char *types = _imgimport_builtin_types (kind);

      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid",
                            IMGIMPORT_CONFIG_WHAT ": unknown type “%s”; known are %s", config->type,
                            types);
      return NULL;
    }
  return (*builtin)->construct (config->path, durable, error);
}

ImgImportCatalog *
_imgimport_builtin_catalog (const ImgImportPluginConfig *config, GError **error)
{
  const Builtin *builtin = NULL;
  gpointer self = construct (IMGIMPORT_BUILTIN_CATALOG, config, FALSE, &builtin, error);

  return self != NULL ? _imgimport_catalog_new (builtin->vtable, self, builtin->destroy, error)
                      : NULL;
}

ImgImportStore *
_imgimport_builtin_store (const char *id, const ImgImportPluginConfig *config, gboolean durable,
                          GError **error)
{
  const Builtin *builtin = NULL;
  gpointer self = construct (IMGIMPORT_BUILTIN_STORE, config, durable, &builtin, error);

  return self != NULL ? _imgimport_store_new (id, builtin->vtable, self, builtin->destroy, error)
                      : NULL;
}

/* ---- methods and hooks ----------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  const ImgImportMethodVTable *vtable;
} MethodEntry;

static const MethodEntry methods_table[] = {
  { "glance-direct", &_imgimport_method_glance_direct_vtable },
};

gboolean
_imgimport_builtin_methods (ImgImportRegistry *methods, GError **error)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (methods_table); i++)
    {
      const MethodEntry *entry = &methods_table[i];
      ImgImportMethod *method =
          _imgimport_method_new (entry->name, entry->vtable, NULL, NULL, error);

      if (method == NULL || !_imgimport_registry_add (methods, entry->name, method, error))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  const char *name;
  const ImgImportHookVTable *vtable;
  gpointer (*construct) (void); /* NULL: no user_data */
  GDestroyNotify destroy;
} HookEntry;

static const HookEntry hooks_table[] = {
  { "decompress", &_imgimport_hook_decompress_vtable, _imgimport_hook_decompress_new,
    _imgimport_hook_decompress_free },
  { "inject-metadata", &_imgimport_hook_inject_metadata_vtable, _imgimport_hook_inject_metadata_new,
    _imgimport_hook_inject_metadata_free },
  { "no-op", &_imgimport_hook_no_op_vtable, NULL, NULL },
};

gboolean
_imgimport_builtin_hooks (ImgImportRegistry *hooks, GError **error)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (hooks_table); i++)
    {
      const HookEntry *entry = &hooks_table[i];
      gpointer self = entry->construct != NULL ? entry->construct () : NULL;
      ImgImportHook *hook =
          _imgimport_hook_new (entry->name, entry->vtable, self, entry->destroy, error);

      if (hook == NULL || !_imgimport_registry_add (hooks, entry->name, hook, error))
        return FALSE;
    }
  return TRUE;
}
