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
  gsize captured;   /* bytes of all ranges */
  guint64 position; /* nothing before this offset can be captured any more */
  gboolean starved; /* asked for more than it may have */
  gboolean done;
} Seeker;

struct _ImgImportInspector
{
  GObject parent_instance;

  guint64 size;
  guint8 *head;
  gsize head_length;
  guint8 tail[2 * IMGIMPORT_INSPECT_TAIL]; /* its last bytes are those of the stream */
  gsize tail_length;
  guint64 wanted; /* no format needs bytes before this offset */
  Seeker *seekers;
  guint n_seekers;
  gboolean finished;
};

G_DEFINE_FINAL_TYPE (ImgImportInspector, imgimport_inspector, G_TYPE_OBJECT)

static void
clear_seekers (ImgImportInspector *self)
{
  for (guint i = 0; i < self->n_seekers; i++)
    {
      for (guint k = 0; k < self->seekers[i].n_ranges; k++)
        g_free ((gpointer)self->seekers[i].ranges[k].data);
      g_free (self->seekers[i].capture);
    }
  g_clear_pointer (&self->seekers, g_free);
  self->n_seekers = 0;
}

static void
set_formats (ImgImportInspector *self, const ImgImportFormat *const *formats)
{
  clear_seekers (self);
  while (formats[self->n_seekers] != NULL)
    self->n_seekers++;
  self->seekers = g_new0 (Seeker, self->n_seekers);
  for (guint i = 0; i < self->n_seekers; i++)
    {
      self->seekers[i].format = formats[i];
      self->seekers[i].position = IMGIMPORT_INSPECT_HEAD;
      self->seekers[i].done = formats[i]->locate == NULL;
    }
}

static void
imgimport_inspector_finalize (GObject *object)
{
  ImgImportInspector *self = IMGIMPORT_INSPECTOR (object);

  clear_seekers (self);
  g_free (self->head);
  G_OBJECT_CLASS (imgimport_inspector_parent_class)->finalize (object);
}

static void
imgimport_inspector_class_init (ImgImportInspectorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_inspector_finalize;
}

static void
imgimport_inspector_init (ImgImportInspector *self)
{
  set_formats (self, _imgimport_formats ());
  self->head = g_malloc (IMGIMPORT_INSPECT_HEAD);
}

ImgImportInspector *
imgimport_inspector_new (void)
{
  return g_object_new (IMGIMPORT_TYPE_INSPECTOR, NULL);
}

