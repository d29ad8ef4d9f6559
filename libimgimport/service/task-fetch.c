/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* fetch: a sealed object in staging, by what was staged or by the method's stream, and by what
 * filters make of it. */

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

/* ---- the publisher's digest ------------------------------------------------------------------ */

/* It is of what was staged or fetched, before any hook. */
static gboolean
check_digest (const ImgImportRequest *request, const char *found, GError **error)
{
  if (g_str_equal (found, request->digest_value))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch",
                        "the %s of the bytes is %s, expected_digest says %s", request->digest_name,
                        found, request->digest_value);
  return FALSE;
}

/* Reads what is staged, for no digest of that name was computed when it came. */
static gboolean
digest_staged (ImgImportImport *self, const ImgImportStaged *staged, ImgImportPassResult *result,
               GCancellable *cancellable, GError **error)
{
  ImgImportService *service = self->service;
  const char *const names[] = { self->request->digest_name, NULL };
  const ImgImportPassSpec spec = { .expected = staged->size,
                                   .limit = IMGIMPORT_SIZE_UNKNOWN,
                                   .digests = names,
                                   .threads = service->config->workers > 0,
                                   .clock = service->clock,
                                   .progress = _imgimport_import_progress,
                                   .progress_data = self };
  g_autoptr (ImgImportStoreReader) reader =
      _imgimport_store_open (service->staging, staged->key, cancellable, error);
  ImgImportObjectSource object = { reader, 0 };
  const ImgImportSource source = { _imgimport_object_source_read,
                                   _imgimport_object_source_next_extent, &object };
  g_autoptr (ImgImportPass) pass = NULL;

  if (reader == NULL)
    return FALSE;
  _imgimport_import_set_total (self, staged->size);
  pass = _imgimport_pass_new (&spec, cancellable, error);
  return pass != NULL && _imgimport_pass_pull_sparse (pass, &source, cancellable, error) &&
         _imgimport_pass_finish (pass, result, cancellable, error);
}

static gboolean
verify_staged (ImgImportImport *self, const ImgImportStaged *staged, GCancellable *cancellable,
               GError **error)
{
  const char *name = self->request->digest_name;
  g_auto (ImgImportPassResult) result = { 0 };
  const char *found = NULL;

  if (name == NULL)
    return TRUE;
  found = g_hash_table_lookup (staged->digests, name);
  if (found == NULL)
    {
      if (!digest_staged (self, staged, &result, cancellable, error))
        return FALSE;
      found = g_hash_table_lookup (result.digests, name);
    }
  return check_digest (self->request, found, error);
}

/* ---- the bytes ------------------------------------------------------------------------------- */

/* Where bytes come from, counted before any filter sees them. */
typedef struct
{
  ImgImportSourceFunc read;
  gpointer source;
  guint64 expected; /* as in ImgImportPassSpec */
  guint64 limit;
  guint64 supplied;
  ImgImportDigest *digest; /* of what was supplied, to be compared; NULL: none */
  const ImgImportRequest *request;
} Supply;

static gboolean
check_supply (const Supply *self, gboolean at_end, GError **error)
{
  if (self->expected != IMGIMPORT_SIZE_UNKNOWN &&
      (self->supplied > self->expected || (at_end && self->supplied < self->expected)))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch",
                            "%s bytes than the %" G_GUINT64_FORMAT " expected",
                            at_end ? "fewer" : "more", self->expected);
      return FALSE;
    }
  if (self->supplied <= self->limit)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "image-size-cap",
                        "more bytes than the %" G_GUINT64_FORMAT " that image_size_cap allows",
                        self->limit);
  return FALSE;
}

/* The end, where `length` is 0, comes once. */
static gboolean
digest_supply (const Supply *self, const void *data, gsize length, GError **error)
{
  g_autofree char *found = NULL;

  if (self->digest == NULL)
    return TRUE;
  if (length > 0)
    return _imgimport_digest_update (self->digest, data, length, error);
  found = _imgimport_digest_finish (self->digest, error);
  return found != NULL && check_digest (self->request, found, error);
}

static gboolean
read_supply (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
             GError **error)
{
  Supply *self = source;

  if (!self->read (self->source, buffer, length, n_read, cancellable, error))
    return FALSE;
  self->supplied += *n_read;
  return check_supply (self, *n_read == 0, error) && digest_supply (self, buffer, *n_read, error);
}

static gboolean
read_stream (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
             GError **error)
{
  return _imgimport_method_stream_read (source, buffer, length, n_read, cancellable, error);
}

/* ---- into a new object ----------------------------------------------------------------------- */

typedef struct
{
  ImgImportImport *import;
  ImgImportFilters *filters;
  const char *key;
  char **digests;
  guint64 expected; /* bytes that the filters answer, where known */
  ImgImportPassResult result;
} Fetch;

static void
fetch_clear (Fetch *self)
{
  g_clear_pointer (&self->filters, _imgimport_filters_close);
  g_strfreev (self->digests);
  _imgimport_pass_result_clear (&self->result);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fetch, fetch_clear)

static gboolean
note (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Fetch *self = data;

  _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, self->import->image_id, self->key);
  return TRUE;
}

