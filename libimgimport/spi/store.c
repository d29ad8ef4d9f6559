/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

struct _ImgImportStore
{
  ImgImportPlugin plugin;
  ImgImportStoreVTable vtable;
};

/* Up to the last mandatory slot: a table without the optional ones may be that short. */
#define STORE_MINIMUM G_STRUCT_OFFSET (ImgImportStoreVTable, local_fd)

static gboolean
slots_complete (const ImgImportStoreVTable *vtable, const char *what, GError **error)
{
  return _imgimport_vtable_require (vtable->begin != NULL, "begin", what, error) &&
         _imgimport_vtable_require (vtable->write != NULL, "write", what, error) &&
         _imgimport_vtable_require (vtable->commit != NULL, "commit", what, error) &&
         _imgimport_vtable_require (vtable->abort != NULL, "abort", what, error) &&
         _imgimport_vtable_require (vtable->open != NULL, "open", what, error) &&
         _imgimport_vtable_require (vtable->read != NULL, "read", what, error) &&
         _imgimport_vtable_require (vtable->close != NULL, "close", what, error) &&
         _imgimport_vtable_require (vtable->stat != NULL, "stat", what, error) &&
         _imgimport_vtable_require (vtable->remove != NULL, "remove", what, error);
}

ImgImportStore *
_imgimport_store_new (const char *id, const ImgImportStoreVTable *vtable, gpointer user_data,
                      GDestroyNotify destroy, GError **error)
{
  g_autoptr (ImgImportStore) self =
      _imgimport_plugin_new (sizeof *self, "store", id, user_data, destroy);

  if (!_imgimport_plugin_check_name (&self->plugin, error) ||
      !_imgimport_vtable_copy (&self->vtable, sizeof self->vtable, vtable, STORE_MINIMUM,
                               self->plugin.what, error) ||
      !slots_complete (&self->vtable, self->plugin.what, error))
    return NULL;
  return g_steal_pointer (&self);
}

const char *
_imgimport_store_get_id (ImgImportStore *self)
{
  return self->plugin.name;
}

/* ---- writer ---------------------------------------------------------------------------------- */

struct _ImgImportStoreWriter
{
  ImgImportStore *store;
  gpointer writer;
};

static void
writer_free (ImgImportStoreWriter *self)
{
  _imgimport_plugin_unref (self->store);
  g_free (self);
}

