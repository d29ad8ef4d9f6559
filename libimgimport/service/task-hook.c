/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hook:…: an operator's hook sees the record and sets properties. */

#include "service/import-private.h"

typedef struct
{
  ImgImportImport *import;
  GHashTable *properties;  /* to set: string → string */
  GVariantBuilder *before; /* a{sms}: what stood there */
} Edit;

static gboolean
set_properties (ImgImportTxn *txn, gpointer data, GError **error)
{
  Edit *self = data;
  ImgImportImage *image = _imgimport_txn_image (txn)->image;
  g_autoptr (ImgImportImage) old = _imgimport_image_copy (image);
  GHashTableIter iter;
  gpointer key, value;

  if (self->before != NULL)
    g_variant_builder_unref (self->before);
  self->before = g_variant_builder_new (G_VARIANT_TYPE ("a{sms}"));
  g_hash_table_iter_init (&iter, self->properties);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      g_variant_builder_add (self->before, "{sms}", key, imgimport_image_get_property (old, key));
      _imgimport_image_set_property (image, key, value);
    }
  if (!_imgimport_image_check_quotas (image, old, &self->import->service->config->limits, error))
    return FALSE;
  if (g_hash_table_size (self->properties) > 0)
    _imgimport_txn_image_changed (txn);
  return TRUE;
}

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImportTask *hook = self;
  ImgImportImport *import = hook->import;
  g_autoptr (ImgImportImageRecord) record = NULL;
  g_autoptr (ImgImportCall) call = NULL;
  g_autoptr (GVariantBuilder) before = NULL;
  Edit edit = { import, NULL, NULL };
  gboolean ok;

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  record = _imgimport_import_load (import, error);
  if (record == NULL)
    return FALSE;
  call = _imgimport_import_call (import, record);
  if (!_imgimport_hook_metadata (hook->hook, call, cancellable, error))
    return FALSE;

  edit.properties = _imgimport_call_get_properties (call);
  ok = _imgimport_import_txn (import, FALSE, FALSE, set_properties, &edit, error);
  before = edit.before;
  if (ok)
    imgimport_task_set_output (task, hook->before, g_variant_builder_end (before));
  return ok;
}

static gboolean
restore_properties (ImgImportTxn *txn, gpointer data, GError **error)
{
  ImgImportImage *image = _imgimport_txn_image (txn)->image;
  GVariantIter iter;
  const char *key, *value;

  /* Active all the same: the commit of an activation that failed has happened. */
  if (image->status != IMGIMPORT_STATUS_IMPORTING)
    return TRUE;
  g_variant_iter_init (&iter, data);
  while (g_variant_iter_next (&iter, "{&sm&s}", &key, &value))
    _imgimport_image_set_property (image, key, value);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static gboolean
revert (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImportTask *hook = self;
  GVariant *before = imgimport_task_get_output (task, hook->before);

  return before == NULL || g_variant_n_children (before) == 0 ||
         _imgimport_import_undo (hook->import, restore_properties, before, error);
}

const ImgImportTaskVTable _imgimport_task_hook = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute,
  .revert = revert,
};
