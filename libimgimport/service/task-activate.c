/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* activate, the pivot, and what comes after it: cleanup and complete. */

#include "service/import-private.h"

/* ---- activate -------------------------------------------------------------------------------- */

typedef struct
{
  ImgImportImport *import;
  ImgImportTask *task;
  GVariant *deliveries;
  GVariant *failed;
} Activation;

/* The digest that Glance's os_hash_… tell: of the algorithm wanted, or whatever was computed under
 * the configuration of the day when the bytes were sealed. */
static void
set_digests (ImgImportImport *self, ImgImportImage *image, GHashTable *digests)
{
  const char *algorithm =
      image->os_hash_algo != NULL ? image->os_hash_algo : self->service->config->hashing_algorithm;
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, digests);
  while ((algorithm == NULL || !g_hash_table_contains (digests, algorithm)) &&
         g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_str_equal (name, "md5") || g_hash_table_size (digests) == 1)
      algorithm = name;
  if (g_hash_table_size (digests) == 0)
    algorithm = NULL;
  _imgimport_set_string (&image->os_hash_algo, algorithm);
  _imgimport_set_string (&image->os_hash_value,
                         algorithm != NULL ? g_hash_table_lookup (digests, algorithm) : NULL);
  _imgimport_set_string (&image->checksum, g_hash_table_lookup (digests, "md5"));
}

static void
set_locations (const Activation *self, ImgImportTxn *txn, ImgImportImage *image, ImgImportJob *job)
{
  const char *store, *key, *version, *way, *why;
  GVariantIter iter;

  g_variant_iter_init (&iter, self->deliveries);
  while (g_variant_iter_next (&iter, "(&s&s&s&s&s)", &store, &key, &version, &way, &why))
    {
      _imgimport_image_add_location (image, store, key, version);
      _imgimport_txn_drop_object (txn, store, key);
      _imgimport_job_add_delivery (job, store, way, why);
    }
}

static void
set_store_lists (const Activation *self, ImgImportImage *image, ImgImportJob *job)
{
  GVariantIter iter;
  const char *store, *why;
  gsize i;

  for (i = 0; self->import->stores[i] != NULL; i++)
    _imgimport_image_merge_store_list (image, IMGIMPORT_PROPERTY_IMPORTING, self->import->stores[i],
                                       FALSE);
  g_variant_iter_init (&iter, self->failed);
  while (g_variant_iter_next (&iter, "(&s&s)", &store, &why))
    {
      g_autofree char *warning = g_strdup_printf ("not delivered: %s", why);

      _imgimport_image_merge_store_list (image, IMGIMPORT_PROPERTY_FAILED, store, TRUE);
      _imgimport_job_add_warning (job, warning);
    }
}

static gboolean
activate (ImgImportTxn *txn, gpointer data, GError **error)
{
  Activation *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);
  ImgImportImage *image = record->image;
  ImgImportJob *job = _imgimport_txn_job (txn)->job;
  g_autoptr (GBytes) outcome = NULL;

  /* Again, for formats may have been changed since the judge looked at them. */
  if (!_imgimport_import_judge (self->import, record, &image->virtual_size, error) ||
      !_imgimport_image_set_status (image, IMGIMPORT_ACTION_ACTIVATE, error))
    return FALSE;
  set_digests (self->import, image, record->staged.digests);
  image->size = record->staged.size;
  set_locations (self, txn, image, job);
  set_store_lists (self, image, job);
  _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, image->id, record->staged.key);
  _imgimport_staged_clear (&record->staged);
  if (record->original.key != NULL)
    _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, image->id, record->original.key);
  _imgimport_staged_clear (&record->original);
  _imgimport_image_clear_stage (image);

  outcome = imgimport_task_dup_outcome_record (self->task);
  _imgimport_txn_journal_append (txn, self->import->job_id, outcome);
  _imgimport_txn_image_changed (txn);
  _imgimport_txn_job_changed (txn);
  return TRUE;
}

static gboolean
execute_activate (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  Activation activation = {
    .import = import,
    .task = task,
    .deliveries = imgimport_task_get_input (task, IMGIMPORT_VALUE_DELIVERIES),
    .failed = imgimport_task_get_input (task, IMGIMPORT_VALUE_FAILED),
  };

  return _imgimport_import_enter (import, task, error) &&
         _imgimport_import_txn (import, TRUE, TRUE, activate, &activation, error);
}