ImgImportStoreWriter *
_imgimport_store_begin (ImgImportStore *self, const char *key, guint64 expected,
                        GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  ImgImportStoreWriter *handle = NULL;
  gpointer writer = NULL;
  gboolean ok = FALSE;

  ok =
      self->vtable.begin (self->plugin.user_data, key, expected, &writer, cancellable, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return NULL;
  if (writer == NULL)
    {
      _imgimport_plugin_broke_contract (&self->plugin, "begin answered no writer", error);
      return NULL;
    }
  handle = g_new0 (ImgImportStoreWriter, 1);
  handle->store = _imgimport_plugin_ref (self);
  handle->writer = writer;
  return handle;
}

gboolean
_imgimport_store_writer_write (ImgImportStoreWriter *self, guint64 offset, const void *data,
                               gsize length, GCancellable *cancellable, GError **error)
{
  const ImgImportPlugin *plugin = &self->store->plugin;
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  ok = self->store->vtable.write (plugin->user_data, self->writer, offset, data, length,
                                  cancellable, &slot_error);
  return _imgimport_plugin_answer (plugin, ok, &slot_error, error);
}

gboolean
_imgimport_store_writer_commit (ImgImportStoreWriter *self, guint64 size, char **version,
                                GCancellable *cancellable, GError **error)
{
  g_autoptr (ImgImportStore) store = _imgimport_plugin_ref (self->store);
  g_autoptr (GError) slot_error = NULL;
  g_autofree char *answer = NULL;
  gboolean ok = FALSE;

  ok = store->vtable.commit (store->plugin.user_data, self->writer, size, &answer, cancellable,
                             &slot_error);
  writer_free (self);
  if (!_imgimport_plugin_answer (&store->plugin, ok, &slot_error, error))
    return FALSE;
  if (answer == NULL)
    return _imgimport_plugin_broke_contract (&store->plugin, "commit answered no version", error);
  if (version != NULL)
    *version = g_steal_pointer (&answer);
  return TRUE;
}

void
_imgimport_store_writer_abort (ImgImportStoreWriter *self)
{
  if (self == NULL)
    return;
  self->store->vtable.abort (self->store->plugin.user_data, self->writer);
  writer_free (self);
}

/* ---- reader ---------------------------------------------------------------------------------- */

struct _ImgImportStoreReader
{
  ImgImportStore *store;
  gpointer reader;
};

ImgImportStoreReader *
_imgimport_store_open (ImgImportStore *self, const char *key, GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  ImgImportStoreReader *handle = NULL;
  gpointer reader = NULL;
  gboolean ok = FALSE;

  ok = self->vtable.open (self->plugin.user_data, key, &reader, cancellable, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return NULL;
  if (reader == NULL)
    {
      _imgimport_plugin_broke_contract (&self->plugin, "open answered no reader", error);
      return NULL;
    }
  handle = g_new0 (ImgImportStoreReader, 1);
  handle->store = _imgimport_plugin_ref (self);
  handle->reader = reader;
  return handle;
}

gboolean
_imgimport_store_reader_read (ImgImportStoreReader *self, guint64 offset, void *buffer,
                              gsize length, gsize *n_read, GCancellable *cancellable,
                              GError **error)
{
  const ImgImportPlugin *plugin = &self->store->plugin;
  g_autoptr (GError) slot_error = NULL;
  gsize answer = 0;
  gboolean ok = FALSE;

  *n_read = 0;
  ok = self->store->vtable.read (plugin->user_data, self->reader, offset, buffer, length, &answer,
                                 cancellable, &slot_error);
  if (!_imgimport_plugin_answer_read (plugin, ok, &slot_error, answer, length, error))
    return FALSE;
  *n_read = answer;
  return TRUE;
}

gboolean
_imgimport_store_reader_next_extent (ImgImportStoreReader *self, guint64 offset, guint64 *start,
                                     guint64 *end, GCancellable *cancellable, GError **error)
{
  const ImgImportPlugin *plugin = &self->store->plugin;
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  *start = offset;
  *end = IMGIMPORT_SIZE_UNKNOWN;
  if (self->store->vtable.next_extent == NULL)
    return TRUE;
  ok = self->store->vtable.next_extent (plugin->user_data, self->reader, offset, start, end,
                                        cancellable, &slot_error);
  if (!_imgimport_plugin_answer (plugin, ok, &slot_error, error))
    return FALSE;
  if (*start >= offset && *end >= *start)
    return TRUE;
  return _imgimport_plugin_broke_contract (plugin, "next_extent answered what lies before", error);
}

int
_imgimport_store_reader_local_fd (ImgImportStoreReader *self)
{
  if (self->store->vtable.local_fd == NULL)
    return -1;
  return MAX (self->store->vtable.local_fd (self->store->plugin.user_data, self->reader), -1);
}

void
_imgimport_store_reader_close (ImgImportStoreReader *self)
{
  if (self == NULL)
    return;
  self->store->vtable.close (self->store->plugin.user_data, self->reader);
  _imgimport_plugin_unref (self->store);
  g_free (self);
}

/* ---- objects --------------------------------------------------------------------------------- */

gboolean
_imgimport_store_stat (ImgImportStore *self, const char *key, guint64 *size, char **version,
                       GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  g_autofree char *answer = NULL;
  guint64 bytes = 0;
  gboolean ok = FALSE;

  ok = self->vtable.stat (self->plugin.user_data, key, &bytes, version != NULL ? &answer : NULL,
                          cancellable, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  if (version != NULL && answer == NULL)
    return _imgimport_plugin_broke_contract (&self->plugin, "stat answered no version", error);
  if (version != NULL)
    *version = g_steal_pointer (&answer);
  if (size != NULL)
    *size = bytes;
  return TRUE;
}

gboolean
_imgimport_store_remove (ImgImportStore *self, const char *key, GCancellable *cancellable,
                         GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  ok = self->vtable.remove (self->plugin.user_data, key, cancellable, &slot_error);
  if (!ok && g_error_matches (slot_error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND))
    ok = TRUE;
  return _imgimport_plugin_answer (&self->plugin, ok, &slot_error, error);
}

static gboolean
adoption_is_known (ImgImportAdoption adoption)
{
  return _imgimport_adoption_to_string (adoption) != NULL;
}

gboolean
_imgimport_store_adopt (ImgImportStore *self, const char *key, int fd, guint64 size, char **version,
                        ImgImportAdoption *adoption, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  g_autofree char *answer = NULL;
  ImgImportAdoption how = adoption != NULL ? *adoption : IMGIMPORT_ADOPTED_BY_COPY;
  gboolean ok = FALSE;

  if (self->vtable.adopt == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "adopt-unsupported",
                            "%s: cannot take over objects of other stores", self->plugin.what);
      return FALSE;
    }
  ok = self->vtable.adopt (self->plugin.user_data, key, fd, size, &answer, &how, cancellable,
                           &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  if (answer == NULL || !adoption_is_known (how))
    return _imgimport_plugin_broke_contract (&self->plugin,
                                             "adopt answered no version or no way it took", error);
  if (version != NULL)
    *version = g_steal_pointer (&answer);
  if (adoption != NULL)
    *adoption = how;
  return TRUE;
}

const char *
_imgimport_adoption_to_string (ImgImportAdoption adoption)
{
  switch (adoption)
    {
    case IMGIMPORT_ADOPTED_BY_LINK:
      return "link";
    case IMGIMPORT_ADOPTED_BY_REFLINK:
      return "reflink";
    case IMGIMPORT_ADOPTED_BY_COPY:
      return "copy";
    default:
      return NULL;
    }
}