static gboolean
seal (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Fetch *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  if (record->staged.key != NULL)
    _imgimport_record_keep_original (record);
  _imgimport_record_set_staged (record, self->key, &self->result);
  record->image->size = self->result.size;
  _imgimport_txn_drop_object (txn, IMGIMPORT_STAGING_ID, self->key);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

static gboolean
run_pass (Fetch *self, GCancellable *cancellable, GError **error)
{
  ImgImportService *service = self->import->service;
  const ImgImportSinkSpec sink = { .store = service->staging, .key = self->key };
  const ImgImportPassSpec spec = { .expected = self->expected,
                                   .limit = service->config->image_size_cap,
                                   .limit_name = "image_size_cap",
                                   .digests = (const char *const *)self->digests,
                                   .inspect = TRUE,
                                   .threads = service->config->workers > 0,
                                   .busy_source = _imgimport_filters_are_needed (self->filters),
                                   .sinks = &sink,
                                   .n_sinks = 1,
                                   .clock = service->clock,
                                   .progress = _imgimport_import_progress,
                                   .progress_data = self->import };
  g_autoptr (ImgImportPass) pass = NULL;

  _imgimport_import_set_total (self->import, spec.expected);
  pass = _imgimport_pass_new (&spec, cancellable, error);
  return pass != NULL &&
         _imgimport_pass_pull (pass, _imgimport_filters_read, self->filters, cancellable, error) &&
         _imgimport_pass_finish (pass, &self->result, cancellable, error);
}

static gboolean
fetch (Fetch *self, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = self->import;

  return _imgimport_import_txn (import, FALSE, TRUE, note, self, error) &&
         run_pass (self, cancellable, error) &&
         _imgimport_service_check_empty (import->service, import->image_id, self->result.size,
                                         error) &&
         _imgimport_import_txn (import, FALSE, TRUE, seal, self, error);
}

/* ---- the task -------------------------------------------------------------------------------- */

typedef struct
{
  ImgImportImport *import;
  ImgImportImageRecord *record;
  ImgImportCall *call;
  ImgImportMethodStream *stream; /* NULL: what is staged */
  ImgImportStoreReader *reader;  /* of what is staged */
  ImgImportDigest *digest;       /* of the method's stream; NULL: none is expected */
  char *key;                     /* of the object that is made */
} Execution;

static void
execution_clear (Execution *self)
{
  g_clear_pointer (&self->stream, _imgimport_method_stream_close);
  g_clear_pointer (&self->reader, _imgimport_store_reader_close);
  g_clear_pointer (&self->digest, _imgimport_digest_free);
  g_clear_pointer (&self->call, _imgimport_call_free);
  g_clear_pointer (&self->record, _imgimport_image_record_free);
  g_free (self->key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Execution, execution_clear)

/* What bytes there are, of the method or staged; nothing is read that no filter wants to see. */
static gboolean
open_source (Execution *self, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = self->import;

  self->record = _imgimport_import_load (import, error);
  if (self->record == NULL)
    return FALSE;
  self->call = _imgimport_import_call (import, self->record);
  if (!_imgimport_method_open (import->method, self->call, &self->stream, cancellable, error))
    return FALSE;
  if (self->stream != NULL && import->request->digest_name == NULL)
    return TRUE;
  if (self->stream != NULL)
    {
      self->digest = _imgimport_digest_new (import->request->digest_name, error);
      return self->digest != NULL;
    }
  if (!check_staged (import, &self->record->staged, cancellable, error) ||
      !verify_staged (import, &self->record->staged, cancellable, error))
    return FALSE;
  if (!_imgimport_filters_are_possible (import))
    return TRUE;
  self->reader = _imgimport_store_open (import->service->staging, self->record->staged.key,
                                        cancellable, error);
  return self->reader != NULL;
}

/* `*made` tells whether an object was. */
static gboolean
make_object (Execution *self, gboolean *made, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = self->import;
  ImgImportObjectSource object = { self->reader, 0 };
  Supply supply = {
    self->stream != NULL ? read_stream : _imgimport_object_source_read,
    self->stream != NULL ? (gpointer)self->stream : &object,
    self->stream != NULL ? _imgimport_method_stream_get_size (self->stream)
                         : self->record->staged.size,
    self->stream != NULL ? import->service->config->image_size_cap : IMGIMPORT_SIZE_UNKNOWN,
    0,
    self->digest,
    import->request,
  };
  g_auto (Fetch) data = { .import = import, .key = self->key };

  *made = FALSE;
  if (self->stream == NULL && self->reader == NULL)
    return TRUE;
  data.filters =
      _imgimport_filters_open (import, self->call, read_supply, &supply, cancellable, error);
  if (data.filters == NULL)
    return FALSE;
  *made = self->stream != NULL || _imgimport_filters_are_needed (data.filters);
  if (!*made)
    return TRUE;
  data.digests = _imgimport_service_digests (import->service, self->record->image);
  data.expected =
      _imgimport_filters_are_needed (data.filters) ? IMGIMPORT_SIZE_UNKNOWN : supply.expected;
  return fetch (&data, cancellable, error);
}

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  g_auto (Execution) execution = {
    .import = import,
    .key = _imgimport_object_key (import->image_id, import->epoch, 0),
  };
  const char *staged = NULL;
  gboolean made = FALSE;

  if (!_imgimport_import_enter (import, task, error) ||
      !open_source (&execution, cancellable, error) ||
      !make_object (&execution, &made, cancellable, error))
    return FALSE;

  staged = execution.record->staged.key;
  imgimport_task_set_output (task, IMGIMPORT_VALUE_SOURCE,
                             g_variant_new_string (made ? execution.key : staged));
  imgimport_task_set_output (task, IMGIMPORT_VALUE_ORIGINAL,
                             g_variant_new_string (made && staged != NULL ? staged : ""));
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
  if (record->original.key != NULL)
    {
      _imgimport_record_restore_original (txn);
      return TRUE;
    }
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
