/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* fetch: a sealed object in staging, by what was staged or by the method's stream. */

#include "service/import-private.h"

static gboolean
check_staged (ImgImportImport *self, const ImgImportStaged *staged, GCancellable *cancellable,
              GError **error)
{
  g_autofree char *version = NULL;
  guint64 size = 0;

  if (!_imgimport_store_stat (self->service->staging, staged->key, &size, &version, cancellable,
                              error))
    return FALSE;
  if (size == staged->size && g_str_equal (version, staged->version))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "staging-changed",
                        "image %s: the staged object is not the one that was sealed",
                        self->image_id);
  return FALSE;
}

/* ---- from a stream --------------------------------------------------------------------------- */

typedef struct
{
  ImgImportImport *import;
  const char *key;
  const ImgImportPassResult *result;
} Fetched;

static gboolean
note (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Fetched *self = data;

  _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, self->import->image_id, self->key);
  return TRUE;
}

static gboolean
seal (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Fetched *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  _imgimport_record_set_staged (record, self->key, self->result);
  record->image->size = self->result->size;
  _imgimport_txn_drop_object (txn, IMGIMPORT_STAGING_ID, self->key);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static gboolean
read_stream (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
             GError **error)
{
  return _imgimport_method_stream_read (source, buffer, length, n_read, cancellable, error);
}

static gboolean
run_pass (ImgImportImport *self, ImgImportMethodStream *stream, const Fetched *fetched,
          const char *const *digests, ImgImportPassResult *result, GCancellable *cancellable,
          GError **error)
{
  ImgImportService *service = self->service;
  const ImgImportSinkSpec sink = { .store = service->staging, .key = fetched->key };
  const ImgImportPassSpec spec = { .expected = _imgimport_method_stream_get_size (stream),
                                   .limit = service->config->image_size_cap,
                                   .limit_name = "image_size_cap",
                                   .digests = digests,
                                   .inspect = TRUE,
                                   .threads = service->config->workers > 0,
                                   .sinks = &sink,
                                   .n_sinks = 1,
                                   .clock = service->clock,
                                   .progress = _imgimport_import_progress,
                                   .progress_data = self };
  g_autoptr (ImgImportPass) pass = NULL;

  _imgimport_import_set_total (self, spec.expected);
  pass = _imgimport_pass_new (&spec, cancellable, error);
  return pass != NULL && _imgimport_pass_pull (pass, read_stream, stream, cancellable, error) &&
         _imgimport_pass_finish (pass, result, cancellable, error);
}

static gboolean
fetch_stream (ImgImportImport *self, ImgImportMethodStream *stream, ImgImportImage *image,
              const char *key, GCancellable *cancellable, GError **error)
{
  g_auto (ImgImportPassResult) result = { 0 };
  g_auto (GStrv) digests = _imgimport_service_digests (self->service, image);
  Fetched fetched = { self, key, &result };

  /* What an earlier attempt of a process that died may have left under this key. */
  if (!_imgimport_objects_sweep (self->service, self->image_id, self->epoch, error) ||
      !_imgimport_import_txn (self, FALSE, TRUE, note, &fetched, error) ||
      !run_pass (self, stream, &fetched, (const char *const *)digests, &result, cancellable,
                 error) ||
      !_imgimport_service_check_empty (self->service, self->image_id, result.size, error))
    return FALSE;
  return _imgimport_import_txn (self, FALSE, TRUE, seal, &fetched, error);
}

/* ---- the task -------------------------------------------------------------------------------- */

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  g_autoptr (ImgImportImageRecord) record = NULL;
  g_autoptr (ImgImportCall) call = NULL;
  g_autoptr (ImgImportMethodStream) stream = NULL;
  g_autofree char *key = _imgimport_object_key (import->image_id, import->epoch, 0);

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  record = _imgimport_import_load (import, error);
  if (record == NULL)
    return FALSE;
  call = _imgimport_import_call (import, record);
  if (!_imgimport_method_open (import->method, call, &stream, cancellable, error))
    return FALSE;

  if (stream == NULL)
    {
      g_free (key);
      key = g_strdup (record->staged.key);
      if (!check_staged (import, &record->staged, cancellable, error))
        return FALSE;
    }
  else if (!fetch_stream (import, stream, record->image, key, cancellable, error))
    return FALSE;
  imgimport_task_set_output (task, IMGIMPORT_VALUE_SOURCE, g_variant_new_string (key));
  return TRUE;
}

/* What this attempt put into staging is nobody's any more. */
static gboolean
disown (ImgImportTxn *txn, gpointer data, GError **error)
{
  ImgImportImport *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);
  g_autofree char *key = _imgimport_object_key (self->image_id, self->epoch, 0);

  if (g_strcmp0 (record->staged.key, key) != 0)
    return TRUE;
  _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, self->image_id, key);
  _imgimport_staged_clear (&record->staged);
  record->image->size = IMGIMPORT_SIZE_UNKNOWN;
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static gboolean
revert (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;

  return _imgimport_import_undo (import, disown, import, error) &&
         _imgimport_objects_sweep (import->service, import->image_id, import->epoch, error);
}

const ImgImportTaskVTable _imgimport_task_fetch = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute,
  .revert = revert,
};
