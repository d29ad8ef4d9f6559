/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/journal-segment.h"

/* What the segments hold of one run. */

typedef struct
{
  guint64 order;
  GBytes *data; /* NULL: after this one something was damaged */
} Found;

typedef struct
{
  const char *run;
  GArray *found;
  guint64 last; /* in this segment */
  gboolean has_last;
  gboolean is_damaged; /* after `last` */
} Collector;

static void
clear_found (gpointer data)
{
  g_clear_pointer (&((Found *)data)->data, g_bytes_unref);
}

static void
collect (const ImgImportFrame *frame, gpointer data)
{
  Collector *self = data;
  Found found;

  if (frame == NULL)
    {
      self->is_damaged = TRUE;
      return;
    }
  if (frame->is_obsolete || !_imgimport_frame_is_of (frame, self->run))
    return;
  found.order = frame->order;
  found.data = g_bytes_new (frame->data, frame->length);
  g_array_append_val (self->found, found);
  self->last = frame->order;
  self->has_last = TRUE;
  self->is_damaged = FALSE;
}

static gint
compare_found (gconstpointer a, gconstpointer b)
{
  const Found *one = a;
  const Found *other = b;

  if (one->order != other->order)
    return one->order < other->order ? -1 : 1;
  return (one->data == NULL) - (other->data == NULL);
}

/* What a process wrote that has died since may not be on the disk: others will rely on it. What one
 * that lives is writing is of another run. */
static gboolean
collect_segment (Collector *self, ImgImportSegment *segment, GError **error)
{
  g_autoptr (GByteArray) bytes = _imgimport_segment_read (segment, 0, error);

  if (bytes == NULL)
    return FALSE;
  self->has_last = FALSE;
  self->is_damaged = FALSE;
  if (_imgimport_frames_scan (segment->name, bytes, collect, self))
    self->is_damaged |= !_imgimport_segment_is_in_use (segment);
  if (!self->has_last)
    return TRUE;
  if (self->is_damaged)
    {
      Found damage = { self->last, NULL };

      g_array_append_val (self->found, damage);
    }
  return _imgimport_fd_sync_data (segment->fd, error);
}

static gboolean
collect_named (Collector *self, ImgImportSegments *segments, const char *name, GError **error)
{
  GError *local = NULL;
  g_autoptr (ImgImportSegment) segment = _imgimport_segment_open (segments->dirfd, name, &local);
  gboolean has = FALSE;

  if (local == NULL && segment != NULL &&
      _imgimport_segments_has (segments, segment, self->run, &has, &local) && has)
    collect_segment (self, segment, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

static GArray *
collect_run (ImgImportSegments *segments, const char *run, GError **error)
{
  g_autoptr (GPtrArray) names = _imgimport_segments_list (segments, error);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Found));
  Collector collector = { .run = run, .found = found };
  guint i;

  if (names == NULL)
    return NULL;
  g_array_set_clear_func (found, clear_found);
  for (i = 0; i < names->len; i++)
    if (!collect_named (&collector, segments, g_ptr_array_index (names, i), error))
      return NULL;
  g_array_sort (found, compare_found);
  return g_steal_pointer (&found);
}

/* Answers the records, and one NUL byte, which is no record, in place of what is missing. */
static void
deliver (GArray *found, ImgImportJournalFunc func, gpointer func_data)
{
  guint64 expected = 0;
  guint i;

  for (i = 0; i < found->len; i++)
    {
      const Found *one = &g_array_index (found, Found, i);
      gboolean is_last = i + 1 == found->len;
      gsize length = 0;
      gconstpointer data;

      if (one->order > expected && !func ("", 1, func_data))
        return;
      expected = one->order + (one->data != NULL ? 1 : 0);
      if (one->data == NULL && !is_last)
        continue;
      data = one->data != NULL ? g_bytes_get_data (one->data, &length) : NULL;
      if (length == 0 ? !func ("", 1, func_data) : !func (data, length, func_data))
        return;
    }
}

gboolean
_imgimport_segments_load (ImgImportSegments *self, const char *run, ImgImportJournalFunc func,
                          gpointer func_data, guint64 *next, GError **error)
{
  g_autoptr (GArray) found = collect_run (self, run, error);

  if (found == NULL)
    return FALSE;
  *next = found->len > 0 ? g_array_index (found, Found, found->len - 1).order + 1 : 0;
  if (func != NULL)
    deliver (found, func, func_data);
  return TRUE;
}

/* ---- forgetting ------------------------------------------------------------------------------ */

typedef struct
{
  const char *run; /* NULL: none */
  ImgImportSegment *segment;
  guint n_left;
  GError *error;
} Marker;

static void
mark (const ImgImportFrame *frame, gpointer data)
{
  Marker *self = data;

  if (frame == NULL || frame->is_obsolete || self->error != NULL)
    return;
  if (self->run == NULL || !_imgimport_frame_is_of (frame, self->run))
    self->n_left++;
  else
    _imgimport_fd_write_at (self->segment->fd, frame->offset + IMGIMPORT_FRAME_MARK_AT,
                            IMGIMPORT_FRAME_OBSOLETE, strlen (IMGIMPORT_FRAME_OBSOLETE),
                            &self->error);
}

gboolean
_imgimport_segment_forget (ImgImportSegment *self, const char *run, gboolean *is_empty,
                           GError **error)
{
  g_autoptr (GByteArray) bytes = _imgimport_segment_read (self, 0, error);
  Marker marker = { .run = run, .segment = self };

  if (bytes == NULL)
    return FALSE;
  _imgimport_frames_scan (self->name, bytes, mark, &marker);
  *is_empty = marker.n_left == 0;
  if (marker.error == NULL)
    return TRUE;
  g_propagate_error (error, marker.error);
  return FALSE;
}
