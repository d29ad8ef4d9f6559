/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes into a pass: counted, gathered into buffers, handed on. */

#include "stream/pass.h"

/* A hole goes to the stages in pieces, that none of them works on one for longer than the pass may
 * take to stop. */
#define HOLE_SIZE ((guint64)16 * 1024 * 1024)
#define PROGRESS_INTERVAL_US G_GINT64_CONSTANT (100000)

static void
on_cancelled (GCancellable *outer, gpointer stop)
{
  g_cancellable_cancel (stop);
}

gulong
_imgimport_pass_link (ImgImportPass *self, GCancellable *outer)
{
  if (outer == NULL)
    return 0;
  return g_cancellable_connect (outer, G_CALLBACK (on_cancelled), g_object_ref (self->stop),
                                g_object_unref);
}

void
_imgimport_pass_set_limit_error (ImgImportPass *self, GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "image-size-cap",
                        "more bytes than the %" G_GUINT64_FORMAT " that %s allows", self->limit,
                        self->limit_name);
}

void
_imgimport_pass_fail_size (ImgImportPass *self, const char *word)
{
  GError *error = NULL;

  _imgimport_set_error (&error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch",
                        "%s bytes than the %" G_GUINT64_FORMAT " expected", word, self->expected);
  _imgimport_pass_fail (self, error);
}

/* Accounts for `n` further bytes before any stage sees them. */
static gboolean
pass_take (ImgImportPass *self, guint64 n)
{
  GError *error = NULL;

  if (n > self->expected - self->bytes)
    {
      _imgimport_pass_fail_size (self, "more");
      return FALSE;
    }
  if (n > self->limit - self->bytes)
    {
      _imgimport_pass_set_limit_error (self, &error);
      _imgimport_pass_fail (self, error);
      return FALSE;
    }
  self->bytes += n;
  return TRUE;
}

void
_imgimport_pass_report (ImgImportPass *self, gboolean at_end)
{
  gint64 now_us;

  if (self->progress == NULL)
    return;
  now_us = _imgimport_clock_monotonic_us (self->clock);
  if (!at_end && now_us - self->reported_us < PROGRESS_INTERVAL_US)
    return;
  self->reported_us = now_us;
  self->progress (self->bytes, self->progress_data);
}

void
_imgimport_pass_hand_on (ImgImportPass *self, gsize enough)
{
  if (self->current != NULL && self->current->length >= enough)
    _imgimport_pass_dispatch (self, g_steal_pointer (&self->current));
}

static ImgImportPassBuffer *
pass_current (ImgImportPass *self)
{
  if (self->current == NULL)
    self->current = _imgimport_pass_acquire (self);
  return self->current;
}

/* ---- push ------------------------------------------------------------------------------------ */

static void
pass_push (ImgImportPass *self, const guint8 *data, gsize length)
{
  while (length > 0 && _imgimport_pass_check (self, NULL))
    {
      ImgImportPassBuffer *buffer = pass_current (self);
      gsize n = MIN (length, self->buffer_size - (gsize)buffer->length);

      memcpy (buffer->data + buffer->length, data, n);
      buffer->length += n;
      data += n;
      length -= n;
      _imgimport_pass_hand_on (self, self->buffer_size);
    }
}

gboolean
_imgimport_pass_push (ImgImportPass *self, const void *data, gsize length,
                      GCancellable *cancellable, GError **error)
{
  gulong link;

  g_return_val_if_fail (!self->finished, FALSE);

  link = _imgimport_pass_link (self, cancellable);
  if (_imgimport_pass_check (self, NULL) && pass_take (self, length))
    {
      pass_push (self, data, length);
      _imgimport_pass_report (self, FALSE);
    }
  g_cancellable_disconnect (cancellable, link);
  return _imgimport_pass_check (self, error);
}

/* ---- pull ------------------------------------------------------------------------------------ */

/* TRUE, or the source's error has become the pass's. Where the pass was stopped meanwhile, that is
 * why the source failed. */
static gboolean
source_answer (ImgImportPass *self, gboolean ok, GError **failure)
{
  if (ok)
    return TRUE;
  if (_imgimport_pass_check (self, NULL))
    _imgimport_pass_fail (self, g_steal_pointer (failure));
  g_clear_error (failure);
  return FALSE;
}

static void
pass_skip (ImgImportPass *self, guint64 length)
{
  _imgimport_pass_hand_on (self, 1);
  while (length > 0 && _imgimport_pass_check (self, NULL))
    {
      guint64 piece = MIN (length, HOLE_SIZE);

      if (!pass_take (self, piece))
        return;
      pass_current (self)->length = piece;
      self->current->is_hole = TRUE;
      _imgimport_pass_hand_on (self, 1);
      _imgimport_pass_report (self, FALSE);
      length -= piece;
    }
}

/* Passes over what the source says is a hole, and learns how much data follows. */
static gboolean
pass_next_extent (ImgImportPass *self, const ImgImportSource *source, guint64 *data)
{
  guint64 hole = 0;
  GError *error = NULL;

  *data = IMGIMPORT_SIZE_UNKNOWN;
  if (source->next_extent == NULL)
    return TRUE;
  if (!source_answer (self, source->next_extent (source->data, &hole, data, self->stop, &error),
                      &error))
    return FALSE;
  pass_skip (self, hole);
  /* The end, which only a read tells, looks like this too. */
  if (hole == 0 && *data == 0)
    *data = IMGIMPORT_SIZE_UNKNOWN;
  return _imgimport_pass_check (self, NULL);
}

/* Reads once, at most `*left`; FALSE at the end of the source and of the pass. */
static gboolean
pass_read (ImgImportPass *self, const ImgImportSource *source, guint64 *left)
{
  ImgImportPassBuffer *buffer = pass_current (self);
  guint64 allowed = MIN (self->expected, self->limit) - self->bytes;
  gsize room = self->buffer_size - (gsize)buffer->length;
  gsize n_read = 0;
  GError *error = NULL;

  /* One byte more than is allowed is asked for: there must be none. */
  if (allowed < room)
    room = (gsize)allowed + 1;
  room = (gsize)MIN (room, *left);
  if (!source_answer (self,
                      source->read (source->data, buffer->data + buffer->length, room, &n_read,
                                    self->stop, &error),
                      &error) ||
      n_read == 0 || !pass_take (self, n_read))
    return FALSE;
  buffer->length += n_read;
  *left -= *left != IMGIMPORT_SIZE_UNKNOWN ? n_read : 0;
  _imgimport_pass_hand_on (self, self->buffer_size);
  _imgimport_pass_report (self, FALSE);
  return TRUE;
}

gboolean
_imgimport_pass_pull_sparse (ImgImportPass *self, const ImgImportSource *source,
                             GCancellable *cancellable, GError **error)
{
  guint64 left = 0;
  gulong link;

  g_return_val_if_fail (!self->finished, FALSE);

  link = _imgimport_pass_link (self, cancellable);
  while (_imgimport_pass_check (self, NULL) &&
         (left > 0 ? pass_read (self, source, &left) : pass_next_extent (self, source, &left)))
    ;
  g_cancellable_disconnect (cancellable, link);
  return _imgimport_pass_check (self, error);
}

gboolean
_imgimport_pass_pull (ImgImportPass *self, ImgImportSourceFunc read, gpointer source,
                      GCancellable *cancellable, GError **error)
{
  const ImgImportSource dense = { .read = read, .data = source };

  return _imgimport_pass_pull_sparse (self, &dense, cancellable, error);
}
