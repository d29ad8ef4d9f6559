/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a configuration, and what the host added, to the plug-ins that a service works with.
 */

#include "service/txn.h"

#include <errno.h>
#include <stdlib.h>

static gboolean
refuse (GError **error, const char *path, const char *message)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid",
                        IMGIMPORT_CONFIG_WHAT ": %s: %s", path, message);
  return FALSE;
}

static gboolean
refuse_unknown (GError **error, const char *path, const char *what, const char *name,
                ImgImportRegistry *known)
{
  g_autoptr (GString) names = g_string_new (NULL);
  guint i;

  for (i = 0; i < _imgimport_registry_get_size (known); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            _imgimport_registry_get_name (known, i));
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid",
                        IMGIMPORT_CONFIG_WHAT ": %s: unknown %s “%s”; known are %s", path, what,
                        name, names->len > 0 ? names->str : "none");
  return FALSE;
}

/* ---- catalog, staging, stores ---------------------------------------------------------------- */

static gboolean
open_directory (ImgImportService *self, GError **error)
{
  g_auto (ImgImportFd) fd = -1;

  if (self->config->directory == NULL)
    return TRUE;
  fd = _imgimport_dir_open_private (self->config->directory, TRUE, error);
  return fd >= 0;
}

static gboolean
open_catalog (ImgImportService *self, GError **error)
{
  if (self->catalog != NULL)
    return TRUE;
  if (self->config->catalog == NULL)
    return refuse (error, "catalog", "is missing, and the host has set none");
  self->catalog = _imgimport_builtin_catalog (self->config->catalog, error);
  if (self->catalog == NULL)
    _imgimport_error_prefix (error, "catalog");
  return self->catalog != NULL;
}

static gboolean
open_staging (ImgImportService *self, GError **error)
{
  if (self->staging != NULL)
    return TRUE;
  if (self->config->staging == NULL)
    return refuse (error, "staging", "is missing, and the host has set none");
  self->staging = _imgimport_builtin_store (IMGIMPORT_STAGING_ID, self->config->staging,
                                            self->config->durable, error);
  if (self->staging == NULL)
    _imgimport_error_prefix (error, "staging");
  return self->staging != NULL;
}

/* Configured ones first, see imgimport_service_add_store(). */
static gboolean
open_stores (ImgImportService *self, GError **error)
{
  guint i;

  for (i = 0; i < self->config->stores->len; i++)
    {
      const ImgImportPluginConfig *config = self->config->stores->pdata[i];
      ImgImportStore *store =
          _imgimport_builtin_store (config->id, config, self->config->durable, error);

      if (store == NULL)
        {
          _imgimport_error_prefix (error, "store “%s”", config->id);
          return FALSE;
        }
      if (!_imgimport_registry_add (self->stores, config->id, store, error))
        return FALSE;
    }
  for (i = 0; i < _imgimport_registry_get_size (self->added_stores); i++)
    if (!_imgimport_registry_add (
            self->stores, _imgimport_registry_get_name (self->added_stores, i),
            _imgimport_plugin_ref (_imgimport_registry_get (self->added_stores, i)), error))
      return FALSE;
  return TRUE;
}

static gboolean
choose_default_store (ImgImportService *self, GError **error)
{
  const char *wanted = self->config->default_store;

  if (_imgimport_registry_get_size (self->stores) == 0)
    return refuse (error, "stores", "there is none, and the host has added none");
  if (wanted == NULL)
    wanted = _imgimport_registry_get_name (self->stores, 0);
  if (_imgimport_registry_lookup (self->stores, wanted) == NULL)
    return refuse_unknown (error, "default_store", "store", wanted, self->stores);
  self->default_store = g_strdup (wanted);
  return TRUE;
}

/* ---- who lies in whom ------------------------------------------------------------------------ */

typedef struct
{
  char *what; /* "staging", "store “a”" */
  char *path; /* without symbolic links */
} Place;

static void
place_free (gpointer data)
{
  Place *self = data;

  g_free (self->what);
  free (self->path);
  g_free (self);
}

static gboolean
lies_in (const Place *inner, const Place *outer)
{
  gsize length = strlen (outer->path);

  /* "/" is the one path that ends in a slash. */
  return g_str_has_prefix (inner->path, outer->path) &&
         (length == 1 || inner->path[length] == '/' || inner->path[length] == '\0');
}

/* Takes `what`. `path` exists by now. */
static gboolean
add_place (GPtrArray *places, char *what, const char *path, GError **error)
{
  Place *place = g_new0 (Place, 1);

  g_ptr_array_add (places, place);
  place->what = what;
  place->path = realpath (path, NULL);
  if (place->path == NULL)
    _imgimport_set_error_errno (error, errno, "%s: “%s”", what, path);
  return place->path != NULL;
}

static gboolean
refuse_overlap (GError **error, const Place *inner, const Place *outer)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid",
                        IMGIMPORT_CONFIG_WHAT ": %s, “%s”, lies in %s, “%s”", inner->what,
                        inner->path, outer->what, outer->path);
  return FALSE;
}

/* Objects of one store must not be mistaken for another's, nor the catalog for an object. */
static gboolean
check_places (const GPtrArray *places, GError **error)
{
  guint i, j;

  for (i = 0; i < places->len; i++)
    for (j = 0; j < places->len; j++)
      if (i != j && lies_in (places->pdata[i], places->pdata[j]))
        return refuse_overlap (error, places->pdata[i], places->pdata[j]);
  return TRUE;
}