const ImgImportTaskVTable _imgimport_task_activate = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute_activate,
};

/* ---- cleanup --------------------------------------------------------------------------------- */

/* Their note goes with the job's last commit: until then a crash finds it, and no bytes. */
static gboolean
remove_staged (ImgImportImport *self, const char *key, GError **error)
{
  if (!_imgimport_store_remove (self->service->staging, key, NULL, error))
    return FALSE;
  g_ptr_array_add (self->removed, g_strdup (key));
  return TRUE;
}

/* The staged bytes, those that filters made of them, and what stores that failed may have left.
 * What cannot be removed now stays noted, and a later start removes it. */
static gboolean
execute_cleanup (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  const char *key =
      g_variant_get_string (imgimport_task_get_input (task, IMGIMPORT_VALUE_SOURCE), NULL);
  const char *original =
      g_variant_get_string (imgimport_task_get_input (task, IMGIMPORT_VALUE_ORIGINAL), NULL);
  g_autofree char *warning = NULL;
  g_autoptr (GError) left = NULL;

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  remove_staged (import, key, &left);
  if (original[0] != '\0')
    remove_staged (import, original, left == NULL ? &left : NULL);
  _imgimport_objects_sweep (import->service, import->image_id, import->epoch,
                            left == NULL ? &left : NULL);
  if (left == NULL)
    warning = g_strdup ("");
  else
    warning = g_strdup_printf ("bytes are left to a later start: %s", left->message);
  imgimport_task_set_output (task, IMGIMPORT_VALUE_WARNING, g_variant_new_string (warning));
  return TRUE;
}

const ImgImportTaskVTable _imgimport_task_cleanup = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute_cleanup,
};

/* ---- complete -------------------------------------------------------------------------------- */

typedef struct
{
  ImgImportImport *import;
  const char *task;
  const char *warning;
  gboolean forgets; /* the job was not final before */
} Completion;

static gboolean
succeed (ImgImportTxn *txn, gpointer data, GError **error)
{
  Completion *self = data;
  ImgImportJob *job = _imgimport_txn_job (txn)->job;
  gint64 hours = self->import->service->config->task_time_to_live_hours;

  self->forgets = !imgimport_job_is_finished (job);
  if (!self->forgets)
    return TRUE;
  if (self->warning[0] != '\0')
    _imgimport_job_add_warning (job, self->warning);
  _imgimport_import_overlay (self->import, job);
  _imgimport_import_keep_tasks (self->import, job, self->task);
  if (!_imgimport_job_set_status (job, IMGIMPORT_JOB_SUCCESS, _imgimport_txn_now (txn),
                                  hours * 3600 * G_USEC_PER_SEC, error))
    return FALSE;
  _imgimport_txn_job_changed (txn);
  _imgimport_import_forget (self->import, txn);
  if (_imgimport_txn_image (txn) != NULL)
    {
      _imgimport_claim_clear (&_imgimport_txn_image (txn)->claim);
      _imgimport_txn_image_changed (txn);
    }
  return TRUE;
}

static gboolean
complete (Completion *self, GError **error)
{
  ImgImportImport *import = self->import;
  g_autoptr (GError) gone = NULL;

  if (_imgimport_import_txn (import, TRUE, FALSE, succeed, self, &gone))
    return TRUE;
  if (!_imgimport_claim_is_gone (gone))
    {
      g_propagate_error (error, g_steal_pointer (&gone));
      return FALSE;
    }
  /* The image was deleted as soon as it was active: the job has succeeded all the same. */
  return _imgimport_txn_run (import->service, NULL, import->job_id, FALSE, succeed, self, error);
}

static gboolean
execute_complete (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  Completion completion = {
    .import = import,
    .task = imgimport_task_get_name (task),
    .warning =
        g_variant_get_string (imgimport_task_get_input (task, IMGIMPORT_VALUE_WARNING), NULL),
  };

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  _imgimport_import_set_ending (import);
  if (!complete (&completion, error))
    return FALSE;
  import->is_forgotten = completion.forgets;
  return TRUE;
}

const ImgImportTaskVTable _imgimport_task_complete = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute_complete,
};
