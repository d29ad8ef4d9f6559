/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/journal-segment.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* A segment that has grown to this gets a successor, so that what is forgotten can go. */
#define SEGMENT_MAX ((guint64)4 * 1024 * 1024)
#define CLAIMS "claims"

typedef struct
{
  int dirfd;
  ImgImportSegments segments;
  int claims;  /* bytes of it are locked, nothing is written */
  GMutex lock; /* for everything below, and for writing to segments; not held over a sync */
  GCond cond;
  GPtrArray *own;      /* of ImgImportSegment; the last is written to unless it is full */
  GHashTable *orders;  /* run to a guint64: its next append */
  GHashTable *claimed; /* a set of runs */
  guint64 n_syncs;
  gboolean has_failed; /* a sync did: what of the pages is left is not known */
} Journal;

void
_imgimport_journal_file_free (gpointer data)
{
  Journal *self = data;

  _imgimport_fd_close (self->claims);
  _imgimport_fd_close (self->dirfd);
  _imgimport_segments_clear (&self->segments);
  g_clear_pointer (&self->own, g_ptr_array_unref);
  g_clear_pointer (&self->orders, g_hash_table_unref);
  g_clear_pointer (&self->claimed, g_hash_table_unref);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean
check_run (const char *run, GError **error)
{
  gsize length = strlen (run);

  if (length > 0 && length <= IMGIMPORT_RUN_NAME_MAX && g_utf8_validate (run, -1, NULL))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "run-invalid",
                        "the name of a run in a journal is UTF-8 of 1 to %d bytes",
                        IMGIMPORT_RUN_NAME_MAX);
  return FALSE;
}

/* ---- removing -------------------------------------------------------------------------------- */

static ImgImportSegment *
find_own (Journal *self, const char *name)
{
  guint i;

  for (i = 0; i < self->own->len; i++)
    if (g_str_equal (((ImgImportSegment *)g_ptr_array_index (self->own, i))->name, name))
      return _imgimport_segment_ref (g_ptr_array_index (self->own, i));
  return NULL;
}

/* Marks what the segment holds of the run, and tells whether it is of no use to anybody. */
static gboolean
mark_in (Journal *self, ImgImportSegment *segment, const char *run, gboolean *is_empty,
         GError **error)
{
  gboolean has = TRUE;

  if (run != NULL && !_imgimport_segments_has (&self->segments, segment, run, &has, error))
    return FALSE;
  return !has || _imgimport_segment_forget (segment, run, is_empty, error);
}

/* The same, and removes the segment then. */
static gboolean
forget_in (Journal *self, const char *name, const char *run, gboolean *removed, GError **error)
{
  g_autoptr (ImgImportSegment) segment = find_own (self, name);
  gboolean is_own = segment != NULL;
  gboolean is_empty = FALSE;
  GError *local = NULL;

  if (!is_own)
    segment = _imgimport_segment_open (self->dirfd, name, &local);
  if (segment != NULL)
    mark_in (self, segment, run, &is_empty, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (!is_empty || (!is_own && !_imgimport_file_lock (segment->fd, 0, 0)))
    return TRUE;
  *removed = unlinkat (self->dirfd, name, 0) == 0 || *removed;
  g_ptr_array_remove (self->own, segment);
  return TRUE;
}

static gboolean
file_forget (gpointer data, const char *run, GError **error)
{
  Journal *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  g_autoptr (GPtrArray) names = _imgimport_segments_list (&self->segments, error);
  gboolean removed = FALSE;
  guint i;

  if (names == NULL)
    return FALSE;
  for (i = 0; i < names->len; i++)
    if (!forget_in (self, g_ptr_array_index (names, i), run, &removed, error))
      return FALSE;
  if (run != NULL)
    g_hash_table_remove (self->orders, run);
  return !removed || _imgimport_fd_sync (self->dirfd, error);
}

/* ---- claims ---------------------------------------------------------------------------------- */

/* The byte that stands for the run. That of two runs is the same once in 2^62 pairs. */
static gint64
claim_byte (const char *run)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;
  guint64 value;

  g_checksum_update (checksum, (const guint8 *)run, -1);
  g_checksum_get_digest (checksum, digest, &length);
  memcpy (&value, digest, sizeof value);
  return (gint64)(GUINT64_FROM_LE (value) >> 2);
}

