/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

struct _ImgImportHook
{
  ImgImportPlugin plugin;
  ImgImportHookVTable vtable;
};

ImgImportHook *
_imgimport_hook_new (const char *name, const ImgImportHookVTable *vtable, gpointer user_data,
                     GDestroyNotify destroy, GError **error)
{
  g_autoptr (ImgImportHook) self = g_new0 (ImgImportHook, 1);

  _imgimport_plugin_init (&self->plugin, "hook", name, user_data, destroy);
  if (!_imgimport_plugin_check_name (&self->plugin, error) ||
      !_imgimport_vtable_copy (&self->vtable, sizeof self->vtable, vtable, sizeof self->vtable,
                               self->plugin.what, error) ||
      !_imgimport_vtable_require (self->vtable.metadata != NULL, "metadata", self->plugin.what,
                                  error))
    return NULL;
  return g_steal_pointer (&self);
}

ImgImportHook *
_imgimport_hook_ref (ImgImportHook *self)
{
  g_atomic_int_inc (&self->plugin.ref_count);
  return self;
}

void
_imgimport_hook_unref (ImgImportHook *self)
{
  if (!g_atomic_int_dec_and_test (&self->plugin.ref_count))
    return;
  _imgimport_plugin_clear (&self->plugin);
  g_free (self);
}

const char *
_imgimport_hook_get_name (ImgImportHook *self)
{
  return self->plugin.name;
}

gboolean
_imgimport_hook_configure (ImgImportHook *self, JsonObject *options, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  g_autofree char *text = NULL;
  gboolean ok = FALSE;

  if (self->vtable.configure == NULL)
    {
      if (options == NULL || json_object_get_size (options) == 0)
        return TRUE;
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid",
                            "%s: takes no options", self->plugin.what);
      return FALSE;
    }
  text = options != NULL ? _imgimport_json_object_to_text (options) : g_strdup ("{}");
  ok = self->vtable.configure (self->plugin.user_data, text, &slot_error);
  return _imgimport_plugin_answer (&self->plugin, ok, &slot_error, error);
}

gboolean
_imgimport_hook_metadata (ImgImportHook *self, ImgImportCall *call, GCancellable *cancellable,
                          GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  ok = self->vtable.metadata (self->plugin.user_data, call, cancellable, &slot_error);
  return _imgimport_plugin_answer (&self->plugin, ok, &slot_error, error);
}
