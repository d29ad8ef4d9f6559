/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hook:…: an operator's hook sees the record and sets properties. */

#include "service/import-private.h"

typedef struct
{
  ImgImportImportTask *hook;
  ImgImportTask *task;
  GHashTable *properties; /* to set: string → string */
} Edit;

/* a{sms}: what stood there */
static GVariant *
values_before (const Edit *self, ImgImportImage *image)
{
  g_autoptr (GVariantBuilder) before = g_variant_builder_new (G_VARIANT_TYPE ("a{sms}"));
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->properties);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_variant_builder_add (before, "{sms}", key, imgimport_image_get_property (image, key));
  return g_variant_builder_end (before);
}

/* One commit with the word that it was done, so that no crash can part the two. */
static gboolean
set_properties (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Edit *self = data;
  ImgImportImport *import = self->hook->import;
  ImgImportImage *image = _imgimport_txn_image (txn)->image;
  g_autoptr (ImgImportImage) old = _imgimport_image_copy (image);
  g_autoptr (GBytes) outcome = NULL;
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, self->properties);
  while (g_hash_table_iter_next (&iter, &key, &value))
    _imgimport_image_set_property (image, key, value);
  if (!_imgimport_image_check_quotas (image, old, &import->service->config->limits, error))
    return FALSE;
  imgimport_task_set_output (self->task, self->hook->before, values_before (self, old));
  outcome = imgimport_task_dup_outcome_record (self->task);
  _imgimport_txn_journal_append (txn, import->job_id, outcome);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static gboolean
change_nothing (ImgImportTxn *txn, gpointer data, GError **error)
{
  return TRUE;
}

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImportTask *hook = self;
  ImgImportImport *import = hook->import;
  Edit edit = { hook, task, NULL };
  g_autoptr (ImgImportImageRecord) record = NULL;
  g_autoptr (ImgImportCall) call = NULL;

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  record = _imgimport_import_load (import, error);
  if (record == NULL)
    return FALSE;
  call = _imgimport_import_call (import, record);
  /* What a hook does outside, nobody knows: that it was to begin is known before. */
  if (!_imgimport_import_txn (import, FALSE, TRUE, change_nothing, NULL, error))
    return FALSE;
  if (!_imgimport_hook_metadata (hook->hook, call, cancellable, error))
    return FALSE;

  edit.properties = _imgimport_call_get_properties (call);
  if (g_hash_table_size (edit.properties) > 0)
    return _imgimport_import_txn (import, FALSE, FALSE, set_properties, &edit, error);
  imgimport_task_set_output (task, hook->before, values_before (&edit, record->image));
  return TRUE;
}

static void
set_back (ImgImportImage *image, GVariant *before)
{
  GVariantIter iter;
  const char *key, *value;

  g_variant_iter_init (&iter, before);
  while (g_variant_iter_next (&iter, "{&sm&s}", &key, &value))
    _imgimport_image_set_property (image, key, value);
}

/* What a hook replaced may be what one before it had set, so that these are taken back again. */
void
_imgimport_import_restore_properties (ImgImportImport *self, ImgImportImage *image)
{
  ImgImportRegistry *hooks = self->service->hooks;
  gboolean is_left = FALSE;
  guint i;

  for (i = _imgimport_registry_get_size (hooks); self->run != NULL && i > 0; i--)
    {
      const char *hook = _imgimport_registry_get_name (hooks, i - 1);
      g_autofree char *name = g_strconcat (IMGIMPORT_TASK_HOOK, hook, NULL);
      g_autofree char *output = g_strconcat (IMGIMPORT_VALUE_BEFORE, hook, NULL);
      g_autoptr (GVariant) before = _imgimport_run_dup_value (self->run, output);
      ImgImportTaskState state = IMGIMPORT_TASK_PENDING;

      (void)imgimport_run_get_task_state (self->run, name, &state, NULL);
      is_left = is_left || state == IMGIMPORT_TASK_REVERT_FAILED;
      if (is_left && before != NULL)
        set_back (image, before);
    }
}

static gboolean
restore_properties (ImgImportTxn *txn, gpointer data, GError **error)
{
  ImgImportImage *image = _imgimport_txn_image (txn)->image;

  /* Active all the same: the commit of an activation that failed has happened. */
  if (image->status != IMGIMPORT_STATUS_IMPORTING)
    return TRUE;
  set_back (image, data);
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
