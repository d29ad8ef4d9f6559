/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accepting an import: every refusal in Glance's order (F051), then one commit of job and claim. */

#include "service/import-private.h"

typedef struct
{
  ImgImportService *service;
  ImgImportContext *context;
  ImgImportRequest *request;
  ImgImportMethod *method;
  char **stores;
  char *job_id;
  char *holder;
  ImgImportKnown known; /* image and job as they were committed */
} Accept;

static void
accept_clear (Accept *self)
{
  g_clear_pointer (&self->request, _imgimport_request_free);
  g_strfreev (self->stores);
  g_free (self->job_id);
  g_free (self->holder);
  _imgimport_known_clear (&self->known);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Accept, accept_clear)

static gboolean
find_method (Accept *self, GError **error)
{
  const char *name = self->request->method;

  self->method = _imgimport_registry_lookup (self->service->methods, name);
  if (self->method != NULL)
    return TRUE;
  if (_imgimport_registry_lookup (self->service->known_methods, name) != NULL)
    _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "method-disabled",
                          "import method “%s” is not enabled in this configuration", name);
  else
    _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "method-unknown",
                          "there is no import method “%s”", name);
  return FALSE;
}

static gboolean
check_status (const Accept *self, const ImgImportImage *image, GError **error)
{
  ImgImportStatus required = _imgimport_method_get_required_status (self->method);
  g_autoptr (ImgImportImage) copy = NULL;

  if (image->status != required)
    {
      _imgimport_set_error (
          error, IMGIMPORT_ERROR_INVALID_STATE, "status-not-importable",
          "image %s is %s: method %s needs it to be %s%s", image->id,
          imgimport_status_to_string (image->status), self->request->method,
          imgimport_status_to_string (required),
          required == IMGIMPORT_STATUS_UPLOADING ? ", that is, its data to be staged first" : "");
      return FALSE;
    }
  copy = _imgimport_image_copy ((ImgImportImage *)image);
  return _imgimport_image_set_status (copy, IMGIMPORT_ACTION_IMPORT, error);
}

/* ---- stores ---------------------------------------------------------------------------------- */

static gboolean
check_stores (const Accept *self, GError **error)
{
  gsize i;

  for (i = 0; self->stores[i] != NULL; i++)
    if (_imgimport_registry_lookup (self->service->stores, self->stores[i]) == NULL)
      {
        _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "store-unknown",
                              "there is no store “%s”", self->stores[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
resolve_stores (Accept *self, GError **error)
{
  ImgImportRegistry *stores = self->service->stores;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint i;

  if (self->request->stores != NULL)
    self->stores = g_strdupv (self->request->stores);
  else
    {
      if (!self->request->all_stores)
        g_strv_builder_add (builder, self->service->default_store);
      for (i = 0; self->request->all_stores && i < _imgimport_registry_get_size (stores); i++)
        g_strv_builder_add (builder, _imgimport_registry_get_name (stores, i));
      self->stores = g_strv_builder_end (builder);
    }
  return check_stores (self, error);
}

/* ---- the commit ------------------------------------------------------------------------------ */

static gboolean
check_claim (const ImgImportImageRecord *record, GError **error)
{
  if (!_imgimport_claim_require_free (record, error))
    return FALSE;
  if (record->image->status != IMGIMPORT_STATUS_UPLOADING || record->staged.key != NULL)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "not-staged",
                        "image %s: its data is not staged completely", record->image->id);
  return FALSE;
}

static ImgImportJobRecord *
job_record_new (const Accept *self, const ImgImportImageRecord *image, gint64 now)
{
  g_autofree char *input = _imgimport_request_to_input (self->request, image->image->id,
                                                        (const char *const *)self->stores);
  ImgImportJobRecord *record = g_new0 (ImgImportJobRecord, 1);

  record->job = _imgimport_job_new (self->job_id, image->image->id, self->context, input, now);
  record->owner = g_strdup (self->service->owner);
  record->epoch = image->epoch;
  record->context = self->context != NULL ? g_object_ref (self->context) : NULL;
  return record;
}

static gboolean
accept_import (ImgImportTxn *txn, gpointer data, GError **error)
{
  Accept *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  g_clear_pointer (&self->stores, g_strfreev);
  if (!_imgimport_access_see (record->image, self->context, error))
    return FALSE;
  /* Before the status is looked at: an import that died has left a wrong one. */
  _imgimport_claim_note_holder (record, &self->holder);
  if (!check_status (self, record->image, error) ||
      !_imgimport_access_modify (record->image, self->context, error) ||
      !check_claim (record, error) || !resolve_stores (self, error) ||
      !_imgimport_method_check (self->method, self->request->text, error))
    return FALSE;

  record->claim.kind = IMGIMPORT_CLAIM_IMPORT;
  record->claim.owner = g_strdup (self->service->owner);
  record->claim.epoch = ++record->epoch;
  record->claim.job = g_strdup (self->job_id);
  record->claim.from = record->image->status;
  _imgimport_txn_image_changed (txn);
  _imgimport_txn_create_job (txn, job_record_new (self, record, _imgimport_txn_now (txn)));
  _imgimport_txn_note_run (txn, self->job_id);
  return TRUE;
}

/* A job that another service took over between its acceptance and here is under way all the same.
 */
static gboolean
start_import (Accept *self, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (ImgImportImport) import =
      _imgimport_import_start (self->service, &self->known, FALSE, &cause);

  if (import != NULL || strcmp (imgimport_error_get_reason (cause), "run-claimed") == 0)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

char *
imgimport_service_import_image (ImgImportService *self, ImgImportContext *context, const char *id,
                                const char *request, GError **error)
{
  g_auto (Accept) data = { .service = self, .context = context };
  ImgImportTxnSpec spec = { .image_id = id };
  g_autoptr (ImgImportUse) use = NULL;
  gboolean is_accepted;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  data.request = _imgimport_request_parse (request, error);
  if (data.request == NULL || !find_method (&data, error))
    return NULL;
  _imgimport_service_expire_jobs (self);
  data.job_id = g_uuid_string_random ();
  _imgimport_service_begin_starting (self);
  spec.known = &data.known;
  is_accepted = _imgimport_claim_run (self, &spec, accept_import, &data, &data.holder, error) &&
                start_import (&data, error);
  _imgimport_service_end_starting (self);
  return is_accepted ? g_steal_pointer (&data.job_id) : NULL;
}
