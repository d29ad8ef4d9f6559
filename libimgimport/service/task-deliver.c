/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* deliver: the sealed object into every store, without reading it where a store can adopt it. */

#include "service/import-private.h"

/* One store's copy. */
typedef struct
{
  ImgImportStore *store; /* borrowed */
  char *key;
  char *version;   /* NULL until delivered */
  const char *way; /* static */
  char *why;       /* why it was not a better way; may be NULL */
  GError *error;   /* set where the store failed */
} Copy;

typedef struct
{
  ImgImportImport *import;
  Copy *copies;
  guint n_copies;
  const ImgImportStaged *staged;
  GHashTable *digests; /* of what is read, to be compared; NULL: none */
  GCancellable *cancellable;
} Delivery;

static void
delivery_clear (Delivery *self)
{
  guint i;

  for (i = 0; i < self->n_copies; i++)
    {
      g_free (self->copies[i].key);
      g_free (self->copies[i].version);
      g_free (self->copies[i].why);
      g_clear_error (&self->copies[i].error);
    }
  g_free (self->copies);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Delivery, delivery_clear)

static gboolean
name_copies (Delivery *self, GError **error)
{
  ImgImportImport *import = self->import;
  guint i;

  self->n_copies = g_strv_length (import->stores);
  self->copies = g_new0 (Copy, self->n_copies);
  for (i = 0; i < self->n_copies; i++)
    {
      self->copies[i].store = _imgimport_service_store (import->service, import->stores[i], error);
      if (self->copies[i].store == NULL)
        return FALSE;
      self->copies[i].key = _imgimport_object_key (import->image_id, import->epoch, i + 1);
    }
  return TRUE;
}

static gboolean
note_copies (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Delivery *self = data;
  guint i;

  for (i = 0; i < self->n_copies; i++)
    _imgimport_txn_note_object (txn, self->import->stores[i], self->import->image_id,
                                self->copies[i].key);
  return TRUE;
}

/* A copy that failed: the end of the import, or this store's own verdict. Takes `cause`. */
static gboolean
refuse_copy (Delivery *self, Copy *copy, GError *cause, GError **error)
{
  if (imgimport_error_is_cancelled (cause))
    {
      g_propagate_error (error, cause);
      return FALSE;
    }
  copy->error = cause;
  if (!self->import->request->must_succeed)
    return TRUE;
  g_propagate_error (error, g_error_copy (cause));
  return FALSE;
}

/* ---- adoption -------------------------------------------------------------------------------- */

static gboolean
is_open (const Copy *copy)
{
  return copy->version == NULL && copy->error == NULL;
}

static void
add_why (Copy *copy, const char *why)
{
  char *all = copy->why != NULL ? g_strconcat (copy->why, "; ", why, NULL) : g_strdup (why);

  g_free (copy->why);
  copy->why = all;
}

/* By a way that costs no more than `worst`. */
static gboolean
adopt (Delivery *self, Copy *copy, int fd, ImgImportAdoption worst, GError **error)
{
  GError *cause = NULL;
  ImgImportAdoption adoption = worst;

  if (_imgimport_store_adopt (copy->store, copy->key, fd, self->staged->size, &copy->version,
                              &adoption, self->cancellable, &cause))
    {
      copy->way = _imgimport_adoption_to_string (adoption);
      return TRUE;
    }
  if (g_error_matches (cause, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_SUPPORTED))
    {
      if (copy->why == NULL || strstr (copy->why, cause->message) == NULL)
        add_why (copy, cause->message);
      g_error_free (cause);
      return TRUE;
    }
  return refuse_copy (self, copy, cause, error);
}

static guint
count_open (const Delivery *self)
{
  guint i, n = 0;

  for (i = 0; i < self->n_copies; i++)
    n += is_open (&self->copies[i]) ? 1 : 0;
  return n;
}

static void
add_why_to_open (Delivery *self, const char *why)
{
  guint i;

  for (i = 0; i < self->n_copies; i++)
    if (is_open (&self->copies[i]))
      add_why (&self->copies[i], why);
}

