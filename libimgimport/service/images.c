/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/upload-private.h"

/* ---- one image ------------------------------------------------------------------------------- */

void
_imgimport_images_overlay (ImgImportService *self, ImgImportImage *image)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  guint i;

  if (image->stage.state != IMGIMPORT_STAGE_RECEIVING)
    return;
  locker = _imgimport_locker_new (&self->lock);
  for (i = 0; i < self->uploads->len; i++)
    {
      const ImgImportUpload *upload = self->uploads->pdata[i];

      if (g_str_equal (upload->image_id, image->id))
        image->stage.bytes = upload->bytes;
    }
}

ImgImportImageRecord *
_imgimport_images_load (ImgImportService *self, ImgImportContext *context, const char *id,
                        GError **error)
{
  g_autoptr (ImgImportImageRecord) record = _imgimport_image_record_load (self, id, error);

  if (record == NULL || !_imgimport_access_see (record->image, context, error))
    return NULL;
  _imgimport_images_overlay (self, record->image);
  return g_steal_pointer (&record);
}

ImgImportImage *
imgimport_service_get_image (ImgImportService *self, ImgImportContext *context, const char *id,
                             GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportImageRecord) record = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  record = _imgimport_images_load (self, context, id, error);
  return record != NULL ? g_steal_pointer (&record->image) : NULL;
}

/* ---- create ---------------------------------------------------------------------------------- */

static gboolean
put_new (ImgImportTxn *txn, gpointer data, GError **error)
{
  ImgImportImageRecord *record = g_new0 (ImgImportImageRecord, 1);

  record->image = _imgimport_image_copy (data);
  _imgimport_txn_create_image (txn, record);
  return TRUE;
}

/* What to do next. */
static char *
describe_new (ImgImportService *self, ImgImportImage *image)
{
  GString *out = g_string_new (NULL);

  _imgimport_json_begin_object (out, NULL);
  _imgimport_image_write (image, out, "image", FALSE);
  _imgimport_service_write_names (self->methods, out, "import_methods");
  _imgimport_service_write_names (self->stores, out, "stores");
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}

ImgImportImage *
imgimport_service_create_image (ImgImportService *self, ImgImportContext *context,
                                const char *attributes, char **answer, GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_autofree char *new_id = g_uuid_string_random ();
  g_auto (ImgImportKnown) known = { NULL, NULL };
  const ImgImportTxnSpec spec = { .known = &known };

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  image = _imgimport_image_new_from_attributes (&self->config->limits, attributes, context, new_id,
                                                _imgimport_clock_wall_us (self->clock), error);
  if (image == NULL || !_imgimport_txn_run_spec (self, &spec, put_new, image, error))
    return NULL;
  _imgimport_recent_give (self->recent, g_steal_pointer (&known.image));
  if (answer != NULL)
    *answer = describe_new (self, image);
  return g_steal_pointer (&image);
}

/* ---- update ---------------------------------------------------------------------------------- */

typedef struct
{
  ImgImportService *service;
  ImgImportContext *context;
  const char *patch;
  ImgImportImage *image; /* the answer */
} Update;

static gboolean
apply_patch (ImgImportTxn *txn, gpointer data, GError **error)
{
  Update *update = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  if (!_imgimport_access_modify (record->image, update->context, error) ||
      !_imgimport_image_apply_patch (record->image, &update->service->config->limits, update->patch,
                                     update->context, record->claim.kind != IMGIMPORT_CLAIM_NONE,
                                     _imgimport_txn_now (txn), error))
    return FALSE;
  _imgimport_txn_image_changed (txn);
  g_set_object (&update->image, record->image);
  return TRUE;
}

ImgImportImage *
imgimport_service_update_image (ImgImportService *self, ImgImportContext *context, const char *id,
                                const char *patch, GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  Update update = { self, context, patch, NULL };

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL && patch != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  if (_imgimport_txn_run (self, id, NULL, FALSE, apply_patch, &update, error))
    _imgimport_images_overlay (self, update.image);
  else
    g_clear_object (&update.image);
  return update.image;
}
