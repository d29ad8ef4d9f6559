/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

gpointer
_imgimport_plugin_new (gsize size, const char *kind, const char *name, gpointer user_data,
                       GDestroyNotify destroy)
{
  ImgImportPlugin *self = g_malloc0 (size);

  self->ref_count = 1;
  self->name = g_strdup (name);
  self->user_data = user_data;
  self->destroy = destroy;
  if (name == NULL)
    {
      self->what = g_strdup (kind);
    }
  else
    {
      /* Not checked yet: it may hold anything, and a message is UTF-8. */
      g_autofree char *escaped = g_strescape (name, NULL);

      self->what = g_strdup_printf ("%s “%s”", kind, escaped);
    }
  return self;
}

gpointer
_imgimport_plugin_ref (gpointer handle)
{
  ImgImportPlugin *self = handle;

  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
_imgimport_plugin_unref (gpointer handle)
{
  ImgImportPlugin *self = handle;

  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self->name);
  g_free (self->what);
  g_free (self);
}

gboolean
_imgimport_plugin_check_name (const ImgImportPlugin *self, GError **error)
{
  if (self->name != NULL && _imgimport_name_is_valid (self->name))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid",
                        "%s: a name is 1 to 64 characters out of a-z 0-9 _ -, the first a letter "
                        "or digit",
                        self->what);
  return FALSE;
}

gboolean
_imgimport_plugin_answer (const ImgImportPlugin *self, gboolean ok, GError **slot_error,
                          GError **error)
{
  if (ok)
    {
      g_clear_error (slot_error);
      return TRUE;
    }
  _imgimport_error_normalize (slot_error, "%s", self->what);
  g_propagate_error (error, g_steal_pointer (slot_error));
  return FALSE;
}

gboolean
_imgimport_plugin_broke_contract (const ImgImportPlugin *self, const char *how, GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", "%s: %s", self->what,
                        how);
  return FALSE;
}

gboolean
_imgimport_plugin_answer_read (const ImgImportPlugin *self, gboolean ok, GError **slot_error,
                               gsize n_read, gsize length, GError **error)
{
  if (!_imgimport_plugin_answer (self, ok, slot_error, error))
    return FALSE;
  return n_read <= length ||
         _imgimport_plugin_broke_contract (self, "read answered more than was asked for", error);
}
