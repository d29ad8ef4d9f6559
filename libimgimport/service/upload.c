/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of an upload: one call at a time, ended by a seal, an abort, a failure or the close. */

#include "service/upload-private.h"

/* How often the record learns of bytes that came, and the upload of a claim that went. */
#define TICK_US G_USEC_PER_SEC

G_DEFINE_FINAL_TYPE (ImgImportUpload, imgimport_upload, G_TYPE_OBJECT)

/* One call at a time is inside: the caller's, or the service's that closes. FALSE in a forked
 * child: the upload goes on in the parent, to which its record, its bytes and its lock belong. */
static gboolean
enter (ImgImportUpload *self, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!_imgimport_service_check_process (self->service, error))
    return FALSE;
  locker = _imgimport_locker_new (&self->service->lock);
  while (self->busy)
    g_cond_wait (&self->service->cond, &self->service->lock);
  self->busy = TRUE;
  return TRUE;
}

/* One that has ended is none of the service's uploads any more. */
static void
leave (ImgImportUpload *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->service->lock);

  if (self->pass == NULL)
    g_ptr_array_remove_fast (self->service->uploads, self);
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
  g_autoptr (GError) error = NULL;
  gint64 now = _imgimport_clock_monotonic_us (self->service->clock);

  g_mutex_lock (&self->service->lock);
  self->bytes = bytes;
  g_mutex_unlock (&self->service->lock);
  _imgimport_bus_publish (self->service->bus, event);

  /* The last call comes from finish, whose commit tells the bytes and checks the claim anyway. */
  if (now < self->next_tick_us || self->lost != NULL || self->pass == NULL)
    return;
  self->next_tick_us = now + TICK_US;
  if (_imgimport_upload_tell (self, bytes, &error))
    return;
  if (_imgimport_claim_is_gone (error))
    {
      self->lost = g_steal_pointer (&error);
      g_cancellable_cancel (self->cancellable);
    }
  else
    _imgimport_log (self->service->log, G_LOG_LEVEL_INFO, "image %s: progress not recorded: %s",
                    self->image_id, error->message);
}

/* ---- begin and end --------------------------------------------------------------------------- */

static void
join_service (ImgImportUpload *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->service->lock);

  g_ptr_array_add (self->service->uploads, self);
}

/* Ends it without a seal; inside enter() and leave(). */
static void
end (ImgImportUpload *self)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->pass, _imgimport_pass_free);
  if (self->key == NULL)
    return;
  /* A claim that is lost, or an image that is gone, leaves only the bytes to be removed. A claim
   * that stands keeps their note, by which a later start ends both. */
  if (!_imgimport_upload_give_back (self, &error) && !_imgimport_claim_is_gone (error))
    {
      _imgimport_log (self->service->log, G_LOG_LEVEL_WARNING,
                      "image %s: the end of its upload is left to a later start: %s",
                      self->image_id, error->message);
      g_clear_pointer (&self->key, g_free);
      return;
    }
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

/* What a pass says names no image. */
static gboolean
name_image (const ImgImportUpload *self, gboolean ok, GError **error)
{
  if (!ok)
    _imgimport_error_prefix (error, "image %s", self->image_id);
  return ok;
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
  return name_image (self, self->pass != NULL, error);
}

/* Here and not in finalize: until it has left the service's list, a close may still take a
 * reference, and end it at the same time. */
static void
imgimport_upload_dispose (GObject *object)
{
  ImgImportUpload *self = IMGIMPORT_UPLOAD (object);

  if (enter (self, NULL))
    {
      end (self);
      leave (self);
    }
  G_OBJECT_CLASS (imgimport_upload_parent_class)->dispose (object);
}

static void
imgimport_upload_finalize (GObject *object)
{
  ImgImportUpload *self = IMGIMPORT_UPLOAD (object);

  g_clear_error (&self->lost);
  _imgimport_known_clear (&self->known);
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

/* Inside enter() and leave(), for a close may find it as soon as it has joined. */
static gboolean
open_upload (ImgImportUpload *self, ImgImportContext *context, GError **error)
{
  g_auto (GStrv) digests = NULL;

  if (!_imgimport_upload_claim (self, context, &digests, error))
    return FALSE;
  join_service (self);
  return open_pass (self, (const char *const *)digests, error);
}

ImgImportUpload *
imgimport_service_stage_begin (ImgImportService *self, ImgImportContext *context, const char *id,
                               guint64 expected, GError **error)
{
  g_autoptr (ImgImportUpload) upload = NULL;
  g_autoptr (ImgImportUse) use = NULL;
  gboolean ok;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  upload = g_object_new (IMGIMPORT_TYPE_UPLOAD, NULL);
  upload->service = g_object_ref (self);
  upload->image_id = g_strdup (id);
  upload->expected = expected;
  ok = enter (upload, error);
  if (!ok)
    return NULL;
  ok = open_upload (upload, context, error);
  leave (upload);
  return ok ? g_steal_pointer (&upload) : NULL;
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

  if (!enter (self, error))
    return FALSE;
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

  return name_image (
      self, _imgimport_pass_push (self->pass, chunk->data, chunk->length, self->cancellable, error),
      error);
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
  return name_image (self, _imgimport_pass_pull_sparse (self->pass, data, self->cancellable, error),
                     error);
}

gboolean
_imgimport_upload_pull (ImgImportUpload *self, ImgImportSource *source, GCancellable *cancellable,
                        GError **error)
{
  return with_pass (self, pull, source, cancellable, error);
}

/* ---- seal ------------------------------------------------------------------------------------ */

static gboolean
finish (ImgImportUpload *self, gpointer data, GError **error)
{
  ImgImportImage **image = data;
  g_auto (ImgImportPassResult) result = { 0 };
  gboolean ok = name_image (
      self, _imgimport_pass_finish (self->pass, &result, self->cancellable, error), error);

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

  if (!enter (self, NULL))
    return;
  end (self);
  leave (self);
}

/* ---- all of a service ------------------------------------------------------------------------ */

void
_imgimport_uploads_abort (ImgImportService *self)
{
  g_autoptr (GPtrArray) uploads = g_ptr_array_new_with_free_func (g_object_unref);
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->uploads->len; i++)
    g_ptr_array_add (uploads, g_object_ref (self->uploads->pdata[i]));
  g_mutex_unlock (&self->lock);

  for (i = 0; i < uploads->len; i++)
    {
      ImgImportUpload *upload = uploads->pdata[i];

      g_cancellable_cancel (upload->cancellable);
      imgimport_upload_abort (upload);
    }
}