ImgImportInspector *
_imgimport_inspector_new_for (const ImgImportFormat *const *formats)
{
  ImgImportInspector *self = imgimport_inspector_new ();

  set_formats (self, formats);
  return self;
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
      gsize length = MIN (self->tail_length, IMGIMPORT_INSPECT_TAIL);

      view.size = self->size;
      view.tail =
          (ImgImportRange){ self->size - length, length, self->tail + self->tail_length - length };
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
  length = MIN (length, IMGIMPORT_INSPECT_RANGE);
  if (length > self->format->capture - self->captured)
    {
      self->starved = TRUE;
      return FALSE;
    }
  self->captured += length;
  self->ranges[self->n_ranges] = (ImgImportRange){ .offset = offset };
  self->wanted = length;
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

/* The offset of the next byte that it needs; G_MAXUINT64: none. */
static guint64
seeker_next (const Seeker *self)
{
  const ImgImportRange *range = &self->ranges[self->n_ranges];

  return self->done ? G_MAXUINT64 : range->offset + range->length;
}

/* `data` NULL: zeros. */
static void
copy_or_clear (guint8 *target, const guint8 *data, gsize length)
{
  if (data != NULL)
    memcpy (target, data, length);
  else
    memset (target, 0, length);
}

/* Takes what `data`, which lies at `offset` of the stream, holds of the range; whether that
 * completed it. */
static gboolean
seeker_take (Seeker *self, guint64 offset, const guint8 *data, guint64 length)
{
  ImgImportRange *range = &self->ranges[self->n_ranges];
  guint64 skip = seeker_next (self) - offset;
  gsize n;

  /* Never before `offset`: what came earlier was taken or is no part of the range. */
  if (skip >= length)
    return FALSE;
  n = (gsize)MIN (length - skip, self->wanted - range->length);
  copy_or_clear (self->capture + range->length, data != NULL ? data + skip : NULL, n);
  range->length += n;
  return range->length == self->wanted;
}

static void
seeker_feed (Seeker *self, ImgImportInspector *inspector, const guint8 *data, guint64 length)
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
keep_head (ImgImportInspector *self, const guint8 *data, guint64 length)
{
  gsize n = (gsize)MIN (length, IMGIMPORT_INSPECT_HEAD - self->head_length);

  if (n == 0)
    return;
  copy_or_clear (self->head + self->head_length, data, n);
  self->head_length += n;
}

/* Moves only when there is no place left, so that a stream of single bytes is cheap. */
static void
keep_tail (ImgImportInspector *self, const guint8 *data, guint64 length)
{
  gsize take = (gsize)MIN (length, IMGIMPORT_INSPECT_TAIL);

  if (take > sizeof self->tail - self->tail_length)
    {
      gsize keep = IMGIMPORT_INSPECT_TAIL - take;

      memmove (self->tail, self->tail + self->tail_length - keep, keep);
      self->tail_length = keep;
    }
  copy_or_clear (self->tail + self->tail_length, data != NULL ? data + (length - take) : NULL,
                 take);
  self->tail_length += take;
}

/* `data` NULL: zeros. */
static void
take_bytes (ImgImportInspector *self, const guint8 *data, guint64 length)
{
  keep_head (self, data, length);
  keep_tail (self, data, length);
  self->size += length;
  if (self->head_length < IMGIMPORT_INSPECT_HEAD || self->size <= self->wanted)
    return;
  self->wanted = G_MAXUINT64;
  for (guint i = 0; i < self->n_seekers; i++)
    {
      seeker_feed (&self->seekers[i], self, data, length);
      self->wanted = MIN (self->wanted, seeker_next (&self->seekers[i]));
    }
}

void
imgimport_inspector_feed (ImgImportInspector *self, const void *data, gsize length)
{
  g_return_if_fail (IMGIMPORT_IS_INSPECTOR (self) && !self->finished);
  g_return_if_fail (data != NULL || length == 0);
  g_return_if_fail (length <= G_MAXINT64 - self->size);

  if (length > 0)
    take_bytes (self, data, length);
}

void
imgimport_inspector_skip (ImgImportInspector *self, guint64 length)
{
  g_return_if_fail (IMGIMPORT_IS_INSPECTOR (self) && !self->finished);
  g_return_if_fail (length <= G_MAXINT64 - self->size);

  if (length > 0)
    take_bytes (self, NULL, length);
}

/* What the format says at the end: fills a new match, and tells whether it is one. */
static gboolean
seeker_finish (Seeker *self, ImgImportInspector *inspector, ImgImportMatch *match)
{
  ImgImportView view;

  if (self->capture != NULL)
    seeker_close_range (self);
  view = view_of (inspector, self);
  if (!self->format->match (&view, match) && !self->starved)
    return FALSE;
  if (self->starved)
    _imgimport_match_add_check (
        match, IMGIMPORT_INSPECT_CHECK_CAPTURE,
        g_strdup_printf ("its structures have more than %u bytes", (guint)self->format->capture));
  return TRUE;
}

guint64
_imgimport_inspector_next (ImgImportInspector *self)
{
  return self->head_length < IMGIMPORT_INSPECT_HEAD ? self->size : MAX (self->size, self->wanted);
}

ImgImportFacts *
_imgimport_inspector_finish (ImgImportInspector *self)
{
  g_autoptr (ImgImportMatch) match = NULL;
  ImgImportFacts *facts;

  g_return_val_if_fail (!self->finished, NULL);

  self->finished = TRUE;
  facts = _imgimport_facts_new (self->size);
  for (guint i = 0; i < self->n_seekers; i++)
    {
      /* Most formats do not match: what was made for one serves the next. */
      if (match == NULL)
        match = _imgimport_match_new (NULL);
      _imgimport_match_reset (match, self->seekers[i].format->name);
      if (seeker_finish (&self->seekers[i], self, match))
        g_ptr_array_add (facts->matches, g_steal_pointer (&match));
    }
  return facts;
}
