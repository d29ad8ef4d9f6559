/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stream/pass.h"

#include <unistd.h>

/* Who waits for a buffer is woken when so many are free: a switch between threads for several
 * buffers, while the other half keeps the stages busy. */
#define N_FREE_TO_WAKE (IMGIMPORT_PASS_N_BUFFERS / 2)

/* ---- buffers --------------------------------------------------------------------------------- */

static ImgImportPassBuffer *
buffer_new (gsize size)
{
  ImgImportPassBuffer *self = g_new0 (ImgImportPassBuffer, 1);

  self->data = g_aligned_alloc (1, size, (gsize)sysconf (_SC_PAGESIZE));
  return self;
}

ImgImportPassBuffer *
_imgimport_pass_acquire (ImgImportPass *self)
{
  ImgImportPassBuffer *buffer = NULL;

  g_mutex_lock (&self->lock);
  while (self->n_free == 0 && self->n_buffers == IMGIMPORT_PASS_N_BUFFERS)
    g_cond_wait (&self->released, &self->lock);
  if (self->n_free > 0)
    buffer = self->buffers[--self->n_free];
  else
    self->n_buffers++;
  g_mutex_unlock (&self->lock);

  if (buffer == NULL)
    buffer = buffer_new (self->buffer_size);
  buffer->length = 0;
  buffer->is_hole = FALSE;
  return buffer;
}

void
_imgimport_pass_release (ImgImportPass *self, ImgImportPassBuffer *buffer)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (buffer->refs > 0 && --buffer->refs > 0)
    return;
  self->buffers[self->n_free++] = buffer;
  if (self->n_free >= N_FREE_TO_WAKE)
    g_cond_signal (&self->released);
}

void
_imgimport_pass_free_buffers (ImgImportPass *self)
{
  for (guint i = 0; i < self->n_free; i++)
    {
      g_aligned_free (self->buffers[i]->data);
      g_free (self->buffers[i]);
    }
  self->n_free = 0;
}

/* ---- failure --------------------------------------------------------------------------------- */

void
_imgimport_pass_fail (ImgImportPass *self, GError *error)
{
  g_mutex_lock (&self->lock);
  if (self->error == NULL)
    self->error = g_steal_pointer (&error);
  g_mutex_unlock (&self->lock);

  g_clear_error (&error);
  g_cancellable_cancel (self->stop);
}

gboolean
_imgimport_pass_get_error (ImgImportPass *self, GError **error)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (self->error != NULL && error != NULL)
    *error = g_error_copy (self->error);
  return self->error != NULL;
}

gboolean
_imgimport_pass_check (ImgImportPass *self, GError **error)
{
  GError *cancelled = NULL;

  if (!g_cancellable_set_error_if_cancelled (self->stop, &cancelled))
    return TRUE;
  _imgimport_pass_fail (self, cancelled);
  return !_imgimport_pass_get_error (self, error);
}

/* ---- stages ---------------------------------------------------------------------------------- */

static void
stage_push (ImgImportPassStage *self, ImgImportPassBuffer *buffer)
{
  guint slot = (self->queue_head + self->n_queued) % IMGIMPORT_PASS_N_BUFFERS;

  self->queue[slot] = buffer;
  self->n_queued++;
  g_cond_signal (&self->ready);
}

/* The next buffer; NULL where there is none, and none will come or `wait` is FALSE. */
static ImgImportPassBuffer *
stage_pop (ImgImportPassStage *self, gboolean wait)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->pass->lock);
  ImgImportPassBuffer *buffer;

  while (wait && self->n_queued == 0 && !self->pass->closing)
    g_cond_wait (&self->ready, &self->pass->lock);
  if (self->n_queued == 0)
    return NULL;
  buffer = self->queue[self->queue_head];
  self->queue_head = (self->queue_head + 1) % IMGIMPORT_PASS_N_BUFFERS;
  self->n_queued--;
  return buffer;
}

static gboolean
digest_buffer (ImgImportDigest *digest, const ImgImportPassBuffer *buffer, GError **error)
{
  if (buffer->is_hole)
    return _imgimport_digest_update_zeros (digest, buffer->length, error);
  return _imgimport_digest_update (digest, buffer->data, (gsize)buffer->length, error);
}

static void
stage_consume (ImgImportPassStage *self, const ImgImportPassBuffer *buffer)
{
  GError *error = NULL;

  if (g_cancellable_is_cancelled (self->pass->stop))
    return;
  if (self->sink != NULL)
    _imgimport_pass_sink_write (self->sink, buffer);
  else if (!digest_buffer (self->digest, buffer, &error))
    _imgimport_pass_fail (self->pass, error);
}

static void
stage_drain (ImgImportPassStage *self, gboolean wait)
{
  ImgImportPassBuffer *buffer;

  while ((buffer = stage_pop (self, wait)) != NULL)
    {
      stage_consume (self, buffer);
      _imgimport_pass_release (self->pass, buffer);
    }
}

static gpointer
stage_run (gpointer data)
{
  stage_drain (data, TRUE);
  return NULL;
}

/* A stage that gets no thread works on the caller's, only slower. */
static void
stage_start (ImgImportPassStage *self)
{
  if (self->on_caller || self->thread != NULL)
    return;
  self->thread = _imgimport_thread_new ("imgimport-pass", stage_run, self, NULL);
  self->on_caller = self->thread == NULL;
}

void
_imgimport_pass_dispatch (ImgImportPass *self, ImgImportPassBuffer *buffer)
{
  gboolean first = self->dispatched == 0;

  buffer->offset = self->dispatched;
  self->dispatched += buffer->length;
  if (!buffer->is_hole)
    buffer->is_hole = _imgimport_is_zero (buffer->data, (gsize)buffer->length);
  if (self->inspector != NULL && buffer->is_hole)
    imgimport_inspector_skip (self->inspector, buffer->length);
  else if (self->inspector != NULL)
    imgimport_inspector_feed (self->inspector, buffer->data, (gsize)buffer->length);
  if (self->n_stages == 0)
    {
      _imgimport_pass_release (self, buffer);
      return;
    }

  g_mutex_lock (&self->lock);
  buffer->refs = self->n_stages;
  for (guint i = 0; i < self->n_stages; i++)
    stage_push (&self->stages[i], buffer);
  g_mutex_unlock (&self->lock);

  /* An image of one buffer is not worth a thread: the stages find it in their queues at the end. */
  for (guint i = 0; !first && i < self->n_stages; i++)
    stage_start (&self->stages[i]);
  for (guint i = 0; i < self->n_stages; i++)
    {
      if (self->stages[i].on_caller)
        stage_drain (&self->stages[i], FALSE);
    }
}

void
_imgimport_pass_close (ImgImportPass *self)
{
  g_mutex_lock (&self->lock);
  self->closing = TRUE;
  for (guint i = 0; i < self->n_stages; i++)
    g_cond_signal (&self->stages[i].ready);
  g_mutex_unlock (&self->lock);

  for (guint i = 0; i < self->n_stages; i++)
    {
      if (self->stages[i].thread == NULL)
        stage_drain (&self->stages[i], FALSE);
    }
  for (guint i = 0; i < self->n_stages; i++)
    {
      if (self->stages[i].thread != NULL)
        g_thread_join (g_steal_pointer (&self->stages[i].thread));
    }
}
