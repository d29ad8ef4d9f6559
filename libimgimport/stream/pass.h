/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of a pass. The caller's thread fills a buffer and hands it to every stage; each stage
 * consumes its queue on its thread, or on the caller's where it has none; the last stage to let go
 * of a buffer gives it back. One lock guards queues and buffers and is never held while a stage
 * works.
 */

#include "stream/stream-private.h"

G_BEGIN_DECLS

#define IMGIMPORT_PASS_N_BUFFERS 16u

typedef struct
{
  guint8 *data;     /* as much as the pass's `buffer_size` */
  gboolean is_hole; /* `length` zeros, that are not in `data` */
  guint64 length;
  guint64 offset;
  guint refs; /* stages that still need it; under the lock */
} ImgImportPassBuffer;

typedef struct
{
  ImgImportPass *pass;
  ImgImportStore *store;
  char *key;
  gboolean may_fail;
  GError **failure;             /* nullable */
  ImgImportStoreWriter *writer; /* NULL once committed or failed */
  char *version;                /* once committed */
  GError *error;                /* why it failed, where it may */
} ImgImportPassSink;

/* A digest or a sink. Nothing but the queue is touched by two threads at once. */
typedef struct
{
  ImgImportPass *pass;
  char *algorithm; /* of a digest, else NULL */
  ImgImportDigest *digest;
  ImgImportPassSink *sink;
  gboolean on_caller; /* has and will have no thread */
  GThread *thread;
  GCond ready;
  ImgImportPassBuffer *queue[IMGIMPORT_PASS_N_BUFFERS];
  guint queue_head;
  guint n_queued;
} ImgImportPassStage;

struct _ImgImportPass
{
  guint64 expected;
  guint64 limit;
  gsize buffer_size; /* of all that is expected and a byte, up to IMGIMPORT_BUFFER_SIZE */
  char *limit_name;
  GHashTable *verify; /* NULL: none */
  ImgImportClock *clock;
  ImgImportPassProgressFunc progress;
  gpointer progress_data;
  GCancellable *stop; /* fires with the caller's cancellable, and at the first error */
  ImgImportPassStage *stages;
  guint n_stages;
  ImgImportPassSink *sinks;
  guint n_sinks;

  /* The caller's thread only. */
  ImgImportInspector *inspector;
  ImgImportPassBuffer *current; /* being filled */
  guint64 bytes;                /* taken from the source */
  guint64 dispatched;           /* of these, handed to the stages */
  gint64 reported_us;
  gboolean finished;

  GMutex lock;
  /* Under the lock. */
  GCond released;
  ImgImportPassBuffer *buffers[IMGIMPORT_PASS_N_BUFFERS]; /* the first n_free are free */
  guint n_free;
  guint n_buffers;
  guint n_live_sinks;
  gboolean closing;
  GError *error; /* the first one */
};

/* ---- pass-feed.c ----------------------------------------------------------------------------- */

/* Until g_cancellable_disconnect(), what the caller cancels stops the pass. */
gulong _imgimport_pass_link (ImgImportPass *self, GCancellable *outer);
void _imgimport_pass_set_limit_error (ImgImportPass *self, GError **error);
/* CORRUPT "size-mismatch": "more" or "fewer" bytes than expected. */
void _imgimport_pass_fail_size (ImgImportPass *self, const char *word);
void _imgimport_pass_report (ImgImportPass *self, gboolean at_end);
/* Dispatches the current buffer once it holds at least `enough`. */
void _imgimport_pass_hand_on (ImgImportPass *self, gsize enough);

/* ---- pass-pump.c ----------------------------------------------------------------------------- */

/* An empty buffer; waits for one. */
ImgImportPassBuffer *_imgimport_pass_acquire (ImgImportPass *self);
/* Takes `buffer`, which was acquired and is not empty. */
void _imgimport_pass_dispatch (ImgImportPass *self, ImgImportPassBuffer *buffer);
/* Waits until all that was dispatched is consumed; ends the threads. Idempotent. */
void _imgimport_pass_close (ImgImportPass *self);
void _imgimport_pass_release (ImgImportPass *self, ImgImportPassBuffer *buffer);
void _imgimport_pass_free_buffers (ImgImportPass *self);

/* Ends the pass with `error`, which is taken, unless an earlier one has. Any thread. */
void _imgimport_pass_fail (ImgImportPass *self, GError *error);
/* Whether it has failed, and the first error. */
gboolean _imgimport_pass_get_error (ImgImportPass *self, GError **error);
/* As above, negated; and that it was cancelled is a failure too. */
gboolean _imgimport_pass_check (ImgImportPass *self, GError **error);

/* ---- pass-sink.c ----------------------------------------------------------------------------- */

void _imgimport_pass_sink_init (ImgImportPassSink *self, ImgImportPass *pass,
                                const ImgImportSinkSpec *spec);
void _imgimport_pass_sink_begin (ImgImportPassSink *self);
void _imgimport_pass_sink_write (ImgImportPassSink *self, const ImgImportPassBuffer *buffer);
/* Commits all sinks in their order; where the pass fails, removes what was committed. */
gboolean _imgimport_pass_commit (ImgImportPass *self, GError **error);
void _imgimport_pass_sink_clear (ImgImportPassSink *self);

G_END_DECLS
