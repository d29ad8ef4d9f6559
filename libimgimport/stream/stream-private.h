/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The way of the bytes: one pass takes bytes from a source (pull) or a caller (push), counts them
 * against the limit, shows them to the inspector and the digests, and hands them to its sinks.
 * Buffers come from a bounded set, are reference counted and never copied between stages; the
 * slowest stage holds up the source. Digests, and sinks but for the first, work on threads of the
 * pass unless it was told to have none.
 */

#include "inspect/inspect-private.h"
#include "spi/spi-private.h"

G_BEGIN_DECLS

#define IMGIMPORT_BUFFER_SIZE ((gsize)1024 * 1024)

/* ---- digests --------------------------------------------------------------------------------- */

typedef struct _ImgImportDigest ImgImportDigest;

/* Whether this build computes `algorithm` ("md5", "sha512", …: lower case, the names of hashlib).
 */
gboolean _imgimport_digest_is_known (const char *algorithm);
/* NOT_SUPPORTED "digest-unknown". */
ImgImportDigest *_imgimport_digest_new (const char *algorithm, GError **error);
gboolean _imgimport_digest_update (ImgImportDigest *self, const void *data, gsize length,
                                   GError **error);
/* Lower-case hexadecimal; once. */
char *_imgimport_digest_finish (ImgImportDigest *self, GError **error);
void _imgimport_digest_free (ImgImportDigest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportDigest, _imgimport_digest_free)

/* ---- pass ------------------------------------------------------------------------------------ */

/* Reads up to `length` bytes; `*n_read` 0 is the end. */
typedef gboolean (*ImgImportSourceFunc) (gpointer source, void *buffer, gsize length, gsize *n_read,
                                         GCancellable *cancellable, GError **error);

/* Called at most every 100 ms by the pass's clock, and at the end; on the caller's thread. */
typedef void (*ImgImportPassProgressFunc) (guint64 bytes, gpointer user_data);

typedef struct
{
  ImgImportStore *store;
  const char *key;
  gboolean may_fail; /* its failure is its own verdict and does not end the pass */
  GError **failure;  /* nullable; why it failed. To be read when the pass has been freed */
} ImgImportSinkSpec;

typedef struct
{
  guint64 expected;           /* IMGIMPORT_SIZE_UNKNOWN, or enforced both ways */
  guint64 limit;              /* most bytes allowed; IMGIMPORT_SIZE_UNKNOWN: no limit */
  const char *limit_name;     /* what the message calls it: "image_size_cap" */
  const char *const *digests; /* algorithms; NULL or empty: none */
  gboolean inspect;
  gboolean threads; /* FALSE: everything on the caller's thread */
  const ImgImportSinkSpec *sinks;
  guint n_sinks;
  ImgImportClock *clock; /* borrowed during the pass */
  ImgImportPassProgressFunc progress;
  gpointer progress_data;
} ImgImportPassSpec;

/* What became of one sink. */
typedef struct
{
  char *version; /* of the committed object; NULL where it failed */
  GError *error; /* set where a sink that may fail did */
} ImgImportSinkResult;

typedef struct
{
  guint64 size;
  GHashTable *digests;   /* algorithm → hexadecimal */
  ImgImportFacts *facts; /* NULL unless inspected */
  ImgImportSinkResult *sinks;
  guint n_sinks;
} ImgImportPassResult;

void _imgimport_pass_result_clear (ImgImportPassResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImgImportPassResult, _imgimport_pass_result_clear)

typedef struct _ImgImportPass ImgImportPass;

/* Begins all sinks. `spec` and what it points to, but for the clock, stores and progress data, is
 * copied. A sink that cannot begin fails the pass unless it may fail. Expecting more than the limit
 * is LIMIT "image-size-cap" before any sink begins. */
ImgImportPass *_imgimport_pass_new (const ImgImportPassSpec *spec, GCancellable *cancellable,
                                    GError **error);
/* The first error of any stage ends the pass and is what this and each later call answers; also
 * that a call was cancelled.
 *
 * Push: `data` is copied into the pass's buffers. More than expected is CORRUPT "size-mismatch",
 * more than the limit LIMIT "image-size-cap", as soon as it is known. */
gboolean _imgimport_pass_push (ImgImportPass *self, const void *data, gsize length,
                               GCancellable *cancellable, GError **error);
/* Pull: reads `source` to its end. */
gboolean _imgimport_pass_pull (ImgImportPass *self, ImgImportSourceFunc read, gpointer source,
                               GCancellable *cancellable, GError **error);
/* Waits for all stages and commits the sinks in their order. With no sink that must succeed, at
 * least one must have succeeded, else the first one's error. Fewer bytes than expected is CORRUPT
 * "size-mismatch". On failure `result` is empty, and what was committed already is removed. The
 * pass can then only be freed. */
gboolean _imgimport_pass_finish (ImgImportPass *self, ImgImportPassResult *result,
                                 GCancellable *cancellable, GError **error);
/* Taken so far; on the caller's thread. */
guint64 _imgimport_pass_get_bytes (ImgImportPass *self);
/* Aborts all sinks that are not committed; awaits the threads. */
void _imgimport_pass_free (ImgImportPass *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportPass, _imgimport_pass_free)

/* ---- sources --------------------------------------------------------------------------------- */

/* A store's object as a source. */
typedef struct
{
  ImgImportStoreReader *reader;
  guint64 offset;
} ImgImportObjectSource;
gboolean _imgimport_object_source_read (gpointer source, void *buffer, gsize length, gsize *n_read,
                                        GCancellable *cancellable, GError **error);

/* An object, or a range of it, as a seekable GInputStream; takes the reader. Digest checks are the
 * caller's. */
GInputStream *_imgimport_object_stream_new (ImgImportStoreReader *reader, guint64 offset,
                                            guint64 length);

G_END_DECLS
