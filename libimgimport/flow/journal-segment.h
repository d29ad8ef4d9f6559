/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of a journal in a directory. A segment is written by one process, which holds a lock on
 * it, and read by all; it holds the frames of any number of runs. A frame, numbers little-endian:
 *
 *    0  4 bytes "IGJ1"
 *    4  u32  CRC-32C of the segment's name, of 8 to 23 and of the run's name
 *    8  u64  which append of its run it is, from 0
 *   16  u32  bytes of data
 *   20  u16  bytes of the run's name
 *   22  u16  0
 *   24  8 bytes, all 0; "obsolete" once its run has been forgotten
 *   32       the run's name, the data
 *
 * The data has checksums of its own. After damage to a header the next intact one is looked for:
 * the runs that lost a frame see it by the number that is missing.
 */

#include "flow/flow-private.h"

G_BEGIN_DECLS

#define IMGIMPORT_FRAME_HEADER 32
#define IMGIMPORT_FRAME_MARK_AT 24
#define IMGIMPORT_FRAME_OBSOLETE "obsolete"
#define IMGIMPORT_RUN_NAME_MAX 255

typedef struct
{
  guint64 order;
  guint64 offset; /* in the segment */
  const char *run;
  gsize run_length;
  const guint8 *data;
  gsize length; /* of what is there: a torn frame has less than it should */
  gsize size;   /* the same, of the whole frame */
  gboolean is_obsolete;
  gboolean is_torn;
} ImgImportFrame;

/* `frame` NULL: bytes that belong to no frame were passed over. */
typedef void (*ImgImportFrameFunc) (const ImgImportFrame *frame, gpointer data);

void _imgimport_frame_append (GByteArray *bytes, const char *segment, const char *run,
                              guint64 order, gconstpointer data, gsize length);
/* Answers whether the end is the beginning of a frame whose name is not there yet: that is not
 * passed over. */
gboolean _imgimport_frames_scan (const char *segment, const GByteArray *bytes,
                                 ImgImportFrameFunc func, gpointer data);
gboolean _imgimport_frame_is_of (const ImgImportFrame *self, const char *run);

/* A segment that is open. */
typedef struct
{
  char *name;
  int fd;
  guint64 size;        /* the rest is for one that this process writes */
  guint64 n_synced;    /* bytes that survive a power cut */
  gboolean is_linked;  /* its name does too */
  gboolean is_syncing; /* by some thread, without the journal's lock */
} ImgImportSegment;

ImgImportSegment *_imgimport_segment_ref (ImgImportSegment *self);
void _imgimport_segment_unref (ImgImportSegment *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportSegment, _imgimport_segment_unref)

/* A new one, locked. */
ImgImportSegment *_imgimport_segment_create (int dirfd, GError **error);
/* One that is there; NULL without an error where it is gone. */
ImgImportSegment *_imgimport_segment_open (int dirfd, const char *name, GError **error);
/* The names of all, sorted. */
GPtrArray *_imgimport_segment_list (int dirfd, GError **error);
/* What is there from an offset on. */
GByteArray *_imgimport_segment_read (ImgImportSegment *self, guint64 offset, GError **error);
/* Whether some process has it to write to. */
gboolean _imgimport_segment_is_in_use (ImgImportSegment *self);

/* All segments of a directory. Thread-safe. */
typedef struct
{
  int dirfd; /* borrowed */
  GMutex lock;
  GHashTable *entries; /* under lock: what is known of each */
} ImgImportSegments;

void _imgimport_segments_init (ImgImportSegments *self, int dirfd);
void _imgimport_segments_clear (ImgImportSegments *self);
/* Their names, sorted. */
GPtrArray *_imgimport_segments_list (ImgImportSegments *self, GError **error);
/* Whether the segment may hold anything of the run. Reads each byte of it once. */
gboolean _imgimport_segments_has (ImgImportSegments *self, ImgImportSegment *segment,
                                  const char *run, gboolean *has, GError **error);
/* Answers what they hold of the run; `next` is the order of the append to come. What is lost shows
 * as a record of one NUL byte. `func` may be NULL. */
gboolean _imgimport_segments_load (ImgImportSegments *self, const char *run,
                                   ImgImportJournalFunc func, gpointer func_data, guint64 *next,
                                   GError **error);
/* Marks the run's frames, none for NULL, and answers whether any frame is still of use. */
gboolean _imgimport_segment_forget (ImgImportSegment *self, const char *run, gboolean *is_empty,
                                    GError **error);

/* Locks bytes without waiting, all for a `length` of 0; FALSE where somebody has them. */
gboolean _imgimport_file_lock (int fd, gint64 start, gint64 length);
/* Whether somebody else has one of them. */
gboolean _imgimport_file_is_locked (int fd, gint64 start, gint64 length);
void _imgimport_file_unlock (int fd, gint64 start, gint64 length);

G_END_DECLS
