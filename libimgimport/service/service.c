/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/txn.h"

#include <unistd.h>

G_DEFINE_FINAL_TYPE (ImgImportService, imgimport_service, G_TYPE_OBJECT)

/* ---- may it be called ------------------------------------------------------------------------ */

static gboolean
refuse (GError **error, const char *reason, const char *message)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, reason, "%s", message);
  return FALSE;
}

static gboolean
is_forked (ImgImportService *self)
{
  return self->pid != (guint64)getpid ();
}

gboolean
_imgimport_service_check_process (ImgImportService *self, GError **error)
{
  return !is_forked (self) ||
         refuse (error, "forked",
                 "a service cannot be used in a child of the process that made it");
}

/* With the lock held. */
static gboolean
check_started (ImgImportService *self, GError **error)
{
  switch (self->state)
    {
    case IMGIMPORT_SERVICE_NEW:
    case IMGIMPORT_SERVICE_STARTING:
      return refuse (error, "service-not-started", "the service has not been started");
    case IMGIMPORT_SERVICE_STARTED:
      return TRUE;
    case IMGIMPORT_SERVICE_CLOSING:
    case IMGIMPORT_SERVICE_CLOSED:
    default:
      return refuse (error, "service-closed", "the service is closed");
    }
}

gboolean
_imgimport_service_check (ImgImportService *self, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!_imgimport_service_check_process (self, error))
    return FALSE;
  locker = _imgimport_locker_new (&self->lock);
  return check_started (self, error);
}

ImgImportUse *
_imgimport_service_enter (ImgImportService *self, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!_imgimport_service_check_process (self, error))
    return NULL;
  locker = _imgimport_locker_new (&self->lock);
  if (!check_started (self, error))
    return NULL;
  self->uses++;
  return (ImgImportUse *)self;
}

void
_imgimport_service_leave (ImgImportUse *use)
{
  ImgImportService *self = (ImgImportService *)use;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  self->uses--;
  g_cond_broadcast (&self->cond);
}

/* What `destroy` frees is freed also where the plug-in comes too late. */
static gboolean
check_new (ImgImportService *self, gpointer user_data, GDestroyNotify destroy, GError **error)
{
  gboolean is_new = FALSE;

  if (_imgimport_service_check_process (self, error))
    {
      g_mutex_lock (&self->lock);
      is_new = self->state == IMGIMPORT_SERVICE_NEW;
      g_mutex_unlock (&self->lock);
      if (!is_new)
        refuse (error, "service-started", "the service has been started");
    }
  if (!is_new && destroy != NULL)
    destroy (user_data);
  return is_new;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void
imgimport_service_dispose (GObject *object)
{
  ImgImportService *self = IMGIMPORT_SERVICE (object);

  /* A forked child has none of the threads that a close would wait for. */
  if (!is_forked (self))
    imgimport_service_close (self, NULL, NULL);
  G_OBJECT_CLASS (imgimport_service_parent_class)->dispose (object);
}

static void
imgimport_service_finalize (GObject *object)
{
  ImgImportService *self = IMGIMPORT_SERVICE (object);

  /* Nor may it give back what is the parent's: locks, database, engine. */
  if (!is_forked (self))
    {
      g_clear_pointer (&self->config, _imgimport_config_free);
      g_clear_pointer (&self->clock, _imgimport_clock_unref);
      g_clear_pointer (&self->log, _imgimport_log_unref);
      g_clear_pointer (&self->bus, _imgimport_bus_unref);
      g_clear_pointer (&self->recent, _imgimport_recent_free);
      g_clear_pointer (&self->imports, g_hash_table_unref);
      g_clear_pointer (&self->stalled, g_hash_table_unref);
      g_clear_pointer (&self->expiry_marker, g_free);
      g_clear_pointer (&self->uploads, g_ptr_array_unref);
      g_mutex_clear (&self->lock);
      g_cond_clear (&self->cond);
    }
  G_OBJECT_CLASS (imgimport_service_parent_class)->finalize (object);
}

static void
imgimport_service_class_init (ImgImportServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = imgimport_service_dispose;
  object_class->finalize = imgimport_service_finalize;
}

static void
imgimport_service_init (ImgImportService *self)
{
  self->pid = (guint64)getpid ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->clock = _imgimport_clock_new_system ();
  self->log = _imgimport_log_new (NULL, NULL, NULL);
  self->bus = _imgimport_bus_new ();
  self->recent = _imgimport_recent_new ();
  self->stores = _imgimport_registry_new ("store");
  self->added_stores = _imgimport_registry_new ("store");
  self->methods = _imgimport_registry_new ("method");
  self->known_methods = _imgimport_registry_new ("method");
  self->hooks = _imgimport_registry_new ("hook");
  self->known_hooks = _imgimport_registry_new ("hook");
  self->imports = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify)_imgimport_import_unref);
  self->stalled = _imgimport_stalled_table_new ();
  self->uploads = g_ptr_array_new ();
}

ImgImportService *
imgimport_service_new (const char *directory, const char *config, GError **error)
{
  g_autoptr (ImgImportService) self = NULL;
  ImgImportConfig *parsed = _imgimport_config_parse (directory, config, error);

  if (parsed == NULL)
    return NULL;
  self = g_object_new (IMGIMPORT_TYPE_SERVICE, NULL);
  self->config = parsed;
  if (!_imgimport_builtin_methods (self->known_methods, error) ||
      !_imgimport_builtin_hooks (self->known_hooks, error))
    return NULL;
  return g_steal_pointer (&self);
}

