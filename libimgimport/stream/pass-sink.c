/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stream/pass.h"

void
_imgimport_pass_sink_init (ImgImportPassSink *self, ImgImportPass *pass,
                           const ImgImportSinkSpec *spec)
{
  self->pass = pass;
  self->store = _imgimport_plugin_ref (spec->store);
  self->key = g_strdup (spec->key);
  self->may_fail = spec->may_fail;
  self->failure = spec->failure;
}

/* Takes `error`. What a sink says once the pass is being stopped is no verdict on the sink. */
static void
sink_fail (ImgImportPassSink *self, GError *error)
{
  ImgImportPass *pass = self->pass;
  guint n_live;

  g_clear_pointer (&self->writer, _imgimport_store_writer_abort);
  if (!_imgimport_pass_check (pass, NULL))
    {
      g_error_free (error);
      return;
    }
  if (self->failure != NULL)
    *self->failure = g_error_copy (error);
  if (!self->may_fail)
    {
      _imgimport_pass_fail (pass, error);
      return;
    }
  self->error = error;

  g_mutex_lock (&pass->lock);
  n_live = --pass->n_live_sinks;
  g_mutex_unlock (&pass->lock);

  if (n_live == 0)
    _imgimport_pass_fail (pass, g_error_copy (pass->sinks[0].error));
}

void
_imgimport_pass_sink_begin (ImgImportPassSink *self)
{
  GError *error = NULL;

  self->writer = _imgimport_store_begin (self->store, self->key, self->pass->expected,
                                         self->pass->stop, &error);
  if (self->writer == NULL)
    sink_fail (self, error);
}

void
_imgimport_pass_sink_write (ImgImportPassSink *self, const ImgImportPassBuffer *buffer)
{
  GError *error = NULL;

  /* What is not written reads as zeros. */
  if (self->writer == NULL || buffer->is_hole)
    return;
  if (!_imgimport_store_writer_write (self->writer, buffer->offset, buffer->data,
                                      (gsize)buffer->length, self->pass->stop, &error))
    sink_fail (self, error);
}

static void
sink_commit (ImgImportPassSink *self)
{
  GError *error = NULL;

  if (self->writer != NULL &&
      !_imgimport_store_writer_commit (g_steal_pointer (&self->writer), self->pass->bytes,
                                       &self->version, self->pass->stop, &error))
    sink_fail (self, error);
}

gboolean
_imgimport_pass_commit (ImgImportPass *self, GError **error)
{
  for (guint i = 0; i < self->n_sinks && _imgimport_pass_check (self, NULL); i++)
    sink_commit (&self->sinks[i]);
  /* Cancelled after the last commit is too late: then no error is recorded. */
  if (!_imgimport_pass_get_error (self, error))
    return TRUE;
  for (guint i = 0; i < self->n_sinks; i++)
    {
      if (self->sinks[i].version != NULL)
        _imgimport_store_remove (self->sinks[i].store, self->sinks[i].key, NULL, NULL);
    }
  return FALSE;
}

void
_imgimport_pass_sink_clear (ImgImportPassSink *self)
{
  g_clear_pointer (&self->writer, _imgimport_store_writer_abort);
  g_clear_pointer (&self->store, _imgimport_plugin_unref);
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->version, g_free);
  g_clear_error (&self->error);
}
