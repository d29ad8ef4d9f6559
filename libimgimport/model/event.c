/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

struct _ImgImportEvent
{
  GObject parent_instance;

  ImgImportEventKind kind;
  char *image_id;
  char *job_id;
  char *status;
  char *phase;
  guint64 bytes;
  guint64 total;
  ImgImportJob *ended; /* NULL: it is none, or goes on */
};

G_DEFINE_ENUM_TYPE (ImgImportEventKind, imgimport_event_kind,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_EVENT_IMAGE, "image"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_EVENT_JOB, "job"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_EVENT_PROGRESS, "progress"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_EVENT_RESYNC, "resync"))

G_DEFINE_FINAL_TYPE (ImgImportEvent, imgimport_event, G_TYPE_OBJECT)

static void
imgimport_event_finalize (GObject *object)
{
  ImgImportEvent *self = IMGIMPORT_EVENT (object);

  g_free (self->image_id);
  g_free (self->job_id);
  g_free (self->status);
  g_free (self->phase);
  g_clear_object (&self->ended);
  G_OBJECT_CLASS (imgimport_event_parent_class)->finalize (object);
}

static void
imgimport_event_class_init (ImgImportEventClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_event_finalize;
}

static void
imgimport_event_init (ImgImportEvent *self)
{
  self->total = IMGIMPORT_SIZE_UNKNOWN;
}

static ImgImportEvent *
event_new (ImgImportEventKind kind, const char *image_id, const char *job_id)
{
  ImgImportEvent *self = g_object_new (IMGIMPORT_TYPE_EVENT, NULL);

  self->kind = kind;
  self->image_id = g_strdup (image_id);
  self->job_id = g_strdup (job_id);
  return self;
}

ImgImportEvent *
_imgimport_event_new_image (ImgImportImage *image)
{
  ImgImportEvent *self = event_new (IMGIMPORT_EVENT_IMAGE, image->id, NULL);

  self->status = g_strdup (imgimport_status_to_string (image->status));
  return self;
}

ImgImportEvent *
_imgimport_event_new_job (ImgImportJob *job)
{
  ImgImportEvent *self = event_new (IMGIMPORT_EVENT_JOB, job->image_id, job->id);

  self->status = g_strdup (imgimport_job_status_to_string (job->status));
  self->phase = g_strdup (job->phase);
  self->bytes = job->bytes;
  self->total = job->total;
  if (imgimport_job_is_finished (job))
    self->ended = g_object_ref (job);
  return self;
}

ImgImportJob *
_imgimport_event_get_ended (ImgImportEvent *self)
{
  return self->ended;
}

ImgImportEvent *
_imgimport_event_new_progress (const char *image_id, const char *job_id, const char *phase,
                               guint64 bytes, guint64 total)
{
  ImgImportEvent *self = event_new (IMGIMPORT_EVENT_PROGRESS, image_id, job_id);

  self->phase = g_strdup (phase);
  self->bytes = bytes;
  self->total = total;
  return self;
}

ImgImportEvent *
_imgimport_event_new_resync (void)
{
  return event_new (IMGIMPORT_EVENT_RESYNC, NULL, NULL);
}

ImgImportEventKind
imgimport_event_get_kind (ImgImportEvent *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), IMGIMPORT_EVENT_RESYNC);
  return self->kind;
}

const char *
imgimport_event_get_image_id (ImgImportEvent *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), NULL);
  return self->image_id;
}

const char *
imgimport_event_get_job_id (ImgImportEvent *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), NULL);
  return self->job_id;
}

const char *
imgimport_event_get_status (ImgImportEvent *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), NULL);
  return self->status;
}

const char *
imgimport_event_get_phase (ImgImportEvent *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), NULL);
  return self->phase;
}

guint64
imgimport_event_get_bytes (ImgImportEvent *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), 0);
  return self->bytes;
}

guint64
imgimport_event_get_total (ImgImportEvent *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), IMGIMPORT_SIZE_UNKNOWN);
  return self->total;
}

char *
imgimport_event_to_json (ImgImportEvent *self)
{
  GString *out;

  g_return_val_if_fail (IMGIMPORT_IS_EVENT (self), NULL);

  out = g_string_new (NULL);
  _imgimport_json_begin_object (out, NULL);
  _imgimport_json_write_string (
      out, "kind", _imgimport_enum_to_word (IMGIMPORT_TYPE_EVENT_KIND, (int)self->kind));
  if (self->image_id != NULL)
    _imgimport_json_write_string (out, "image_id", self->image_id);
  if (self->job_id != NULL)
    _imgimport_json_write_string (out, "job_id", self->job_id);
  if (self->status != NULL)
    _imgimport_json_write_string (out, "status", self->status);
  if (self->phase != NULL)
    _imgimport_json_write_string (out, "phase", self->phase);
  if (self->kind == IMGIMPORT_EVENT_JOB || self->kind == IMGIMPORT_EVENT_PROGRESS)
    _imgimport_model_write_size (out, "bytes", self->bytes);
  if (self->total != IMGIMPORT_SIZE_UNKNOWN)
    _imgimport_model_write_size (out, "total", self->total);
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}
