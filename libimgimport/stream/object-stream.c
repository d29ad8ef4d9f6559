/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stream/stream-private.h"

gboolean
_imgimport_object_source_read (gpointer source, void *buffer, gsize length, gsize *n_read,
                               GCancellable *cancellable, GError **error)
{
  ImgImportObjectSource *self = source;

  if (!_imgimport_store_reader_read (self->reader, self->offset, buffer, length, n_read,
                                     cancellable, error))
    return FALSE;
  self->offset += *n_read;
  return TRUE;
}

gboolean
_imgimport_object_source_next_extent (gpointer source, guint64 *hole, guint64 *data,
                                      GCancellable *cancellable, GError **error)
{
  ImgImportObjectSource *self = source;
  guint64 start = 0;
  guint64 end = 0;

  if (!_imgimport_store_reader_next_extent (self->reader, self->offset, &start, &end, cancellable,
                                            error))
    return FALSE;
  *hole = start - self->offset;
  *data = end == IMGIMPORT_SIZE_UNKNOWN ? IMGIMPORT_SIZE_UNKNOWN : end - start;
  self->offset = start;
  return TRUE;
}

#define IMGIMPORT_TYPE_OBJECT_STREAM (_imgimport_object_stream_get_type ())
G_DECLARE_FINAL_TYPE (ImgImportObjectStream, _imgimport_object_stream, IMGIMPORT, OBJECT_STREAM,
                      GInputStream)

struct _ImgImportObjectStream
{
  GInputStream parent_instance;
  ImgImportStoreReader *reader; /* NULL once closed */
  guint64 offset;               /* where the range begins */
  guint64 length;               /* of the range; IMGIMPORT_SIZE_UNKNOWN: to the object's end */
  guint64 position;             /* within the range */
  ImgImportDigest *digest;      /* of all before `position`; NULL: none to compare */
  char *expected;
  char *what;
};

static void _imgimport_object_stream_seekable_init (GSeekableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ImgImportObjectStream, _imgimport_object_stream, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE,
                                                      _imgimport_object_stream_seekable_init))

/* Whoever stops at the last byte learns of it too. */
static gboolean
check_digest (ImgImportObjectStream *self, const void *buffer, gsize n_read, GError **error)
{
  if (self->digest == NULL)
    return TRUE;
  if (!_imgimport_digest_update (self->digest, buffer, n_read, error))
    return FALSE;
  if (n_read > 0 && self->position + n_read < self->length)
    return TRUE;
  if (!_imgimport_digest_verify (self->digest, self->expected, error))
    {
      _imgimport_error_prefix (error, "%s", self->what);
      return FALSE;
    }
  g_clear_pointer (&self->digest, _imgimport_digest_free);
  return TRUE;
}

static gssize
object_stream_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
                    GError **error)
{
  ImgImportObjectStream *self = IMGIMPORT_OBJECT_STREAM (stream);
  gsize n_read = 0;

  if (self->length != IMGIMPORT_SIZE_UNKNOWN)
    count = (gsize)MIN (count, self->length - self->position);
  if (count == 0)
    return 0;
  if (!_imgimport_store_reader_read (self->reader, self->offset + self->position, buffer, count,
                                     &n_read, cancellable, error) ||
      !check_digest (self, buffer, n_read, error))
    return -1;
  self->position += n_read;
  return (gssize)n_read;
}

static gboolean
object_stream_close (GInputStream *stream, GCancellable *cancellable, GError **error)
{
  ImgImportObjectStream *self = IMGIMPORT_OBJECT_STREAM (stream);

  g_clear_pointer (&self->reader, _imgimport_store_reader_close);
  return TRUE;
}

static goffset
object_stream_tell (GSeekable *seekable)
{
  return (goffset)IMGIMPORT_OBJECT_STREAM (seekable)->position;
}

static gboolean
object_stream_can_seek (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
object_stream_can_truncate (GSeekable *seekable)
{
  return FALSE;
}

/* What a seek counts from; FALSE where the end is not known. */
static gboolean
seek_base (ImgImportObjectStream *self, GSeekType type, guint64 *base)
{
  switch (type)
    {
    case G_SEEK_SET:
      *base = 0;
      return TRUE;
    case G_SEEK_CUR:
      *base = self->position;
      return TRUE;
    case G_SEEK_END:
      *base = self->length;
      return self->length != IMGIMPORT_SIZE_UNKNOWN;
    default:
      return FALSE;
    }
}

static gboolean
seek_to (ImgImportObjectStream *self, goffset offset, GSeekType type, GError **error)
{
  guint64 limit = MIN (self->length, (guint64)G_MAXINT64);
  guint64 base = 0;

  if (!seek_base (self, type, &base))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "seek-unsupported",
                            "cannot seek from the end of an object of unknown size");
      return FALSE;
    }
  /* Negated as unsigned: right also for the least value. */
  if (offset < 0 ? -(guint64)offset > base : (guint64)offset > limit - base)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "seek-invalid",
                            "cannot seek outside of the object");
      return FALSE;
    }
  if (self->position != base + (guint64)offset)
    g_clear_pointer (&self->digest, _imgimport_digest_free);
  self->position = base + (guint64)offset;
  return TRUE;
}

static gboolean
object_stream_seek (GSeekable *seekable, goffset offset, GSeekType type, GCancellable *cancellable,
                    GError **error)
{
  GInputStream *stream = G_INPUT_STREAM (seekable);
  gboolean ok;

  if (!g_input_stream_set_pending (stream, error))
    return FALSE;
  ok = seek_to (IMGIMPORT_OBJECT_STREAM (seekable), offset, type, error);
  g_input_stream_clear_pending (stream);
  return ok;
}

static gboolean
object_stream_truncate (GSeekable *seekable, goffset offset, GCancellable *cancellable,
                        GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "truncate-unsupported",
                        "an object cannot be truncated");
  return FALSE;
}

static void
_imgimport_object_stream_seekable_init (GSeekableIface *iface)
{
  iface->tell = object_stream_tell;
  iface->can_seek = object_stream_can_seek;
  iface->seek = object_stream_seek;
  iface->can_truncate = object_stream_can_truncate;
  iface->truncate_fn = object_stream_truncate;
}

static void
object_stream_finalize (GObject *object)
{
  ImgImportObjectStream *self = IMGIMPORT_OBJECT_STREAM (object);

  g_clear_pointer (&self->reader, _imgimport_store_reader_close);
  g_clear_pointer (&self->digest, _imgimport_digest_free);
  g_free (self->expected);
  g_free (self->what);
  G_OBJECT_CLASS (_imgimport_object_stream_parent_class)->finalize (object);
}

static void
_imgimport_object_stream_class_init (ImgImportObjectStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = object_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = object_stream_read;
  G_INPUT_STREAM_CLASS (klass)->close_fn = object_stream_close;
}

static void
_imgimport_object_stream_init (ImgImportObjectStream *self)
{
}

GInputStream *
_imgimport_object_stream_new (ImgImportStoreReader *reader, guint64 offset, guint64 length)
{
  ImgImportObjectStream *self = g_object_new (IMGIMPORT_TYPE_OBJECT_STREAM, NULL);

  self->reader = reader;
  self->offset = offset;
  self->length = length;
  return G_INPUT_STREAM (self);
}

void
_imgimport_object_stream_expect (GInputStream *stream, ImgImportDigest *digest,
                                 const char *expected, const char *what)
{
  ImgImportObjectStream *self = IMGIMPORT_OBJECT_STREAM (stream);

  self->digest = digest;
  self->expected = g_strdup (expected);
  self->what = g_strdup (what);
}