/* Somebody who has put another file in the place of this one has given all claims away. */
static gboolean
is_in_place (Journal *self)
{
  struct stat facts;

  return fstat (self->claims, &facts) == 0 && facts.st_nlink > 0;
}

static gboolean
refuse (const char *run, GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_BUSY, "run-claimed",
                        "run “%s” is being run by somebody else", run);
  return FALSE;
}

/* Whether the run is nobody else's, so that this journal may write to it. */
static gboolean
check_claim (Journal *self, const char *run, GError **error)
{
  if (is_in_place (self) && (g_hash_table_contains (self->claimed, run) ||
                             !_imgimport_file_is_locked (self->claims, claim_byte (run), 1)))
    return TRUE;
  return refuse (run, error);
}

static gboolean
file_claim (gpointer data, const char *run, GError **error)
{
  Journal *self = data;
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!check_run (run, error))
    return FALSE;
  locker = _imgimport_locker_new (&self->lock);
  if (!is_in_place (self) || g_hash_table_contains (self->claimed, run) ||
      !_imgimport_file_lock (self->claims, claim_byte (run), 1))
    return refuse (run, error);
  g_hash_table_add (self->claimed, g_strdup (run));
  /* Whoever had it since may have written. */
  g_hash_table_remove (self->orders, run);
  return TRUE;
}

static void
file_release (gpointer data, const char *run)
{
  Journal *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (!g_hash_table_remove (self->claimed, run))
    return;
  g_hash_table_remove (self->orders, run);
  _imgimport_file_unlock (self->claims, claim_byte (run), 1);
}

/* ---- writing --------------------------------------------------------------------------------- */

static gboolean
check_sound (Journal *self, GError **error)
{
  if (!self->has_failed)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "journal-failed",
                        "the journal takes nothing more: it could not be synced");
  return FALSE;
}

/* Without the lock. */
static gboolean
sync_segment (Journal *self, ImgImportSegment *segment, gboolean is_linked, GError **error)
{
  return _imgimport_fd_sync_data (segment->fd, error) &&
         (is_linked || _imgimport_fd_sync (self->dirfd, error));
}

/* Makes the first `size` bytes of a segment survive a power cut. One thread syncs for all that
 * wait; who comes meanwhile waits for the next sync. */
static gboolean
commit (Journal *self, ImgImportSegment *segment, guint64 size, GError **error)
{
  while (segment->n_synced < size)
    {
      guint64 reached = segment->size;
      gboolean is_linked = segment->is_linked;
      gboolean ok;

      if (!check_sound (self, error))
        return FALSE;
      if (segment->is_syncing)
        {
          g_cond_wait (&self->cond, &self->lock);
          continue;
        }
      segment->is_syncing = TRUE;
      g_mutex_unlock (&self->lock);
      ok = sync_segment (self, segment, is_linked, error);
      g_mutex_lock (&self->lock);
      segment->is_syncing = FALSE;
      self->has_failed |= !ok;
      self->n_syncs++;
      g_cond_broadcast (&self->cond);
      if (!ok)
        return FALSE;
      segment->is_linked = TRUE;
      segment->n_synced = reached;
    }
  return TRUE;
}

/* The segment to write to. A full one is made durable first: later syncs do not reach it. */
static ImgImportSegment *
get_segment (Journal *self, GError **error)
{
  ImgImportSegment *segment = NULL;

  if (self->own->len > 0)
    segment = g_ptr_array_index (self->own, self->own->len - 1);
  while (segment != NULL && segment->size >= SEGMENT_MAX)
    {
      g_autoptr (ImgImportSegment) full = _imgimport_segment_ref (segment);

      if (!commit (self, full, full->size, error))
        return NULL;
      /* While the lock was not held somebody else may have come here first. */
      segment = self->own->len > 0 ? g_ptr_array_index (self->own, self->own->len - 1) : NULL;
      if (segment == full)
        segment = NULL;
    }
  if (segment == NULL)
    {
      segment = _imgimport_segment_create (self->dirfd, error);
      if (segment == NULL)
        return NULL;
      g_ptr_array_add (self->own, segment);
    }
  return _imgimport_segment_ref (segment);
}