ImgImportService *
imgimport_service_open (const char *directory, const char *config, GError **error)
{
  g_autoptr (ImgImportService) self = NULL;

  g_return_val_if_fail (directory != NULL, NULL);

  self = imgimport_service_new (directory, config, error);
  if (self == NULL || !imgimport_service_start (self, NULL, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* ---- before the start ------------------------------------------------------------------------ */

gboolean
imgimport_service_set_catalog (ImgImportService *self, const ImgImportCatalogVTable *vtable,
                               gpointer user_data, GDestroyNotify destroy, GError **error)
{
  ImgImportCatalog *catalog;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);

  if (!check_new (self, user_data, destroy, error))
    return FALSE;
  catalog = _imgimport_catalog_new (vtable, user_data, destroy, error);
  if (catalog == NULL)
    return FALSE;
  g_clear_pointer (&self->catalog, _imgimport_plugin_unref);
  self->catalog = catalog;
  return TRUE;
}

gboolean
imgimport_service_set_staging (ImgImportService *self, const ImgImportStoreVTable *vtable,
                               gpointer user_data, GDestroyNotify destroy, GError **error)
{
  ImgImportStore *staging;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);

  if (!check_new (self, user_data, destroy, error))
    return FALSE;
  staging = _imgimport_store_new (IMGIMPORT_STAGING_ID, vtable, user_data, destroy, error);
  if (staging == NULL)
    return FALSE;
  g_clear_pointer (&self->staging, _imgimport_plugin_unref);
  self->staging = staging;
  return TRUE;
}

static gboolean
check_store_id (ImgImportService *self, const char *id, GError **error)
{
  guint i;

  if (_imgimport_store_id_is_reserved (id))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid",
                            "store “%s”: the id is reserved", id);
      return FALSE;
    }
  for (i = 0; i < self->config->stores->len; i++)
    {
      const ImgImportPluginConfig *configured = self->config->stores->pdata[i];

      if (!g_str_equal (configured->id, id))
        continue;
      _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "name-taken",
                            "store “%s”: the configuration has one of this id", id);
      return FALSE;
    }
  return TRUE;
}

gboolean
imgimport_service_add_store (ImgImportService *self, const char *id,
                             const ImgImportStoreVTable *vtable, gpointer user_data,
                             GDestroyNotify destroy, GError **error)
{
  g_autoptr (ImgImportStore) store = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (id != NULL, FALSE);

  if (!check_new (self, user_data, destroy, error))
    return FALSE;
  store = _imgimport_store_new (id, vtable, user_data, destroy, error);
  return store != NULL && check_store_id (self, id, error) &&
         _imgimport_registry_add (self->added_stores, id, g_steal_pointer (&store), error);
}

gboolean
imgimport_service_add_method (ImgImportService *self, const char *name,
                              const ImgImportMethodVTable *vtable, gpointer user_data,
                              GDestroyNotify destroy, GError **error)
{
  ImgImportMethod *method;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  if (!check_new (self, user_data, destroy, error))
    return FALSE;
  method = _imgimport_method_new (name, vtable, user_data, destroy, error);
  return method != NULL && _imgimport_registry_add (self->known_methods, name, method, error);
}

gboolean
imgimport_service_add_hook (ImgImportService *self, const char *name,
                            const ImgImportHookVTable *vtable, gpointer user_data,
                            GDestroyNotify destroy, GError **error)
{
  ImgImportHook *hook;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  if (!check_new (self, user_data, destroy, error))
    return FALSE;
  hook = _imgimport_hook_new (name, vtable, user_data, destroy, error);
  return hook != NULL && _imgimport_registry_add (self->known_hooks, name, hook, error);
}

void
imgimport_service_set_log_func (ImgImportService *self, ImgImportLogFunc func, gpointer user_data,
                                GDestroyNotify destroy)
{
  g_return_if_fail (IMGIMPORT_IS_SERVICE (self));

  if (!check_new (self, user_data, destroy, NULL))
    return;
  _imgimport_log_unref (self->log);
  self->log = _imgimport_log_new (func, user_data, destroy);
}

void
_imgimport_service_set_clock (ImgImportService *self, ImgImportClock *clock)
{
  _imgimport_clock_unref (self->clock);
  self->clock = _imgimport_clock_ref (clock);
}

/* ---- after the start ------------------------------------------------------------------------- */

gboolean
imgimport_service_iterate (ImgImportService *self)
{
  g_autoptr (ImgImportUse) use = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);

  use = _imgimport_service_enter (self, NULL);
  return use != NULL && self->config->workers == 0 && imgimport_engine_iterate (self->engine);
}

ImgImportSubscription *
imgimport_service_subscribe (ImgImportService *self, const char *image_id, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  if (!_imgimport_service_check_process (self, error))
    return NULL;
  locker = _imgimport_locker_new (&self->lock);
  if (self->state >= IMGIMPORT_SERVICE_CLOSING && !check_started (self, error))
    return NULL;
  return _imgimport_bus_subscribe (self->bus, image_id, error);
}
