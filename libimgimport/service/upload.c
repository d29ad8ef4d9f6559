/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of an upload: one call at a time, ended by a seal, an abort, a failure or the close. */

#include "service/upload-private.h"

/* How often the record learns of bytes that came, and the upload of a claim that went. */
#define TICK_US G_USEC_PER_SEC

G_DEFINE_FINAL_TYPE (ImgImportUpload, imgimport_upload, G_TYPE_OBJECT)

/* One call at a time is inside: the caller's, or the service's that closes. */
static void
enter (ImgImportUpload *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->service->lock);

  while (self->busy)
    _imgimport_cond_wait (&self->service->cond, &self->service->lock);
  self->busy = TRUE;
}

static void
leave (ImgImportUpload *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->service->lock);

  self->busy = FALSE;
  g_cond_broadcast (&self->service->cond);
}

/* ---- progress -------------------------------------------------------------------------------- */

static void
on_progress (guint64 bytes, gpointer user_data)
{
  ImgImportUpload *self = user_data;
  g_autoptr (ImgImportEvent) event =
      _imgimport_event_new_progress (self->image_id, NULL, NULL, bytes, self->expected);
  gint64 now = _imgimport_clock_monotonic_us (self->service->clock);

  _imgimport_lock (&self->service->lock);
  self->bytes = bytes;
  _imgimport_unlock (&self->service->lock);
  _imgimport_bus_publish (self->service->bus, event);

  /* The last call comes from finish, whose commit tells the bytes and checks the claim anyway. */
  if (now < self->next_tick_us || self->lost != NULL || self->pass == NULL)
    return;
  self->next_tick_us = now + TICK_US;
  if (!_imgimport_upload_tell (self, bytes, &self->lost))
    g_cancellable_cancel (self->cancellable);
}

/* ---- begin and end --------------------------------------------------------------------------- */

static void
join_service (ImgImportUpload *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->service->lock);

  g_ptr_array_add (self->service->uploads, self);
}

static void
leave_service (ImgImportUpload *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->service->lock);

  g_ptr_array_remove_fast (self->service->uploads, self);
}

/* Ends it without a seal; inside enter() and leave(). */
static void
end (ImgImportUpload *self)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->pass, _imgimport_pass_free);
  if (self->key == NULL)
    return;
  /* A claim that is lost, or an image that is gone, leaves only the bytes to be removed. */
  if (!_imgimport_upload_give_back (self, &error))
    _imgimport_log (self->service->log, G_LOG_LEVEL_INFO, "upload of image %s ended: %s",
                    self->image_id, error->message);
  g_clear_error (&error);
  if (!_imgimport_object_remove (self->service, IMGIMPORT_STAGING_ID, self->key, &error))
    _imgimport_log (self->service->log, G_LOG_LEVEL_WARNING,
                    "image %s: staged bytes are left to a later start: %s", self->image_id,
                    error->message);
  g_clear_pointer (&self->key, g_free);
}

/* What the caller is told of a failure: why the claim was lost, where that is the cause. */
static void
fail (ImgImportUpload *self, GError **error)
{
  end (self);
  if (self->lost == NULL)
    return;
  g_clear_error (error);
  g_propagate_error (error, g_steal_pointer (&self->lost));
}

static gboolean
open_pass (ImgImportUpload *self, const char *const *digests, GError **error)
{
  ImgImportService *service = self->service;
  const ImgImportSinkSpec sink = { .store = service->staging, .key = self->key };
  const ImgImportPassSpec spec = { .expected = self->expected,
                                   .limit = service->config->image_size_cap,
                                   .limit_name = "image_size_cap",
                                   .digests = digests,
                                   .inspect = TRUE,
                                   .threads = service->config->workers > 0,
                                   .sinks = &sink,
                                   .n_sinks = 1,
                                   .clock = service->clock,
                                   .progress = on_progress,
                                   .progress_data = self };

  self->next_tick_us = _imgimport_clock_monotonic_us (service->clock) + TICK_US;
  self->pass = _imgimport_pass_new (&spec, self->cancellable, error);
  return self->pass != NULL;
}

/* Here and not in finalize: until it has left the service's list, a close may still take a
 * reference. */
static void
imgimport_upload_dispose (GObject *object)
{
  ImgImportUpload *self = IMGIMPORT_UPLOAD (object);

  end (self);
  if (self->service != NULL)
    leave_service (self);
  G_OBJECT_CLASS (imgimport_upload_parent_class)->dispose (object);
}

static void
imgimport_upload_finalize (GObject *object)
{
  ImgImportUpload *self = IMGIMPORT_UPLOAD (object);

  g_clear_error (&self->lost);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->service);
  g_free (self->image_id);
  g_free (self->key);
  G_OBJECT_CLASS (imgimport_upload_parent_class)->finalize (object);
}

static void
imgimport_upload_class_init (ImgImportUploadClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = imgimport_upload_dispose;
  G_OBJECT_CLASS (klass)->finalize = imgimport_upload_finalize;
}

static void
imgimport_upload_init (ImgImportUpload *self)
{
  self->cancellable = g_cancellable_new ();
}

static gboolean
check_allowed (ImgImportService *service, const char *id, guint64 expected, GError **error)
{
  guint64 cap = service->config->image_size_cap;
  guint i;

  if (expected != IMGIMPORT_SIZE_UNKNOWN && expected > cap)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "image-size-cap",
                            "image %s: %" G_GUINT64_FORMAT
                            " bytes are more than image_size_cap allows: %" G_GUINT64_FORMAT,
                            id, expected, cap);
      return FALSE;
    }
  for (i = 0; i < _imgimport_registry_get_size (service->methods); i++)
    if (_imgimport_method_get_required_status (_imgimport_registry_get (service->methods, i)) ==
        IMGIMPORT_STATUS_UPLOADING)
      return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "method-disabled",
                        "image %s: nothing can be staged, as no enabled method, such as "
                        "glance-direct, would import it",
                        id);
  return FALSE;
}

