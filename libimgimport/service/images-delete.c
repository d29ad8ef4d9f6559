/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/txn.h"

#include <imgimport/imgimport-import.h>

typedef struct
{
  char *store;
  char *key;
} Object;

typedef struct
{
  ImgImportContext *context;
  GPtrArray *objects; /* of Object: what no record refers to any more */
  char *job;          /* an import that holds the image */
  char *uploader;     /* the service whose upload does */
} Deletion;

static void
object_free (gpointer data)
{
  Object *self = data;

  g_free (self->store);
  g_free (self->key);
  g_free (self);
}

static void
deletion_clear (Deletion *self)
{
  g_clear_pointer (&self->objects, g_ptr_array_unref);
  g_clear_pointer (&self->job, g_free);
  g_clear_pointer (&self->uploader, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Deletion, deletion_clear)

static gboolean
check_deletable (ImgImportImage *image, ImgImportContext *context, GError **error)
{
  if (!_imgimport_access_modify (image, context, error))
    return FALSE;
  if (image->is_protected)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "protected",
                            "image %s is protected: set “protected” to false first", image->id);
      return FALSE;
    }
  return imgimport_lifecycle_next (image->status, IMGIMPORT_ACTION_DELETE, NULL, error);
}

static void
disown (Deletion *self, ImgImportTxn *txn, const char *image_id, const char *store, const char *key)
{
  Object *object = g_new0 (Object, 1);

  _imgimport_txn_note_object (txn, store, image_id, key);
  object->store = g_strdup (store);
  object->key = g_strdup (key);
  g_ptr_array_add (self->objects, object);
}

static gboolean
remove_record (ImgImportTxn *txn, gpointer data, GError **error)
{
  Deletion *self = data;
  const ImgImportImageRecord *record = _imgimport_txn_image (txn);
  ImgImportImage *image = record->image;
  guint i;

  if (!check_deletable (image, self->context, error))
    return FALSE;
  g_ptr_array_set_size (self->objects, 0);
  if (record->staged.key != NULL)
    disown (self, txn, image->id, IMGIMPORT_STAGING_ID, record->staged.key);
  if (record->original.key != NULL)
    disown (self, txn, image->id, IMGIMPORT_STAGING_ID, record->original.key);
  for (i = 0; i < image->locations->len; i++)
    {
      const ImgImportLocation *location = image->locations->pdata[i];

      disown (self, txn, image->id, location->store, location->key);
    }
  _imgimport_set_string (&self->job, record->claim.job);
  _imgimport_set_string (&self->uploader,
                         record->claim.kind == IMGIMPORT_CLAIM_UPLOAD ? record->claim.owner : NULL);
  _imgimport_txn_remove_image (txn);
  return TRUE;
}

/* An upload finds out by itself that its claim is gone, unless it is a dead one's. */
static void
stop_upload (ImgImportService *self, const char *id, const char *owner)
{
  g_autoptr (GError) error = NULL;
  gboolean recovered;

  if (!_imgimport_service_recover_owner (self, owner, &recovered, &error))
    _imgimport_log (self->log, G_LOG_LEVEL_WARNING, "image %s is deleted; its upload: %s", id,
                    error->message);
}

static void
stop_import (ImgImportService *self, const char *id, const char *job)
{
  g_autoptr (GError) error = NULL;

  if (!imgimport_service_cancel_job (self, NULL, job, &error))
    _imgimport_log (self->log, G_LOG_LEVEL_INFO, "image %s is deleted; its import %s: %s", id, job,
                    error->message);
}

static void
remove_bytes (ImgImportService *self, const char *id, const Object *object)
{
  g_autoptr (GError) error = NULL;

  if (!_imgimport_object_remove (self, object->store, object->key, &error))
    _imgimport_log (self->log, G_LOG_LEVEL_WARNING,
                    "image %s is deleted; its bytes in “%s” are left to a later start: %s", id,
                    object->store, error->message);
}

gboolean
imgimport_service_delete_image (ImgImportService *self, ImgImportContext *context, const char *id,
                                GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_auto (Deletion)
      deletion = { context, g_ptr_array_new_with_free_func (object_free), NULL, NULL };
  guint i;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (id != NULL, FALSE);

  use = _imgimport_service_enter (self, error);
  if (use == NULL || !_imgimport_txn_run (self, id, NULL, TRUE, remove_record, &deletion, error))
    return FALSE;
  if (deletion.job != NULL)
    stop_import (self, id, deletion.job);
  if (deletion.uploader != NULL)
    stop_upload (self, id, deletion.uploader);
  for (i = 0; i < deletion.objects->len; i++)
    remove_bytes (self, id, deletion.objects->pdata[i]);
  return TRUE;
}