/* Each store what costs it nothing. A copy by the kernel reads all bytes, hence is for one store: a
 * pass reads them once for several. */
static gboolean
adopt_all (Delivery *self, ImgImportStoreReader *reader, GError **error)
{
  int fd = _imgimport_store_reader_local_fd (reader);
  guint way, i;

  if (self->import->service->config->verify_on_delivery || fd < 0)
    {
      add_why_to_open (self, fd < 0 ? "staging has no local file" : "verify_on_delivery is on");
      return TRUE;
    }
  for (way = IMGIMPORT_ADOPTED_BY_LINK; way <= IMGIMPORT_ADOPTED_BY_COPY; way++)
    {
      if (way == IMGIMPORT_ADOPTED_BY_COPY && count_open (self) > 1)
        {
          add_why_to_open (self, "one pass serves several stores");
          return TRUE;
        }
      for (i = 0; i < self->n_copies; i++)
        if (is_open (&self->copies[i]) &&
            !adopt (self, &self->copies[i], fd, (ImgImportAdoption)way, error))
          return FALSE;
    }
  return TRUE;
}

/* ---- one pass for the rest ------------------------------------------------------------------- */

static gboolean
run_pass (Delivery *self, ImgImportStoreReader *reader, const ImgImportSinkSpec *sinks,
          guint n_sinks, ImgImportPassResult *result, GError **error)
{
  ImgImportService *service = self->import->service;
  ImgImportObjectSource object = { reader, 0 };
  const ImgImportSource source = { _imgimport_object_source_read,
                                   _imgimport_object_source_next_extent, &object };
  const ImgImportPassSpec spec = { .expected = self->staged->size,
                                   .limit = IMGIMPORT_SIZE_UNKNOWN,
                                   .verify = self->digests,
                                   .threads = service->config->workers > 0,
                                   .sinks = sinks,
                                   .n_sinks = n_sinks,
                                   .clock = service->clock,
                                   .progress = _imgimport_import_progress,
                                   .progress_data = self->import };
  g_autoptr (ImgImportPass) pass = _imgimport_pass_new (&spec, self->cancellable, error);

  return pass != NULL && _imgimport_pass_pull_sparse (pass, &source, self->cancellable, error) &&
         _imgimport_pass_finish (pass, result, self->cancellable, error);
}

/* Whether the pass failed by nothing but its stores, each of which may. */
static gboolean
all_failed (const Delivery *self, Copy *const *copies, guint n)
{
  guint i;

  for (i = 0; i < n; i++)
    if (copies[i]->error == NULL)
      return FALSE;
  return !self->import->request->must_succeed;
}

static gboolean
stream_rest (Delivery *self, ImgImportStoreReader *reader, GError **error)
{
  g_autofree ImgImportSinkSpec *sinks = g_new0 (ImgImportSinkSpec, self->n_copies);
  g_autofree Copy **copies = g_new0 (Copy *, self->n_copies);
  g_auto (ImgImportPassResult) result = { 0 };
  GError *cause = NULL;
  guint i, n = 0;

  for (i = 0; i < self->n_copies; i++)
    {
      Copy *copy = &self->copies[i];

      if (!is_open (copy))
        continue;
      sinks[n] = (ImgImportSinkSpec){ copy->store, copy->key, !self->import->request->must_succeed,
                                      &copy->error };
      copies[n++] = copy;
    }
  if (n == 0)
    return TRUE;
  if (!run_pass (self, reader, sinks, n, &result, &cause))
    {
      if (!all_failed (self, copies, n))
        {
          if (!imgimport_error_is_cancelled (cause))
            _imgimport_error_prefix (&cause, "image %s", self->import->image_id);
          g_propagate_error (error, cause);
          return FALSE;
        }
      g_error_free (cause);
      return TRUE;
    }
  for (i = 0; i < n; i++)
    {
      copies[i]->version = g_steal_pointer (&result.sinks[i].version);
      copies[i]->way = "stream";
    }
  return TRUE;
}

/* ---- the task -------------------------------------------------------------------------------- */

