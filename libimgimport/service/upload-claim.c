/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an upload commits. The order keeps every crash recoverable: the claim and the note come
 * before the first byte; the note goes in the commit that seals, or after the bytes are gone.
 */

#include "service/upload-private.h"

static gboolean
check_claim (const ImgImportUpload *self, const ImgImportImageRecord *record, GError **error)
{
  if (record->claim.kind == IMGIMPORT_CLAIM_UPLOAD && record->claim.epoch == self->epoch)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "claim-lost",
                        "image %s: the upload was ended by somebody else", self->image_id);
  return FALSE;
}

/* What the configuration says of an upload, whatever the image. */
static gboolean
check_allowed (const ImgImportUpload *self, GError **error)
{
  ImgImportService *service = self->service;
  guint64 cap = service->config->image_size_cap;
  guint i;

  if (self->expected != IMGIMPORT_SIZE_UNKNOWN && self->expected > cap)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "image-size-cap",
                            "image %s: %" G_GUINT64_FORMAT
                            " bytes are more than image_size_cap allows: %" G_GUINT64_FORMAT,
                            self->image_id, self->expected, cap);
      return FALSE;
    }
  for (i = 0; i < _imgimport_registry_get_size (service->methods); i++)
    if (_imgimport_method_get_required_status (_imgimport_registry_get (service->methods, i)) ==
        IMGIMPORT_STATUS_UPLOADING)
      return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "method-disabled",
                        "image %s: nothing can be staged, as no enabled method, such as "
                        "glance-direct, would import it",
                        self->image_id);
  return FALSE;
}

typedef struct
{
  ImgImportUpload *upload;
  ImgImportContext *context;
  char **digests;
  char *holder;
} Claim;

static gboolean
claim (ImgImportTxn *txn, gpointer data, GError **error)
{
  Claim *begin = data;
  ImgImportUpload *self = begin->upload;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);
  ImgImportImage *image = record->image;

  if (!_imgimport_access_modify (image, begin->context, error) || !check_allowed (self, error))
    return FALSE;
  _imgimport_claim_note_holder (record, &begin->holder);
  if (!_imgimport_image_set_status (image, IMGIMPORT_ACTION_STAGE, error) ||
      !_imgimport_claim_require_free (record, error))
    return FALSE;

  self->epoch = ++record->epoch;
  g_free (self->key);
  self->key = _imgimport_object_key (self->image_id, self->epoch, 0);
  record->claim.kind = IMGIMPORT_CLAIM_UPLOAD;
  record->claim.owner = g_strdup (self->service->owner);
  record->claim.epoch = self->epoch;
  image->stage =
      (ImgImportStage){ IMGIMPORT_STAGE_RECEIVING, 0, self->expected, _imgimport_txn_now (txn) };
  g_strfreev (begin->digests);
  begin->digests = _imgimport_service_digests (self->service, image);
  _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, self->image_id, self->key);
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

gboolean
_imgimport_upload_claim (ImgImportUpload *self, ImgImportContext *context, char ***digests,
                         GError **error)
{
  Claim begin = { self, context, NULL, NULL };
  const ImgImportTxnSpec spec = { .image_id = self->image_id,
                                  .durable = TRUE,
                                  .known = &self->known };
  gboolean ok = _imgimport_claim_run (self->service, &spec, claim, &begin, &begin.holder, error);

  if (!ok)
    g_clear_pointer (&self->key, g_free);
  *digests = begin.digests;
  g_free (begin.holder);
  return ok;
}

/* A seal whose commit was said to have failed may stand all the same; the caller has been told that
 * it does not. */
static gboolean
give_back (ImgImportTxn *txn, gpointer data, GError **error)
{
  const ImgImportUpload *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);
  gboolean is_sealed = g_strcmp0 (record->staged.key, self->key) == 0;

  if (is_sealed ? !_imgimport_claim_require_free (record, error)
                : !check_claim (self, record, error))
    return FALSE;
  if (is_sealed)
    _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, self->image_id, self->key);
  return _imgimport_record_unstage (txn, error);
}

gboolean
_imgimport_upload_give_back (ImgImportUpload *self, GError **error)
{
  return _imgimport_txn_run (self->service, self->image_id, NULL, FALSE, give_back, self, error);
}

typedef struct
{
  ImgImportUpload *upload;
  guint64 bytes;
} Tell;

static gboolean
tell (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Tell *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  if (!check_claim (self->upload, record, error))
    return FALSE;
  record->image->stage.bytes = self->bytes;
  _imgimport_txn_image_changed (txn);
  return TRUE;
}

gboolean
_imgimport_upload_tell (ImgImportUpload *self, guint64 bytes, GError **error)
{
  Tell data = { self, bytes };
  const ImgImportTxnSpec spec = { .image_id = self->image_id, .known = &self->known };

  return _imgimport_txn_run_spec (self->service, &spec, tell, &data, error);
}

typedef struct
{
  ImgImportUpload *upload;
  const ImgImportPassResult *result;
  ImgImportImage *image; /* the answer */
} Seal;

static gboolean
seal (ImgImportTxn *txn, gpointer data, GError **error)
{
  Seal *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  if (!check_claim (self->upload, record, error))
    return FALSE;
  _imgimport_claim_clear (&record->claim);
  _imgimport_record_set_staged (record, self->upload->key, self->result);
  record->image->size = self->result->size;
  record->image->stage.state = IMGIMPORT_STAGE_SEALED;
  record->image->stage.bytes = self->result->size;
  _imgimport_txn_drop_object (txn, IMGIMPORT_STAGING_ID, self->upload->key);
  _imgimport_txn_image_changed (txn);
  g_clear_object (&self->image);
  self->image = _imgimport_image_copy (record->image);
  return TRUE;
}

ImgImportImage *
_imgimport_upload_seal (ImgImportUpload *self, const ImgImportPassResult *result, GError **error)
{
  Seal data = { self, result, NULL };
  const ImgImportTxnSpec spec = { .image_id = self->image_id,
                                  .durable = TRUE,
                                  .known = &self->known };

  if (!_imgimport_txn_run_spec (self->service, &spec, seal, &data, error))
    {
      g_clear_object (&data.image);
      return NULL;
    }
  _imgimport_recent_give (self->service->recent, g_steal_pointer (&self->known.image));
  return data.image;
}
