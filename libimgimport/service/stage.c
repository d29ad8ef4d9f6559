/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Staging from a stream or a descriptor, and taking it back. */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/upload-private.h"

char **
_imgimport_service_digests (ImgImportService *self, ImgImportImage *image)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *hash =
      image->os_hash_algo != NULL ? image->os_hash_algo : self->config->hashing_algorithm;

  if (hash != NULL)
    g_strv_builder_add (builder, hash);
  if (self->config->checksum && g_strcmp0 (hash, "md5") != 0)
    g_strv_builder_add (builder, "md5");
  return g_strv_builder_end (builder);
}

gboolean
_imgimport_service_check_empty (ImgImportService *self, const char *image_id, guint64 size,
                                GError **error)
{
  if (size > 0 || self->config->allow_empty_images)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "image-empty",
                        "image %s: no bytes came, and allow_empty_images is off", image_id);
  return FALSE;
}

typedef struct
{
  const char *id;
  ImgImportSource source;
  guint64 expected;
} Staging;

static ImgImportImage *
stage (ImgImportService *self, ImgImportContext *context, Staging *staging,
       GCancellable *cancellable, GError **error)
{
  g_autoptr (ImgImportUpload) upload =
      imgimport_service_stage_begin (self, context, staging->id, staging->expected, error);

  if (upload == NULL || !_imgimport_upload_pull (upload, &staging->source, cancellable, error))
    return NULL;
  return imgimport_upload_commit (upload, cancellable, error);
}

static gboolean
read_stream (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
             GError **error)
{
  gssize n = g_input_stream_read (source, buffer, length, cancellable, error);

  if (n < 0)
    {
      _imgimport_error_normalize (error, "reading the stream to stage");
      return FALSE;
    }
  *n_read = (gsize)n;
  return TRUE;
}

ImgImportImage *
imgimport_service_stage_stream (ImgImportService *self, ImgImportContext *context, const char *id,
                                GInputStream *stream, guint64 expected, GCancellable *cancellable,
                                GError **error)
{
  Staging staging = { id, { read_stream, NULL, stream }, expected };

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), NULL);

  return stage (self, context, &staging, cancellable, error);
}

static gboolean
read_fd (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
         GError **error)
{
  const int *fd = source;

  if (_imgimport_fd_read (*fd, buffer, length, n_read, cancellable, error))
    return TRUE;
  _imgimport_error_prefix (error, "reading descriptor %d to stage", *fd);
  return FALSE;
}

/* The descriptor's own position moves to the data. */
static gboolean
next_extent_of_fd (gpointer source, guint64 *hole, guint64 *data, GCancellable *cancellable,
                   GError **error)
{
  const int *fd = source;
  off_t position = lseek (*fd, 0, SEEK_CUR);
  guint64 start = 0;
  guint64 end = 0;

  if (position >= 0)
    _imgimport_fd_next_extent (*fd, (guint64)position, &start, &end);
  if (position < 0 || lseek (*fd, (off_t)start, SEEK_SET) < 0)
    {
      _imgimport_set_error_errno (error, errno, "reading descriptor %d to stage", *fd);
      return FALSE;
    }
  *hole = start - (guint64)position;
  *data = end == G_MAXUINT64 ? IMGIMPORT_SIZE_UNKNOWN : end - start;
  return TRUE;
}

static gboolean
is_regular (int fd)
{
  struct stat info;

  return fstat (fd, &info) == 0 && S_ISREG (info.st_mode);
}

/* What a regular file has left; other descriptors do not tell. */
static guint64
size_left (int fd)
{
  struct stat info;
  off_t position;

  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode))
    return IMGIMPORT_SIZE_UNKNOWN;
  position = lseek (fd, 0, SEEK_CUR);
  return position < 0 || position > info.st_size ? IMGIMPORT_SIZE_UNKNOWN
                                                 : (guint64)(info.st_size - position);
}

/* A wait for one that is open for writing only would never end. */
static gboolean
check_readable (int fd, GError **error)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags >= 0 && (flags & O_ACCMODE) != O_WRONLY && (flags & O_PATH) == 0)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "descriptor-not-readable",
                        "descriptor %d is not open for reading", fd);
  return FALSE;
}

ImgImportImage *
imgimport_service_stage_fd (ImgImportService *self, ImgImportContext *context, const char *id,
                            int fd, guint64 expected, GCancellable *cancellable, GError **error)
{
  Staging staging = { id, { read_fd, NULL, &fd }, expected };

  g_return_val_if_fail (fd >= 0, NULL);

  if (!check_readable (fd, error))
    return NULL;
  if (is_regular (fd))
    staging.source.next_extent = next_extent_of_fd;
  if (expected == IMGIMPORT_SIZE_UNKNOWN)
    staging.expected = size_left (fd);
  return stage (self, context, &staging, cancellable, error);
}

/* ---- taking it back -------------------------------------------------------------------------- */

typedef struct
{
  ImgImportContext *context;
  ImgImportImage *image; /* the answer */
  char *holder;
  char *key; /* of the bytes to remove; NULL where their upload still cleans up itself */
} Unstage;

static gboolean
unstage (ImgImportTxn *txn, gpointer data, GError **error)
{
  Unstage *self = data;
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  if (!_imgimport_access_modify (record->image, self->context, error))
    return FALSE;
  _imgimport_claim_note_holder (record, &self->holder);
  if (record->claim.kind == IMGIMPORT_CLAIM_IMPORT &&
      !_imgimport_claim_require_free (record, error))
    return FALSE;

  _imgimport_set_string (&self->key, record->staged.key);
  if (self->key != NULL)
    _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, record->image->id, self->key);
  if (!_imgimport_record_unstage (txn, error))
    return FALSE;
  g_set_object (&self->image, record->image);
  return TRUE;
}

ImgImportImage *
imgimport_service_unstage (ImgImportService *self, ImgImportContext *context, const char *id,
                           GError **error)
{
  Unstage data = { context, NULL, NULL, NULL };
  const ImgImportTxnSpec spec = { .image_id = id, .durable = TRUE };
  g_autoptr (ImgImportUse) use = NULL;
  g_autofree char *holder = NULL;
  g_autofree char *key = NULL;
  g_autoptr (GError) left = NULL;
  gboolean ok;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  ok = use != NULL && _imgimport_claim_run (self, &spec, unstage, &data, &data.holder, error);
  holder = data.holder;
  key = data.key;
  if (!ok)
    {
      g_clear_object (&data.image);
      return NULL;
    }
  if (key != NULL && !_imgimport_object_remove (self, IMGIMPORT_STAGING_ID, key, &left))
    _imgimport_log (self->log, G_LOG_LEVEL_WARNING,
                    "image %s: staged bytes are left to a later start: %s", id, left->message);
  return data.image;
}
