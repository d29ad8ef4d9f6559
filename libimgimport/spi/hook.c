/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

struct _ImgImportHook
{
  ImgImportPlugin plugin;
  ImgImportHookVTable vtable;
};

struct _ImgImportHookFilter
{
  ImgImportHook *hook;
  ImgImportUpstream *upstream; /* borrowed */
  gpointer filter;
};

/* A hook is a filter or not. */
#define HOOK_MINIMUM G_STRUCT_OFFSET (ImgImportHookVTable, open)

static gboolean
slots_complete (const ImgImportHookVTable *vtable, const char *what, GError **error)
{
  gboolean is_filter = vtable->open != NULL;

  return _imgimport_vtable_require (is_filter || vtable->metadata != NULL, "metadata", what,
                                    error) &&
         _imgimport_vtable_require (!is_filter || vtable->read != NULL, "read", what, error) &&
         _imgimport_vtable_require (!is_filter || vtable->close != NULL, "close", what, error);
}

ImgImportHook *
_imgimport_hook_new (const char *name, const ImgImportHookVTable *vtable, gpointer user_data,
                     GDestroyNotify destroy, GError **error)
{
  g_autoptr (ImgImportHook) self =
      _imgimport_plugin_new (sizeof *self, "hook", name, user_data, destroy);

  if (!_imgimport_plugin_check_name (&self->plugin, error) ||
      !_imgimport_vtable_copy (&self->vtable, sizeof self->vtable, vtable, HOOK_MINIMUM,
                               self->plugin.what, error) ||
      !slots_complete (&self->vtable, self->plugin.what, error))
    return NULL;
  return g_steal_pointer (&self);
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
_imgimport_hook_has_metadata (ImgImportHook *self)
{
  return self->vtable.metadata != NULL;
}

gboolean
_imgimport_hook_is_filter (ImgImportHook *self)
{
  return self->vtable.open != NULL;
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

/* ---- filters --------------------------------------------------------------------------------- */

gboolean
_imgimport_hook_open (ImgImportHook *self, ImgImportCall *call, ImgImportUpstream *upstream,
                      ImgImportHookFilter **filter, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gpointer raw = NULL;
  gboolean ok = FALSE;

  *filter = NULL;
  if (self->vtable.open == NULL)
    return TRUE;
  ok = self->vtable.open (self->plugin.user_data, call, upstream, &raw, cancellable, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  if (raw == NULL && _imgimport_upstream_get_taken (upstream) > 0)
    return _imgimport_plugin_broke_contract (&self->plugin,
                                             "open took bytes and answered no filter", error);
  if (raw == NULL)
    return TRUE;
  *filter = g_new0 (ImgImportHookFilter, 1);
  (*filter)->hook = _imgimport_plugin_ref (self);
  (*filter)->upstream = upstream;
  (*filter)->filter = raw;
  return TRUE;
}

/* Whether the filter ended where its upstream does. */
static gboolean
has_read_all (ImgImportHookFilter *self, GCancellable *cancellable, GError **error)
{
  const guint8 *data = NULL;
  gsize n_left = 0;

  if (!imgimport_upstream_peek (self->upstream, 1, &data, &n_left, cancellable, error))
    return FALSE;
  return n_left == 0 || _imgimport_plugin_broke_contract (
                            &self->hook->plugin, "read ended and left bytes unread", error);
}

gboolean
_imgimport_hook_filter_read (gpointer filter, void *buffer, gsize length, gsize *n_read,
                             GCancellable *cancellable, GError **error)
{
  ImgImportHookFilter *self = filter;
  const ImgImportPlugin *plugin = &self->hook->plugin;
  g_autoptr (GError) slot_error = NULL;
  gsize answer = 0;
  gboolean ok = FALSE;

  *n_read = 0;
  ok = self->hook->vtable.read (plugin->user_data, self->filter, buffer, length, &answer,
                                cancellable, &slot_error);
  if (!_imgimport_plugin_answer_read (plugin, ok, &slot_error, answer, length, error))
    return FALSE;
  *n_read = answer;
  return answer > 0 || has_read_all (self, cancellable, error);
}

void
_imgimport_hook_filter_close (ImgImportHookFilter *self)
{
  if (self == NULL)
    return;
  self->hook->vtable.close (self->hook->plugin.user_data, self->filter);
  _imgimport_plugin_unref (self->hook);
  g_free (self);
}
