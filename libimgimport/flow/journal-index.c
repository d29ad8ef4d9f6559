/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/journal-segment.h"

#include <sys/stat.h>

/*
 * Which runs have frames in which segment, as far as this process has read: what is not there need
 * not be read again. It may name runs that have been forgotten since.
 */

typedef struct
{
  guint64 n_read; /* bytes, up to the end of a frame */
  GHashTable *runs;
} Entry;

static void
entry_free (gpointer data)
{
  Entry *self = data;

  g_hash_table_unref (self->runs);
  g_free (self);
}

void
_imgimport_segments_init (ImgImportSegments *self, int dirfd)
{
  self->dirfd = dirfd;
  g_mutex_init (&self->lock);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, entry_free);
}

void
_imgimport_segments_clear (ImgImportSegments *self)
{
  g_hash_table_unref (self->entries);
  g_mutex_clear (&self->lock);
}

static Entry *
get_entry (ImgImportSegments *self, const char *segment)
{
  Entry *entry = g_hash_table_lookup (self->entries, segment);

  if (entry != NULL)
    return entry;
  entry = g_new0 (Entry, 1);
  entry->runs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (self->entries, g_strdup (segment), entry);
  return entry;
}

typedef struct
{
  Entry *entry;
  guint64 n_before; /* bytes that were read earlier */
} Reader;

static void
note_frame (const ImgImportFrame *frame, gpointer data)
{
  Reader *self = data;

  if (frame == NULL)
    return;
  /* What is torn may be taken back, and another frame written in its place. */
  self->entry->n_read = self->n_before + frame->offset + (frame->is_torn ? 0 : frame->size);
  if (!frame->is_obsolete)
    g_hash_table_add (self->entry->runs, g_strndup (frame->run, frame->run_length));
}

/* Reads what the segment has got since. */
static gboolean
read_on (Entry *entry, ImgImportSegment *segment, GError **error)
{
  g_autoptr (GByteArray) bytes = _imgimport_segment_read (segment, entry->n_read, error);
  Reader reader = { entry, entry->n_read };

  if (bytes == NULL)
    return FALSE;
  _imgimport_frames_scan (segment->name, bytes, note_frame, &reader);
  return TRUE;
}

gboolean
_imgimport_segments_has (ImgImportSegments *self, ImgImportSegment *segment, const char *run,
                         gboolean *has, GError **error)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  Entry *entry = get_entry (self, segment->name);

  if (!read_on (entry, segment, error))
    return FALSE;
  *has = g_hash_table_contains (entry->runs, run);
  return TRUE;
}

static gboolean
is_unlisted (gpointer segment, gpointer entry, gpointer names)
{
  return !g_ptr_array_find_with_equal_func (names, segment, g_str_equal, NULL);
}

GPtrArray *
_imgimport_segments_list (ImgImportSegments *self, GError **error)
{
  GPtrArray *names = _imgimport_segment_list (self->dirfd, error);
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (names != NULL && g_hash_table_size (self->entries) > names->len)
    g_hash_table_foreach_remove (self->entries, is_unlisted, names);
  return names;
}
