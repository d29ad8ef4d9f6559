/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a filter reads from: a source, and the head of it that was peeked at. */

#include "spi/spi-private.h"

struct _ImgImportUpstream
{
  ImgImportSourceFunc read;
  gpointer source;
  guint8 *head; /* NULL until the first peek; IMGIMPORT_UPSTREAM_PEEK_MAX bytes */
  gsize begin;  /* what of the head is not taken yet */
  gsize end;
  gboolean at_end; /* of the source */
  guint64 taken;
};

ImgImportUpstream *
_imgimport_upstream_new (ImgImportSourceFunc read, gpointer source)
{
  ImgImportUpstream *self = g_new0 (ImgImportUpstream, 1);

  self->read = read;
  self->source = source;
  return self;
}

void
_imgimport_upstream_free (ImgImportUpstream *self)
{
  g_free (self->head);
  g_free (self);
}

guint64
_imgimport_upstream_get_taken (ImgImportUpstream *self)
{
  return self->taken;
}

static gboolean
fill_head (ImgImportUpstream *self, gsize length, GCancellable *cancellable, GError **error)
{
  if (self->head == NULL)
    self->head = g_malloc (IMGIMPORT_UPSTREAM_PEEK_MAX);
  if (self->begin > 0)
    {
      memmove (self->head, self->head + self->begin, self->end - self->begin);
      self->end -= self->begin;
      self->begin = 0;
    }
  while (self->end < length && !self->at_end)
    {
      gsize n_read = 0;

      if (!self->read (self->source, self->head + self->end, length - self->end, &n_read,
                       cancellable, error))
        return FALSE;
      self->end += n_read;
      self->at_end = n_read == 0;
    }
  return TRUE;
}

gboolean
imgimport_upstream_peek (ImgImportUpstream *self, gsize length, const guint8 **data,
                         gsize *n_peeked, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (length <= IMGIMPORT_UPSTREAM_PEEK_MAX, FALSE);
  g_return_val_if_fail (data != NULL && n_peeked != NULL, FALSE);

  if (!fill_head (self, length, cancellable, error))
    return FALSE;
  *data = self->head;
  *n_peeked = MIN (length, self->end);
  return TRUE;
}

gboolean
imgimport_upstream_read (ImgImportUpstream *self, void *buffer, gsize length, gsize *n_read,
                         GCancellable *cancellable, GError **error)
{
  gsize n_head;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (buffer != NULL && length > 0 && n_read != NULL, FALSE);

  *n_read = 0;
  n_head = MIN (length, self->end - self->begin);
  if (n_head > 0)
    {
      memcpy (buffer, self->head + self->begin, n_head);
      self->begin += n_head;
      *n_read = n_head;
    }
  else if (!self->at_end)
    {
      if (!self->read (self->source, buffer, length, n_read, cancellable, error))
        return FALSE;
      self->at_end = *n_read == 0;
    }
  self->taken += *n_read;
  return TRUE;
}
