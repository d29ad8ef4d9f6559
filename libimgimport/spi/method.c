/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

struct _ImgImportMethod
{
  ImgImportPlugin plugin;
  ImgImportMethodVTable vtable;
};

struct _ImgImportMethodStream
{
  ImgImportMethod *method;
  gpointer stream;
  guint64 size;
};

/* A method that only ever uses what is staged needs no slot after open. */
#define METHOD_MINIMUM G_STRUCT_OFFSET (ImgImportMethodVTable, read)

static gboolean
slots_complete (const ImgImportMethodVTable *vtable, const char *what, GError **error)
{
  if (!_imgimport_vtable_require (vtable->open != NULL, "open", what, error))
    return FALSE;
  if (vtable->required_status == IMGIMPORT_STATUS_QUEUED ||
      vtable->required_status == IMGIMPORT_STATUS_UPLOADING)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "vtable-invalid",
                        "%s: required_status %u is neither queued nor uploading", what,
                        vtable->required_status);
  return FALSE;
}

ImgImportMethod *
_imgimport_method_new (const char *name, const ImgImportMethodVTable *vtable, gpointer user_data,
                       GDestroyNotify destroy, GError **error)
{
  g_autoptr (ImgImportMethod) self =
      _imgimport_plugin_new (sizeof *self, "method", name, user_data, destroy);

  if (!_imgimport_plugin_check_name (&self->plugin, error) ||
      !_imgimport_vtable_copy (&self->vtable, sizeof self->vtable, vtable, METHOD_MINIMUM,
                               self->plugin.what, error) ||
      !slots_complete (&self->vtable, self->plugin.what, error))
    return NULL;
  return g_steal_pointer (&self);
}

ImgImportStatus
_imgimport_method_get_required_status (ImgImportMethod *self)
{
  return (ImgImportStatus)self->vtable.required_status;
}

gboolean
_imgimport_method_check (ImgImportMethod *self, const char *request, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  if (self->vtable.check == NULL)
    return TRUE;
  ok = self->vtable.check (self->plugin.user_data, request, &slot_error);
  return _imgimport_plugin_answer (&self->plugin, ok, &slot_error, error);
}

/* Whether what a successful open left behind is one source of bytes that can be read and closed. */
static gboolean
source_is_sound (ImgImportMethod *self, gboolean has_stream, gboolean uses_staged, GError **error)
{
  if (has_stream == uses_staged)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_PLUGIN, "method-no-source",
                            "%s: open must answer a stream or use what is staged, and did %s",
                            self->plugin.what, has_stream ? "both" : "neither");
      return FALSE;
    }
  if (has_stream && (self->vtable.read == NULL || self->vtable.close == NULL))
    return _imgimport_plugin_broke_contract (
        &self->plugin, "open answered a stream without a read and a close slot", error);
  return TRUE;
}

gboolean
_imgimport_method_open (ImgImportMethod *self, ImgImportCall *call, ImgImportMethodStream **stream,
                        GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gpointer raw = NULL;
  guint64 size = IMGIMPORT_SIZE_UNKNOWN;
  gboolean ok = FALSE;

  *stream = NULL;
  ok = self->vtable.open (self->plugin.user_data, call, &raw, &size, cancellable, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  if (!source_is_sound (self, raw != NULL, _imgimport_call_uses_staged (call), error))
    {
      if (raw != NULL && self->vtable.close != NULL)
        self->vtable.close (self->plugin.user_data, raw);
      return FALSE;
    }
  if (raw != NULL)
    {
      *stream = g_new0 (ImgImportMethodStream, 1);
      (*stream)->method = _imgimport_plugin_ref (self);
      (*stream)->stream = raw;
      (*stream)->size = size;
    }
  return TRUE;
}

guint64
_imgimport_method_stream_get_size (ImgImportMethodStream *self)
{
  return self->size;
}

gboolean
_imgimport_method_stream_read (ImgImportMethodStream *self, void *buffer, gsize length,
                               gsize *n_read, GCancellable *cancellable, GError **error)
{
  const ImgImportPlugin *plugin = &self->method->plugin;
  g_autoptr (GError) slot_error = NULL;
  gsize answer = 0;
  gboolean ok = FALSE;

  *n_read = 0;
  ok = self->method->vtable.read (plugin->user_data, self->stream, buffer, length, &answer,
                                  cancellable, &slot_error);
  if (!_imgimport_plugin_answer_read (plugin, ok, &slot_error, answer, length, error))
    return FALSE;
  *n_read = answer;
  return TRUE;
}

void
_imgimport_method_stream_close (ImgImportMethodStream *self)
{
  if (self == NULL)
    return;
  self->method->vtable.close (self->method->plugin.user_data, self->stream);
  _imgimport_plugin_unref (self->method);
  g_free (self);
}
