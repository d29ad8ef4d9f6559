/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "unpack/decoder.h"

void
_imgimport_supply_init (ImgImportSupply *self, ImgImportSourceFunc read, gpointer source)
{
  *self = (ImgImportSupply){ .read = read, .source = source };
  self->buffer = g_malloc (IMGIMPORT_SUPPLY_RESERVE + IMGIMPORT_SUPPLY_BLOCK);
}

void
_imgimport_supply_clear (ImgImportSupply *self)
{
  g_clear_pointer (&self->buffer, g_free);
}

/* Room for a further block, behind what is not taken and the reserve before it. */
static void
make_room (ImgImportSupply *self)
{
  gsize first = self->begin - MIN (self->begin, IMGIMPORT_SUPPLY_RESERVE);

  memmove (self->buffer, self->buffer + first, self->end - first);
  self->begin -= first;
  self->end -= first;
}

gboolean
_imgimport_supply_fill (ImgImportSupply *self, gsize least, GError **error)
{
  if (self->end - self->begin >= least)
    return TRUE;
  make_room (self);
  while (self->end - self->begin < least && !self->at_end)
    {
      gsize room = IMGIMPORT_SUPPLY_RESERVE + IMGIMPORT_SUPPLY_BLOCK - self->end;
      gsize n_read = 0;

      if (!self->read (self->source, self->buffer + self->end, room, &n_read, self->cancellable,
                       error))
        return FALSE;
      self->end += n_read;
      self->at_end = n_read == 0;
    }
  return TRUE;
}

gboolean
_imgimport_supply_give_back (ImgImportSupply *self, guint64 n)
{
  if (n > self->begin)
    return FALSE;
  self->begin -= (gsize)n;
  self->taken -= n;
  return TRUE;
}

gboolean
_imgimport_supply_skip (ImgImportSupply *self, guint64 n, GError **error)
{
  while (n > 0)
    {
      gsize there = 0;

      if (!_imgimport_supply_fill (self, 1, error))
        return FALSE;
      _imgimport_supply_peek (self, &there);
      if (there == 0)
        return FALSE;
      there = (gsize)MIN (n, there);
      _imgimport_supply_take (self, there);
      n -= there;
    }
  return TRUE;
}
