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

/* Several of them fit a processor's own cache: what the source put there, digests and sinks find.
 */
#define IMGIMPORT_BUFFER_SIZE ((gsize)256 * 1024)

/* ---- digests --------------------------------------------------------------------------------- */

typedef struct _ImgImportDigest ImgImportDigest;

/* Whether this build computes `algorithm` ("md5", "sha512", …: lower case, the names of hashlib).
 */
gboolean _imgimport_digest_is_known (const char *algorithm);
/* NOT_SUPPORTED "digest-unknown". */
ImgImportDigest *_imgimport_digest_new (const char *algorithm, GError **error);
gboolean _imgimport_digest_update (ImgImportDigest *self, const void *data, gsize length,
                                   GError **error);
/* As `length` bytes of zeros. */
gboolean _imgimport_digest_update_zeros (ImgImportDigest *self, guint64 length, GError **error);
/* Lower-case hexadecimal; once. */
char *_imgimport_digest_finish (ImgImportDigest *self, GError **error);
/* Finishes; another digest than `expected` is CORRUPT "digest-mismatch". */
gboolean _imgimport_digest_verify (ImgImportDigest *self, const char *expected, GError **error);
void _imgimport_digest_free (ImgImportDigest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportDigest, _imgimport_digest_free)

/* ---- pass ------------------------------------------------------------------------------------ */

/* Passes over the `*hole` bytes from where the source stands that read as zeros, and answers how
 * many bytes of data follow, IMGIMPORT_SIZE_UNKNOWN where that is not known. */
typedef gboolean (*ImgImportExtentFunc) (gpointer source, guint64 *hole, guint64 *data,
                                         GCancellable *cancellable, GError **error);

typedef struct
{
  ImgImportSourceFunc read;
  ImgImportExtentFunc next_extent; /* NULL: all is data */
  gpointer data;                   /* the `source` of both */
} ImgImportSource;

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
  GHashTable *verify; /* algorithm → hexadecimal: computed too, and compared, else CORRUPT
                         "staging-changed"; may be NULL */
  gboolean inspect;
  gboolean threads;     /* FALSE: everything on the caller's thread */
  gboolean busy_source; /* it keeps its thread busy: the first sink gets one of its own too */
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
/* Pull: reads `source` to its end. Holes, and buffers of nothing but zeros, are told to the stages
 * and not shown to them: sinks leave a gap. */
gboolean _imgimport_pass_pull_sparse (ImgImportPass *self, const ImgImportSource *source,
                                      GCancellable *cancellable, GError **error);
gboolean _imgimport_pass_pull (ImgImportPass *self, ImgImportSourceFunc read, gpointer source,
                               GCancellable *cancellable, GError **error);
/* Waits for all stages, compares digests (CORRUPT "digest-mismatch") and commits the sinks in their
 * order. With no sink that must succeed, at least one must have succeeded, else the first one's
 * error. Fewer bytes than expected is CORRUPT "size-mismatch". On failure `result` is empty, and
 * what was committed already is removed. The pass can then only be freed. */
gboolean _imgimport_pass_finish (ImgImportPass *self, ImgImportPassResult *result,
                                 GCancellable *cancellable, GError **error);
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
gboolean _imgimport_object_source_next_extent (gpointer source, guint64 *hole, guint64 *data,
                                               GCancellable *cancellable, GError **error);

/* An object, or a range of it, as a seekable GInputStream; takes the reader. */
GInputStream *_imgimport_object_stream_new (ImgImportStoreReader *reader, guint64 offset,
                                            guint64 length);
/* Lets the read that reaches the end fail where the digest, which is taken, is not `expected`: for
 * a stream of known length that is read from its beginning without a seek, as one that seeks is
 * checked no more. */
void _imgimport_object_stream_expect (GInputStream *stream, ImgImportDigest *digest,
                                      const char *expected, const char *what);

G_END_DECLS
