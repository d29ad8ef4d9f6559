/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* What one format has asked for so far. */
typedef struct
{
  const ImgImportFormat *format;
  ImgImportRange ranges[IMGIMPORT_INSPECT_N_RANGES];
  guint n_ranges;   /* complete ones; the one being captured comes after */
  guint8 *capture;  /* the bytes of the range being captured, else NULL */
  gsize wanted;     /* its length when complete */
  guint64 position; /* nothing before this offset can be captured any more */
  gboolean done;
} Seeker;

struct _ImgImportInspector
{
  guint64 size;
  guint8 *head;
  gsize head_length;
  guint8 tail[IMGIMPORT_INSPECT_TAIL];
  gsize tail_length;
  Seeker *seekers;
  guint n_seekers;
  gboolean finished;
};

ImgImportInspector *
_imgimport_inspector_new (void)
{
  return _imgimport_inspector_new_for (_imgimport_formats ());
}

ImgImportInspector *
_imgimport_inspector_new_for (const ImgImportFormat *const *formats)
{
  ImgImportInspector *self = g_new0 (ImgImportInspector, 1);

  while (formats[self->n_seekers] != NULL)
    self->n_seekers++;
  self->seekers = g_new0 (Seeker, self->n_seekers);
  for (guint i = 0; i < self->n_seekers; i++)
    {
      self->seekers[i].format = formats[i];
      self->seekers[i].position = IMGIMPORT_INSPECT_HEAD;
      self->seekers[i].done = formats[i]->locate == NULL;
    }
  self->head = g_malloc (IMGIMPORT_INSPECT_HEAD);
  return self;
}

void
_imgimport_inspector_free (ImgImportInspector *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_seekers; i++)
    {
      for (guint k = 0; k < self->seekers[i].n_ranges; k++)
        g_free ((gpointer)self->seekers[i].ranges[k].data);
      g_free (self->seekers[i].capture);
    }
  g_free (self->seekers);
  g_free (self->head);
  g_free (self);
}

static ImgImportView
view_of (ImgImportInspector *self, const Seeker *seeker)
{
  ImgImportView view = {
    .head = { 0, self->head_length, self->head },
    .ranges = seeker->ranges,
    .n_ranges = seeker->n_ranges,
  };

  if (self->finished)
    {
      view.size = self->size;
      view.tail = (ImgImportRange){ self->size - self->tail_length, self->tail_length, self->tail };
    }
  return view;
}

/* Asks the format for its next range; FALSE where there is none that can be captured. */
static gboolean
seeker_locate (Seeker *self, ImgImportInspector *inspector)
{
  ImgImportView view = view_of (inspector, self);
  guint64 offset = 0;
  gsize length = 0;

  if (self->n_ranges == IMGIMPORT_INSPECT_N_RANGES ||
      !self->format->locate (&view, &offset, &length) || length == 0 || offset < self->position)
    return FALSE;
  self->ranges[self->n_ranges] = (ImgImportRange){ .offset = offset };
  self->wanted = MIN (length, IMGIMPORT_INSPECT_RANGE);
  self->capture = g_malloc (self->wanted);
  return TRUE;
}

/* Ends the range being captured, complete or not. */
static void
seeker_close_range (Seeker *self)
{
  ImgImportRange *range = &self->ranges[self->n_ranges];

  range->data = g_steal_pointer (&self->capture);
  self->position = range->offset + range->length;
  self->n_ranges++;
}

/* Takes what `data`, which lies at `offset` of the stream, holds of the range; whether that
 * completed it. */
static gboolean
seeker_take (Seeker *self, guint64 offset, const guint8 *data, gsize length)
{
  ImgImportRange *range = &self->ranges[self->n_ranges];
  guint64 next = range->offset + range->length;
  gsize skip;
  gsize n;

  /* Never before `offset`: what came earlier was taken or is no part of the range. */
  if (next - offset >= length)
    return FALSE;
  skip = (gsize)(next - offset);
  n = MIN (length - skip, self->wanted - range->length);
  memcpy (self->capture + range->length, data + skip, n);
  range->length += n;
  return range->length == self->wanted;
}

static void
seeker_feed (Seeker *self, ImgImportInspector *inspector, const guint8 *data, gsize length)
{
  guint64 offset = inspector->size - length;

  while (!self->done)
    {
      if (self->capture == NULL && !seeker_locate (self, inspector))
        {
          self->done = TRUE;
          return;
        }
      if (!seeker_take (self, offset, data, length))
        return;
      seeker_close_range (self);
    }
}

static void
keep_tail (ImgImportInspector *self, const guint8 *data, gsize length)
{
  gsize take = MIN (length, IMGIMPORT_INSPECT_TAIL);
  gsize keep = MIN (self->tail_length, IMGIMPORT_INSPECT_TAIL - take);

  memmove (self->tail, self->tail + self->tail_length - keep, keep);
  memcpy (self->tail + keep, data + length - take, take);
  self->tail_length = keep + take;
}

void
_imgimport_inspector_feed (ImgImportInspector *self, const void *data, gsize length)
{
  gsize n;

  g_return_if_fail (!self->finished);

  if (length == 0)
    return;
  n = MIN (length, IMGIMPORT_INSPECT_HEAD - self->head_length);
  memcpy (self->head + self->head_length, data, n);
  self->head_length += n;
  keep_tail (self, data, length);
  self->size += length;
  if (self->head_length < IMGIMPORT_INSPECT_HEAD)
    return;
  for (guint i = 0; i < self->n_seekers; i++)
    seeker_feed (&self->seekers[i], self, data, length);
}

ImgImportFacts *
_imgimport_inspector_finish (ImgImportInspector *self)
{
  ImgImportFacts *facts = _imgimport_facts_new (self->size);

  g_return_val_if_fail (!self->finished, facts);

  self->finished = TRUE;
  for (guint i = 0; i < self->n_seekers; i++)
    {
      Seeker *seeker = &self->seekers[i];
      g_autoptr (ImgImportMatch) match = _imgimport_match_new (seeker->format->name);
      ImgImportView view;

      if (seeker->capture != NULL)
        seeker_close_range (seeker);
      view = view_of (self, seeker);
      if (seeker->format->match (&view, match))
        g_ptr_array_add (facts->matches, g_steal_pointer (&match));
    }
  return facts;
}
