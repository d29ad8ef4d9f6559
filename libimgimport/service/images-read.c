/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

/* An active image that the caller may see. */
static ImgImportImageRecord *
load_active (ImgImportService *self, ImgImportContext *context, const char *id, GError **error)
{
  g_autoptr (ImgImportImageRecord) record = _imgimport_images_load (self, context, id, error);

  if (record == NULL)
    return NULL;
  if (record->image->status != IMGIMPORT_STATUS_ACTIVE)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "image-not-active",
                            "image %s is %s: only an active image can be read", id,
                            imgimport_status_to_string (record->image->status));
      return NULL;
    }
  return g_steal_pointer (&record);
}

static ImgImportStoreReader *
open_location (ImgImportService *self, const ImgImportLocation *location, GCancellable *cancellable,
               GError **error)
{
  ImgImportStore *store = _imgimport_service_store (self, location->store, error);

  return store != NULL ? _imgimport_store_open (store, location->key, cancellable, error) : NULL;
}

/* The first of its stores that answers. */
static ImgImportStoreReader *
open_image (ImgImportService *self, ImgImportImage *image, GCancellable *cancellable,
            GError **error)
{
  g_autoptr (GError) first = NULL;
  guint i;

  for (i = 0; i < image->locations->len; i++)
    {
      g_autoptr (GError) failure = NULL;
      ImgImportStoreReader *reader =
          open_location (self, image->locations->pdata[i], cancellable, &failure);

      if (reader != NULL)
        return reader;
      if (imgimport_error_is_cancelled (failure))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      if (first == NULL)
        first = g_steal_pointer (&failure);
    }
  _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "stores-unavailable",
                        "image %s: none of its %u stores answers: %s", image->id,
                        image->locations->len, first != NULL ? first->message : "there is none");
  return NULL;
}

/* ---- as a stream ----------------------------------------------------------------------------- */

static gboolean
check_range (ImgImportImage *image, guint64 offset, guint64 *length, GError **error)
{
  if (offset <= image->size &&
      (*length == IMGIMPORT_SIZE_UNKNOWN || *length <= image->size - offset))
    {
      if (*length == IMGIMPORT_SIZE_UNKNOWN)
        *length = image->size - offset;
      return TRUE;
    }
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "range-invalid",
                        "image %s: the range from %" G_GUINT64_FORMAT
                        " ends after its %" G_GUINT64_FORMAT " bytes",
                        image->id, offset, image->size);
  return FALSE;
}

GInputStream *
imgimport_service_read_image (ImgImportService *self, ImgImportContext *context, const char *id,
                              guint64 offset, guint64 length, GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportImageRecord) record = NULL;
  ImgImportStoreReader *reader;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  record = load_active (self, context, id, error);
  if (record == NULL || !check_range (record->image, offset, &length, error))
    return NULL;
  reader = open_image (self, record->image, NULL, error);
  return reader != NULL ? _imgimport_object_stream_new (reader, offset, length) : NULL;
}

/* ---- into a descriptor ----------------------------------------------------------------------- */

/* The digest to compare, and what it has to be: the strong one where this build computes it. */
static ImgImportDigest *
digest_for (ImgImportImage *image, const char **expected, GError **error)
{
  if (image->os_hash_value != NULL && image->os_hash_algo != NULL &&
      _imgimport_digest_is_known (image->os_hash_algo))
    {
      *expected = image->os_hash_value;
      return _imgimport_digest_new (image->os_hash_algo, error);
    }
  if (image->checksum != NULL)
    {
      *expected = image->checksum;
      return _imgimport_digest_new ("md5", error);
    }
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "digest-unknown",
                        "image %s: it has no digest that this build computes", image->id);
  return NULL;
}

static gboolean
copy_out (ImgImportStoreReader *reader, ImgImportDigest *digest, int fd, GCancellable *cancellable,
          GError **error)
{
  g_autofree guint8 *buffer = g_malloc (IMGIMPORT_BUFFER_SIZE);
  ImgImportObjectSource source = { reader, 0 };
  gsize n_read = 0;

  do
    if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
        !_imgimport_object_source_read (&source, buffer, IMGIMPORT_BUFFER_SIZE, &n_read,
                                        cancellable, error) ||
        !_imgimport_digest_update (digest, buffer, n_read, error) ||
        !_imgimport_fd_write_all (fd, buffer, n_read, cancellable, error))
      return FALSE;
  while (n_read > 0);
  return TRUE;
}

gboolean
imgimport_service_save_image (ImgImportService *self, ImgImportContext *context, const char *id,
                              int fd, GCancellable *cancellable, GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportImageRecord) record = NULL;
  g_autoptr (ImgImportDigest) digest = NULL;
  g_autoptr (ImgImportStoreReader) reader = NULL;
  g_autofree char *found = NULL;
  const char *expected = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (id != NULL && fd >= 0, FALSE);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return FALSE;
  record = load_active (self, context, id, error);
  if (record == NULL)
    return FALSE;
  digest = digest_for (record->image, &expected, error);
  if (digest == NULL)
    return FALSE;
  reader = open_image (self, record->image, cancellable, error);
  if (reader == NULL || !copy_out (reader, digest, fd, cancellable, error))
    return FALSE;
  found = _imgimport_digest_finish (digest, error);
  if (found == NULL)
    return FALSE;
  if (g_str_equal (found, expected))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch",
                        "image %s: the stored bytes have the digest %s, the record says %s", id,
                        found, expected);
  return FALSE;
}