ImgImportUpload *
imgimport_service_stage_begin (ImgImportService *self, ImgImportContext *context, const char *id,
                               guint64 expected, GError **error)
{
  g_autoptr (ImgImportUpload) upload = NULL;
  g_autoptr (ImgImportUse) use = NULL;
  g_auto (GStrv) digests = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL || !check_allowed (self, id, expected, error))
    return NULL;
  upload = g_object_new (IMGIMPORT_TYPE_UPLOAD, NULL);
  upload->service = g_object_ref (self);
  upload->image_id = g_strdup (id);
  upload->expected = expected;
  if (!_imgimport_upload_claim (upload, context, &digests, error))
    return NULL;
  join_service (upload);
  if (!open_pass (upload, (const char *const *)digests, error))
    return NULL;
  return g_steal_pointer (&upload);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static gboolean
check_open (ImgImportUpload *self, GError **error)
{
  if (self->pass != NULL)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "upload-ended",
                        "image %s: the upload has ended", self->image_id);
  return FALSE;
}

static void
on_caller_cancelled (GCancellable *caller, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

/* What one call does with the pass; it fails with an error. */
typedef gboolean (*PassFunc) (ImgImportUpload *self, gpointer data, GError **error);

static gboolean
with_pass (ImgImportUpload *self, PassFunc func, gpointer data, GCancellable *cancellable,
           GError **error)
{
  gboolean ok;
  gulong handler = 0;

  enter (self);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_caller_cancelled),
                                     self->cancellable, NULL);
  ok = check_open (self, error) && _imgimport_service_check (self->service, error) &&
       func (self, data, error);
  g_cancellable_disconnect (cancellable, handler);
  if (!ok)
    fail (self, error);
  leave (self);
  return ok;
}

typedef struct
{
  const void *data;
  gsize length;
} Chunk;

static gboolean
push (ImgImportUpload *self, gpointer data, GError **error)
{
  const Chunk *chunk = data;

  return _imgimport_pass_push (self->pass, chunk->data, chunk->length, self->cancellable, error);
}

gboolean
imgimport_upload_write (ImgImportUpload *self, const void *data, gsize length,
                        GCancellable *cancellable, GError **error)
{
  Chunk chunk = { data, length };

  g_return_val_if_fail (IMGIMPORT_IS_UPLOAD (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);

  return with_pass (self, push, &chunk, cancellable, error);
}

gboolean
imgimport_upload_write_bytes (ImgImportUpload *self, GBytes *bytes, GCancellable *cancellable,
                              GError **error)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);

  return imgimport_upload_write (self, data, length, cancellable, error);
}

static gboolean
pull (ImgImportUpload *self, gpointer data, GError **error)
{
  const ImgImportUploadSource *source = data;

  return _imgimport_pass_pull (self->pass, source->read, source->source, self->cancellable, error);
}

gboolean
_imgimport_upload_pull (ImgImportUpload *self, ImgImportUploadSource *source,
                        GCancellable *cancellable, GError **error)
{
  return with_pass (self, pull, source, cancellable, error);
}

/* ---- seal ------------------------------------------------------------------------------------ */

static gboolean
finish (ImgImportUpload *self, gpointer data, GError **error)
{
  ImgImportImage **image = data;
  g_auto (ImgImportPassResult) result = { 0 };
  gboolean ok = _imgimport_pass_finish (self->pass, &result, self->cancellable, error);

  g_clear_pointer (&self->pass, _imgimport_pass_free);
  if (!ok || !_imgimport_service_check_empty (self->service, self->image_id, result.size, error))
    return FALSE;
  *image = _imgimport_upload_seal (self, &result, error);
  if (*image == NULL)
    return FALSE;
  g_clear_pointer (&self->key, g_free);
  return TRUE;
}

ImgImportImage *
imgimport_upload_commit (ImgImportUpload *self, GCancellable *cancellable, GError **error)
{
  ImgImportImage *image = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_UPLOAD (self), NULL);

  with_pass (self, finish, &image, cancellable, error);
  return image;
}

void
imgimport_upload_abort (ImgImportUpload *self)
{
  g_return_if_fail (IMGIMPORT_IS_UPLOAD (self));

  enter (self);
  end (self);
  leave (self);
}

/* ---- all of a service ------------------------------------------------------------------------ */

void
_imgimport_uploads_abort (ImgImportService *self)
{
  g_autoptr (GPtrArray) uploads = g_ptr_array_new_with_free_func (g_object_unref);
  guint i;

  _imgimport_lock (&self->lock);
  for (i = 0; i < self->uploads->len; i++)
    g_ptr_array_add (uploads, g_object_ref (self->uploads->pdata[i]));
  _imgimport_unlock (&self->lock);

  for (i = 0; i < uploads->len; i++)
    {
      ImgImportUpload *upload = uploads->pdata[i];

      g_cancellable_cancel (upload->cancellable);
      imgimport_upload_abort (upload);
    }
}

gboolean
_imgimport_uploads_progress (ImgImportService *self, const char *image_id, guint64 *bytes)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  guint i;

  for (i = 0; i < self->uploads->len; i++)
    {
      const ImgImportUpload *upload = self->uploads->pdata[i];

      if (!g_str_equal (upload->image_id, image_id))
        continue;
      *bytes = upload->bytes;
      return TRUE;
    }
  return FALSE;
}