/* At least one copy must be there; what failed is told in the job. */
static gboolean
answer (Delivery *self, ImgImportTask *task, GError **error)
{
  g_autoptr (GVariantBuilder) done = g_variant_builder_new (IMGIMPORT_TYPE_DELIVERIES);
  g_autoptr (GVariantBuilder) failed = g_variant_builder_new (IMGIMPORT_TYPE_FAILED);
  guint i, n_done = 0;

  for (i = 0; i < self->n_copies; i++)
    {
      const Copy *copy = &self->copies[i];
      const char *store = _imgimport_store_get_id (copy->store);

      if (copy->error != NULL)
        {
          _imgimport_log (self->import->service->log, G_LOG_LEVEL_WARNING,
                          "image %s: not delivered: %s", self->import->image_id,
                          copy->error->message);
          g_variant_builder_add (failed, "(ss)", store, copy->error->message);
          continue;
        }
      n_done++;
      g_variant_builder_add (done, "(sssss)", store, copy->key, copy->version, copy->way,
                             copy->why != NULL ? copy->why : "");
    }
  if (n_done == 0)
    {
      g_propagate_error (error, g_error_copy (self->copies[0].error));
      return FALSE;
    }
  imgimport_task_set_output (task, IMGIMPORT_VALUE_DELIVERIES, g_variant_builder_end (done));
  imgimport_task_set_output (task, IMGIMPORT_VALUE_FAILED, g_variant_builder_end (failed));
  return TRUE;
}

/* Afterwards, so that no change while it was read goes unseen. */
static gboolean
check_sealed (const Delivery *self, const char *key, GError **error)
{
  ImgImportImport *import = self->import;
  g_autofree char *version = NULL;

  if (!_imgimport_store_stat (import->service->staging, key, NULL, &version, self->cancellable,
                              error))
    return FALSE;
  if (g_str_equal (version, self->staged->version))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "staging-changed",
                        "image %s: the staged object is not the one that was sealed",
                        import->image_id);
  return FALSE;
}

static gboolean
deliver (Delivery *self, const char *key, GError **error)
{
  ImgImportService *service = self->import->service;
  g_autoptr (ImgImportStoreReader) reader = NULL;

  if (!name_copies (self, error) ||
      !_imgimport_import_txn (self->import, FALSE, TRUE, note_copies, self, error))
    return FALSE;
  reader = _imgimport_store_open (service->staging, key, self->cancellable, error);
  return reader != NULL && adopt_all (self, reader, error) && stream_rest (self, reader, error) &&
         check_sealed (self, key, error);
}

/* A store that only lost its copy with those of others has not failed (E14). */
static void
tell_failed_stores (const Delivery *self)
{
  guint i;

  for (i = 0; i < self->n_copies; i++)
    if (self->copies[i].error != NULL)
      _imgimport_import_add_failed_store (self->import,
                                          _imgimport_store_get_id (self->copies[i].store));
}

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;
  const char *key =
      g_variant_get_string (imgimport_task_get_input (task, IMGIMPORT_VALUE_SOURCE), NULL);
  g_auto (Delivery) delivery = { .import = import, .cancellable = cancellable };
  g_autoptr (ImgImportImageRecord) record = NULL;

  if (!_imgimport_import_enter (import, task, error))
    return FALSE;
  record = _imgimport_import_load (import, error);
  if (record == NULL)
    return FALSE;
  delivery.staged = &record->staged;
  if (import->service->config->verify_on_delivery)
    delivery.digests = record->staged.digests;
  _imgimport_import_set_total (import, record->staged.size);
  if (deliver (&delivery, key, error) && answer (&delivery, task, error))
    return TRUE;
  tell_failed_stores (&delivery);
  return FALSE;
}

static gboolean
revert (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  ImgImportImport *import = ((ImgImportImportTask *)self)->import;

  return _imgimport_objects_sweep (import->service, import->image_id, import->epoch, error);
}

const ImgImportTaskVTable _imgimport_task_deliver = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = execute,
  .revert = revert,
};
