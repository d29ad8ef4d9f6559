/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

/* What a cancelled import keeps as its code: cancellation is of GIO's error domain. */
#define CODE_CANCELLED "cancelled"

#define MESSAGE_MAX_BYTES 4096

G_DEFINE_ENUM_TYPE (ImgImportJobStatus, imgimport_job_status,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_JOB_PENDING, "pending"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_JOB_PROCESSING, "processing"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_JOB_SUCCESS, "success"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_JOB_FAILURE, "failure"))

G_DEFINE_FINAL_TYPE (ImgImportJob, imgimport_job, G_TYPE_OBJECT)

static void
delivery_free (gpointer data)
{
  ImgImportDelivery *self = data;

  g_free (self->store);
  g_free (self->way);
  g_free (self->why);
  g_free (self);
}

static void
imgimport_job_finalize (GObject *object)
{
  ImgImportJob *self = IMGIMPORT_JOB (object);

  g_free (self->id);
  g_free (self->image_id);
  g_free (self->owner);
  g_free (self->user_id);
  g_free (self->request_id);
  g_free (self->input);
  g_free (self->message);
  g_free (self->reason);
  g_free (self->code);
  g_free (self->phase);
  g_free (self->tasks);
  g_strfreev (self->warnings);
  g_ptr_array_unref (self->deliveries);
  G_OBJECT_CLASS (imgimport_job_parent_class)->finalize (object);
}

static void
imgimport_job_class_init (ImgImportJobClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_job_finalize;
}

static void
imgimport_job_init (ImgImportJob *self)
{
  self->status = IMGIMPORT_JOB_PENDING;
  self->message = g_strdup ("");
  self->total = IMGIMPORT_SIZE_UNKNOWN;
  self->warnings = g_new0 (char *, 1);
  self->deliveries = g_ptr_array_new_with_free_func (delivery_free);
}

ImgImportJob *
_imgimport_job_new (const char *id, const char *image_id, ImgImportContext *context,
                    const char *input, gint64 now_us)
{
  ImgImportJob *self = g_object_new (IMGIMPORT_TYPE_JOB, NULL);

  self->id = g_strdup (id);
  self->image_id = g_strdup (image_id);
  self->input = g_strdup (input);
  self->created_us = now_us;
  self->updated_us = now_us;
  if (context != NULL)
    {
      self->owner = g_strdup (imgimport_context_get_owner (context));
      self->user_id = g_strdup (imgimport_context_get_user (context));
      self->request_id = g_strdup (imgimport_context_get_request_id (context));
    }
  return self;
}

typedef struct
{
  ImgImportJobStatus from;
  ImgImportJobStatus to;
} Edge;

static const Edge edges[] = {
  { IMGIMPORT_JOB_PENDING, IMGIMPORT_JOB_PROCESSING },
  { IMGIMPORT_JOB_PENDING, IMGIMPORT_JOB_FAILURE },
  { IMGIMPORT_JOB_PROCESSING, IMGIMPORT_JOB_SUCCESS },
  { IMGIMPORT_JOB_PROCESSING, IMGIMPORT_JOB_FAILURE },
};

static gboolean
can_become (ImgImportJobStatus from, ImgImportJobStatus to)
{
  for (gsize i = 0; i < G_N_ELEMENTS (edges); i++)
    if (edges[i].from == from && edges[i].to == to)
      return TRUE;
  return FALSE;
}

gboolean
_imgimport_job_set_status (ImgImportJob *self, ImgImportJobStatus status, gint64 now_us,
                           gint64 time_to_live_us, GError **error)
{
  if (!can_become (self->status, status))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "job-transition",
                            "job %s of image %s: %s cannot become %s", self->id, self->image_id,
                            imgimport_job_status_to_string (self->status),
                            imgimport_job_status_to_string (status));
      return FALSE;
    }
  self->status = status;
  self->updated_us = now_us;
  if (imgimport_job_is_finished (self) && time_to_live_us >= 0)
    self->expires_us = now_us + time_to_live_us;
  return TRUE;
}

/* What others wrote must neither make the record unreadable nor too large. */
static void
set_text (char **field, const char *text)
{
  g_free (*field);
  *field = g_utf8_make_valid (text, (gssize)strnlen (text, MESSAGE_MAX_BYTES));
}

gboolean
_imgimport_job_is_expired (const ImgImportJob *self, gint64 now_us)
{
  return self->expires_us != 0 && self->expires_us <= now_us;
}

gboolean
_imgimport_job_fail (ImgImportJob *self, const GError *cause, gint64 now_us, gint64 time_to_live_us,
                     GError **error)
{
  if (!_imgimport_job_set_status (self, IMGIMPORT_JOB_FAILURE, now_us, time_to_live_us, error))
    return FALSE;
  set_text (&self->message, cause->message);
  _imgimport_set_string (&self->reason, imgimport_error_get_reason (cause));
  if (imgimport_error_is_cancelled (cause))
    _imgimport_set_string (&self->code, CODE_CANCELLED);
  else
    _imgimport_set_string (&self->code,
                           _imgimport_error_code_to_string (imgimport_error_get_code (cause)));
  return TRUE;
}

void
_imgimport_job_add_warning (ImgImportJob *self, const char *warning)
{
  const guint n = g_strv_length (self->warnings);

  self->warnings = g_renew (char *, self->warnings, n + 2);
  self->warnings[n] = NULL;
  set_text (&self->warnings[n], warning);
  self->warnings[n + 1] = NULL;
}

void
_imgimport_job_add_delivery (ImgImportJob *self, const char *store, const char *way,
                             const char *why)
{
  ImgImportDelivery *delivery = g_new0 (ImgImportDelivery, 1);

  delivery->store = g_strdup (store);
  delivery->way = g_strdup (way);
  delivery->why = g_strdup (why != NULL ? why : "");
  g_ptr_array_add (self->deliveries, delivery);
}

const char *
imgimport_job_status_to_string (ImgImportJobStatus status)
{
  return _imgimport_enum_to_word (IMGIMPORT_TYPE_JOB_STATUS, (int)status);
}

const char *
imgimport_job_get_id (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), NULL);
  return self->id;
}

const char *
imgimport_job_get_image_id (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), NULL);
  return self->image_id;
}

ImgImportJobStatus
imgimport_job_get_status (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), IMGIMPORT_JOB_FAILURE);
  return self->status;
}

gboolean
imgimport_job_is_finished (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), TRUE);
  return self->status == IMGIMPORT_JOB_SUCCESS || self->status == IMGIMPORT_JOB_FAILURE;
}

const char *
imgimport_job_get_message (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), NULL);
  return self->message;
}

const char *
imgimport_job_get_reason (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), NULL);
  return self->reason;
}

const char *
imgimport_job_get_phase (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), NULL);
  return self->phase;
}

guint64
imgimport_job_get_bytes (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), 0);
  return self->bytes;
}

guint64
imgimport_job_get_total (ImgImportJob *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), IMGIMPORT_SIZE_UNKNOWN);
  return self->total;
}

gboolean
imgimport_job_get_error (ImgImportJob *self, GError **error)
{
  GError *failure;

  g_return_val_if_fail (IMGIMPORT_IS_JOB (self), FALSE);

  if (self->status != IMGIMPORT_JOB_FAILURE)
    return TRUE;
  if (g_strcmp0 (self->code, CODE_CANCELLED) == 0)
    failure = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, self->message);
  else
    failure = _imgimport_error_new_dup_reason (
        (ImgImportError)_imgimport_error_code_from_string (self->code), self->reason,
        self->message);
  g_propagate_error (error, failure);
  return FALSE;
}
