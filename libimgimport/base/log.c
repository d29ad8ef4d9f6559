/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

struct _ImgImportLog
{
  gatomicrefcount refs;
  ImgImportLogSink sink;
  gpointer user_data;
  GDestroyNotify destroy;
};

ImgImportLog *
_imgimport_log_new (ImgImportLogSink sink, gpointer user_data, GDestroyNotify destroy)
{
  ImgImportLog *self = g_new0 (ImgImportLog, 1);

  g_atomic_ref_count_init (&self->refs);
  self->sink = sink;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

ImgImportLog *
_imgimport_log_ref (ImgImportLog *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
_imgimport_log_unref (ImgImportLog *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self);
}

void
_imgimport_log (ImgImportLog *self, GLogLevelFlags level, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  if (self->sink == NULL)
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  /* What a plug-in or a tenant said must not look like a message of its own. */
  g_strdelimit (message, "\n\v\f\r", ' ');
  self->sink (level, message, self->user_data);
}
