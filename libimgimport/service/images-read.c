/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The digest to compare, and what it has to be: the strong one where this build computes it.
 * `*digest` is NULL for an image that has none. */
static gboolean
digest_for (ImgImportImage *image, ImgImportDigest **digest, const char **expected, GError **error)
{
  *digest = NULL;
  if (image->os_hash_value == NULL && image->checksum == NULL)
    return TRUE;
  if (image->os_hash_value != NULL && image->os_hash_algo != NULL &&
      _imgimport_digest_is_known (image->os_hash_algo))
    {
      *expected = image->os_hash_value;
      *digest = _imgimport_digest_new (image->os_hash_algo, error);
      return *digest != NULL;
    }
  if (image->checksum != NULL)
    {
      *expected = image->checksum;
      *digest = _imgimport_digest_new ("md5", error);
      return *digest != NULL;
    }
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "digest-unknown",
                        "image %s: it has no digest that this build computes", image->id);
  return FALSE;
}

/* All of an image is read with its digest; what no digest of this build tells is read without. */
static GInputStream *
stream_image (ImgImportStoreReader *reader, ImgImportImage *image, guint64 offset, guint64 length)
{
  g_autofree char *what = g_strdup_printf ("image %s", image->id);
  GInputStream *stream = _imgimport_object_stream_new (reader, offset, length);
  ImgImportDigest *digest = NULL;
  const char *expected = NULL;

  if (length == image->size && digest_for (image, &digest, &expected, NULL) && digest != NULL)
    _imgimport_object_stream_expect (stream, digest, expected, what);
  return stream;
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
  return reader != NULL ? stream_image (reader, record->image, offset, length) : NULL;
}

/* ---- into a descriptor ----------------------------------------------------------------------- */

typedef struct
{
  int fd;
  gboolean has_holes;      /* what is not written there reads as zeros */
  ImgImportDigest *digest; /* NULL: none to compare */
  guint8 *buffer;          /* IMGIMPORT_BUFFER_SIZE */
  guint64 expected;        /* bytes */
  guint64 size;            /* of these, taken from the store */
  GCancellable *cancellable;
} Copy;

/* A regular file with nothing behind where its descriptor stands. */
static gboolean
may_have_holes (int fd)
{
  off_t position = lseek (fd, 0, SEEK_CUR);
  int flags = fcntl (fd, F_GETFL);
  struct stat info;

  return flags >= 0 && (flags & O_APPEND) == 0 && fstat (fd, &info) == 0 &&
         S_ISREG (info.st_mode) && position >= info.st_size;
}

static void
set_size_error (const Copy *self, const char *word, GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch",
                        "%s bytes are stored than the %" G_GUINT64_FORMAT " of the record", word,
                        self->expected);
}

/* Accounts for `n` further bytes before any is written: a store must not fill the caller's disk. */
static gboolean
take (Copy *self, guint64 n, GError **error)
{
  if (n > self->expected - self->size)
    {
      set_size_error (self, "more", error);
      return FALSE;
    }
  self->size += n;
  return TRUE;
}

/* `length` zeros, which are in the buffer too. */
static gboolean
write_zeros (Copy *self, gsize length, GError **error)
{
  if (!self->has_holes)
    return _imgimport_fd_write_all (self->fd, self->buffer, length, self->cancellable, error);
  if (lseek (self->fd, (off_t)length, SEEK_CUR) >= 0)
    return TRUE;
  _imgimport_set_error_errno (error, errno, "write");
  return FALSE;
}

static gboolean
copy_hole (Copy *self, guint64 length, GError **error)
{
  if (!take (self, length, error))
    return FALSE;
  memset (self->buffer, 0, (gsize)MIN (length, IMGIMPORT_BUFFER_SIZE));
  for (; length > 0; length -= MIN (length, IMGIMPORT_BUFFER_SIZE))
    {
      gsize piece = (gsize)MIN (length, IMGIMPORT_BUFFER_SIZE);

      if (g_cancellable_set_error_if_cancelled (self->cancellable, error) ||
          (self->digest != NULL && !_imgimport_digest_update_zeros (self->digest, piece, error)) ||
          !write_zeros (self, piece, error))
        return FALSE;
    }
  return TRUE;
}

/* Up to `length` bytes of data; `*n_read` 0 is the end. */
static gboolean
copy_data (Copy *self, ImgImportObjectSource *source, guint64 length, gsize *n_read, GError **error)
{
  gsize room = (gsize)MIN (length, IMGIMPORT_BUFFER_SIZE);

  if (g_cancellable_set_error_if_cancelled (self->cancellable, error) ||
      !_imgimport_object_source_read (source, self->buffer, room, n_read, self->cancellable,
                                      error) ||
      !take (self, *n_read, error) ||
      (self->digest != NULL &&
       !_imgimport_digest_update (self->digest, self->buffer, *n_read, error)))
    return FALSE;
  if (_imgimport_is_zero (self->buffer, *n_read))
    return write_zeros (self, *n_read, error);
  return _imgimport_fd_write_all (self->fd, self->buffer, *n_read, self->cancellable, error);
}

static gboolean
copy_out (Copy *self, ImgImportStoreReader *reader, GError **error)
{
  ImgImportObjectSource source = { reader, 0 };
  guint64 hole = 0, data = 0;
  gsize n_read = 0;

  do
    {
      if (!_imgimport_object_source_next_extent (&source, &hole, &data, self->cancellable, error) ||
          !copy_hole (self, hole, error))
        return FALSE;
      /* At the end there is neither, which only a read that answers nothing tells for sure. */
      if (data == 0 && hole == 0)
        data = IMGIMPORT_SIZE_UNKNOWN;
      for (n_read = 1; data > 0 && n_read > 0; data -= n_read)
        if (!copy_data (self, &source, data, &n_read, error))
          return FALSE;
    }
  while (n_read > 0);
  if (!self->has_holes || ftruncate (self->fd, lseek (self->fd, 0, SEEK_CUR)) == 0)
    return TRUE;
  _imgimport_set_error_errno (error, errno, "write");
  return FALSE;
}

static gboolean
check_copy (Copy *self, const char *expected, GError **error)
{
  if (self->digest != NULL)
    return _imgimport_digest_verify (self->digest, expected, error);
  if (self->size == self->expected)
    return TRUE;
  set_size_error (self, "fewer", error);
  return FALSE;
}

gboolean
imgimport_service_save_image (ImgImportService *self, ImgImportContext *context, const char *id,
                              int fd, GCancellable *cancellable, GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (ImgImportImageRecord) record = NULL;
  g_autoptr (ImgImportDigest) digest = NULL;
  g_autoptr (ImgImportStoreReader) reader = NULL;
  g_autofree guint8 *buffer = NULL;
  g_autoptr (GError) cause = NULL;
  const char *expected = NULL;
  Copy copy;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (id != NULL && fd >= 0, FALSE);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return FALSE;
  record = load_active (self, context, id, error);
  if (record == NULL || !digest_for (record->image, &digest, &expected, error))
    return FALSE;
  reader = open_image (self, record->image, cancellable, error);
  if (reader == NULL)
    return FALSE;
  buffer = g_malloc (IMGIMPORT_BUFFER_SIZE);
  copy = (Copy){ fd, may_have_holes (fd), digest, buffer, record->image->size, 0, cancellable };
  if (copy_out (&copy, reader, &cause) && check_copy (&copy, expected, &cause))
    return TRUE;
  if (!imgimport_error_is_cancelled (cause))
    _imgimport_error_prefix (&cause, "image %s", id);
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}