/* Of built-in plug-ins; `own_…`: the host has set its own. */
static gboolean
check_directories (ImgImportService *self, gboolean own_catalog, gboolean own_staging,
                   GError **error)
{
  g_autoptr (GPtrArray) places = g_ptr_array_new_with_free_func (place_free);
  const ImgImportConfig *config = self->config;
  guint i;

  if (!own_catalog && config->catalog->path != NULL &&
      !add_place (places, g_strdup ("catalog"), config->catalog->path, error))
    return FALSE;
  if (!own_staging && config->staging->path != NULL &&
      !add_place (places, g_strdup ("staging"), config->staging->path, error))
    return FALSE;
  for (i = 0; i < config->stores->len; i++)
    {
      const ImgImportPluginConfig *store = config->stores->pdata[i];

      if (store->path != NULL &&
          !add_place (places, g_strdup_printf ("store “%s”", store->id), store->path, error))
        return FALSE;
    }
  return check_places (places, error);
}

/* ---- methods and hooks ----------------------------------------------------------------------- */

static gboolean
enable_method (ImgImportService *self, const char *path, const char *name, GError **error)
{
  ImgImportMethod *method = _imgimport_registry_lookup (self->known_methods, name);

  if (method == NULL)
    return refuse_unknown (error, path, "method", name, self->known_methods);
  return _imgimport_registry_add (self->methods, name, _imgimport_plugin_ref (method), error);
}

static gboolean
enable_methods (ImgImportService *self, GError **error)
{
  char **wanted = self->config->methods;
  guint i;

  if (wanted == NULL)
    {
      for (i = 0; i < _imgimport_registry_get_size (self->known_methods); i++)
        if (!enable_method (self, "methods", _imgimport_registry_get_name (self->known_methods, i),
                            error))
          return FALSE;
      return TRUE;
    }
  for (i = 0; wanted[i] != NULL; i++)
    {
      g_autofree char *path = g_strdup_printf ("methods/%u", i);

      if (!enable_method (self, path, wanted[i], error))
        return FALSE;
    }
  return TRUE;
}

/* A hook that finds its options wrong says so in words of its own. */
static gboolean
configure_hook (ImgImportHook *hook, JsonObject *options, const char *path, GError **error)
{
  GError *cause = NULL;

  if (_imgimport_hook_configure (hook, options, &cause))
    return TRUE;
  _imgimport_error_prefix (&cause, IMGIMPORT_CONFIG_WHAT ": %s/options", path);
  if (g_error_matches (cause, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT))
    return _imgimport_model_refuse (error, "config-invalid", cause);
  g_propagate_error (error, cause);
  return FALSE;
}

static gboolean
enable_hooks (ImgImportService *self, GError **error)
{
  guint i;

  for (i = 0; i < self->config->hooks->len; i++)
    {
      const ImgImportPluginConfig *config = self->config->hooks->pdata[i];
      ImgImportHook *hook = _imgimport_registry_lookup (self->known_hooks, config->id);
      g_autofree char *path = g_strdup_printf ("hooks/%u", i);

      if (hook == NULL)
        return refuse_unknown (error, path, "hook", config->id, self->known_hooks);
      if (!configure_hook (hook, config->options, path, error) ||
          !_imgimport_registry_add (self->hooks, config->id, _imgimport_plugin_ref (hook), error))
        return FALSE;
    }
  return TRUE;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* What was known and not chosen is not kept; but a method that is asked for and not offered is
 * refused in other words than one that does not exist. */
static void
drop_candidates (ImgImportService *self)
{
  g_clear_pointer (&self->added_stores, _imgimport_registry_free);
  g_clear_pointer (&self->known_hooks, _imgimport_registry_free);
}

gboolean
_imgimport_service_open_plugins (ImgImportService *self, GError **error)
{
  const gboolean own_catalog = self->catalog != NULL;
  const gboolean own_staging = self->staging != NULL;

  /* Names before directories: what is refused for a name has made none. */
  if (!enable_methods (self, error) || !enable_hooks (self, error) ||
      !open_directory (self, error) || !open_catalog (self, error) || !open_staging (self, error) ||
      !open_stores (self, error) || !choose_default_store (self, error) ||
      !check_directories (self, own_catalog, own_staging, error))
    return FALSE;
  drop_candidates (self);
  return TRUE;
}

void
_imgimport_service_drop_plugins (ImgImportService *self)
{
  drop_candidates (self);
  g_clear_object (&self->journal);
  g_clear_pointer (&self->backlog, _imgimport_backlog_unref);
  g_clear_object (&self->engine);
  g_clear_pointer (&self->hooks, _imgimport_registry_free);
  g_clear_pointer (&self->methods, _imgimport_registry_free);
  g_clear_pointer (&self->known_methods, _imgimport_registry_free);
  g_clear_pointer (&self->stores, _imgimport_registry_free);
  g_clear_pointer (&self->staging, _imgimport_plugin_unref);
  g_clear_pointer (&self->catalog, _imgimport_plugin_unref);
  g_clear_pointer (&self->default_store, g_free);
  g_clear_pointer (&self->owner, g_free);
}
