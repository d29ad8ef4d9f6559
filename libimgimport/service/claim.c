/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/txn.h"

/* How long a call waits for a job that it could not know of; longer than most take to end. */
#define END_WAIT_MS 2000

void
_imgimport_claim_note_holder (const ImgImportImageRecord *record, char **holder)
{
  _imgimport_set_string (holder, record->claim.owner);
}

gboolean
_imgimport_claim_require_free (const ImgImportImageRecord *record, GError **error)
{
  static const char *const words[] = { "nothing", "an upload", "an import" };

  if (record->claim.kind == IMGIMPORT_CLAIM_NONE)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_BUSY, "image-claimed", "image %s is held by %s",
                        record->image->id, words[record->claim.kind]);
  return FALSE;
}

gboolean
_imgimport_claim_is_gone (const GError *error)
{
  return g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND) ||
         g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
}

/* An import of this service that could not be ended holds the image: that is tried again. Whether
 * it was. Its run may have to wait for a thread of the engine, which others may keep for hours. */
static gboolean
end_stalled (ImgImportService *service, const char *image_id)
{
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (service, image_id, NULL);
  g_autoptr (ImgImportImport) import = NULL;
  const char *job = record != NULL ? record->claim.job : NULL;
  g_autofree char *why = NULL;

  if (job != NULL)
    why = _imgimport_service_dup_stall (service, job);
  if (why == NULL || !_imgimport_service_resume_job (service, job))
    return FALSE;
  import = _imgimport_service_find_import (service, job);
  if (import != NULL)
    imgimport_run_wait (_imgimport_import_get_run (import), END_WAIT_MS);
  return TRUE;
}

gboolean
_imgimport_claim_run (ImgImportService *service, const ImgImportTxnSpec *spec,
                      ImgImportTxnFunc func, gpointer data, char **holder, GError **error)
{
  g_autoptr (GError) refusal = NULL;
  gboolean recovered = FALSE;

  if (_imgimport_txn_run_spec (service, spec, func, data, &refusal))
    return TRUE;
  if (*holder != NULL && !_imgimport_service_recover_owner (service, *holder, &recovered, error))
    return FALSE;
  if (recovered || (*holder != NULL && end_stalled (service, spec->image_id)))
    return _imgimport_txn_run_spec (service, spec, func, data, error);
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

gboolean
_imgimport_record_unstage (ImgImportTxn *txn, GError **error)
{
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  if (!_imgimport_image_set_status (record->image, IMGIMPORT_ACTION_UNSTAGE, error))
    return FALSE;
  _imgimport_image_clear_stage (record->image);
  _imgimport_staged_clear (&record->staged);
  _imgimport_claim_clear (&record->claim);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

void
_imgimport_record_set_staged (ImgImportImageRecord *self, const char *key,
                              const ImgImportPassResult *result)
{
  _imgimport_staged_clear (&self->staged);
  self->staged.key = g_strdup (key);
  self->staged.version = g_strdup (result->sinks[0].version);
  self->staged.size = result->size;
  self->staged.digests = g_hash_table_ref (result->digests);
  self->staged.facts = _imgimport_facts_copy (result->facts);
}
