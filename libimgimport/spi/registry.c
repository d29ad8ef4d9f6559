/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

typedef struct
{
  char *name;
  gpointer handle;
} Entry;

struct _ImgImportRegistry
{
  char *what;
  GArray *entries; /* a handful: looked through in order */
};

ImgImportRegistry *
_imgimport_registry_new (const char *what)
{
  ImgImportRegistry *self = g_new0 (ImgImportRegistry, 1);

  self->what = g_strdup (what);
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  return self;
}

void
_imgimport_registry_free (ImgImportRegistry *self)
{
  guint i;

  for (i = 0; i < self->entries->len; i++)
    {
      Entry *entry = &g_array_index (self->entries, Entry, i);

      _imgimport_plugin_unref (entry->handle);
      g_free (entry->name);
    }
  g_array_unref (self->entries);
  g_free (self->what);
  g_free (self);
}

gboolean
_imgimport_registry_add (ImgImportRegistry *self, const char *name, gpointer handle, GError **error)
{
  Entry entry = { NULL, handle };

  if (_imgimport_registry_lookup (self, name) != NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "name-taken",
                            "%s “%s”: there is one of this name already", self->what, name);
      _imgimport_plugin_unref (handle);
      return FALSE;
    }
  entry.name = g_strdup (name);
  g_array_append_val (self->entries, entry);
  return TRUE;
}

gpointer
_imgimport_registry_lookup (ImgImportRegistry *self, const char *name)
{
  guint i;

  for (i = 0; i < self->entries->len; i++)
    {
      Entry *entry = &g_array_index (self->entries, Entry, i);

      if (strcmp (entry->name, name) == 0)
        return entry->handle;
    }
  return NULL;
}

guint
_imgimport_registry_get_size (ImgImportRegistry *self)
{
  return self->entries->len;
}

gpointer
_imgimport_registry_get (ImgImportRegistry *self, guint index)
{
  g_return_val_if_fail (index < self->entries->len, NULL);
  return g_array_index (self->entries, Entry, index).handle;
}

const char *
_imgimport_registry_get_name (ImgImportRegistry *self, guint index)
{
  g_return_val_if_fail (index < self->entries->len, NULL);
  return g_array_index (self->entries, Entry, index).name;
}