static guint64 *
get_order (Journal *self, const char *run, GError **error)
{
  guint64 *order = g_hash_table_lookup (self->orders, run);
  guint64 next;

  if (order != NULL)
    return order;
  if (!_imgimport_segments_load (&self->segments, run, NULL, NULL, &next, error))
    return NULL;
  order = g_memdup2 (&next, sizeof next);
  g_hash_table_insert (self->orders, g_strdup (run), order);
  return order;
}

static gboolean
write_frame (ImgImportSegment *segment, const GByteArray *frame, GError **error)
{
  if (!_imgimport_fd_write_at (segment->fd, segment->size, frame->data, frame->len, error))
    {
      /* What of it was written may stay: the next frame overwrites it. */
      (void)!ftruncate (segment->fd, (off_t)segment->size);
      return FALSE;
    }
  segment->size += frame->len;
  return TRUE;
}

static gboolean
file_append (gpointer data, const char *run, const void *record, gsize length, gboolean durable,
             GError **error)
{
  Journal *self = data;
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  g_autoptr (ImgImportSegment) segment = NULL;
  g_autoptr (ImgImportLocker) locker = NULL;
  guint64 *order;

  if (!check_run (run, error))
    return FALSE;
  if (length == 0 || length > IMGIMPORT_RECORD_MAX)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "record-invalid",
                            "a record has 1 byte to 1 MiB, not %" G_GSIZE_FORMAT, length);
      return FALSE;
    }
  locker = _imgimport_locker_new (&self->lock);
  if (!check_sound (self, error) || !check_claim (self, run, error))
    return FALSE;
  segment = get_segment (self, error);
  order = segment != NULL ? get_order (self, run, error) : NULL;
  if (order == NULL)
    return FALSE;
  _imgimport_frame_append (frame, segment->name, run, *order, record, length);
  if (!write_frame (segment, frame, error))
    return FALSE;
  ++*order;
  return !durable || commit (self, segment, segment->size, error);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Without the lock: the run is the caller's, and `func` may be anything. */
static gboolean
file_load (gpointer data, const char *run, ImgImportJournalFunc func, gpointer func_data,
           GError **error)
{
  Journal *self = data;
  guint64 next;

  if (!check_run (run, error) ||
      !_imgimport_segments_load (&self->segments, run, func, func_data, &next, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->orders, g_strdup (run), g_memdup2 (&next, sizeof next));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

guint64
_imgimport_journal_file_count_syncs (gpointer data)
{
  Journal *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return self->n_syncs;
}

gpointer
_imgimport_journal_file_new (const char *directory, GError **error)
{
  Journal *self = g_new0 (Journal, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->own = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_segment_unref);
  self->orders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->claimed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->claims = -1;
  self->dirfd = _imgimport_dir_open_private (directory, TRUE, error);
  _imgimport_segments_init (&self->segments, self->dirfd);
  if (self->dirfd >= 0)
    {
      self->claims = _imgimport_openat (self->dirfd, CLAIMS, O_RDWR | O_CREAT, S_IRUSR | S_IWUSR);
      if (self->claims < 0)
        _imgimport_set_error_errno (error, errno, "cannot open “%s/%s”", directory, CLAIMS);
    }
  if (self->claims < 0 || !file_forget (self, NULL, error))
    {
      _imgimport_journal_file_free (self);
      return NULL;
    }
  return self;
}

const ImgImportJournalVTable _imgimport_journal_file_vtable = {
  IMGIMPORT_JOURNAL_VTABLE_INIT, .append = file_append, .load = file_load,
  .forget = file_forget,         .claim = file_claim,   .release = file_release,
};
