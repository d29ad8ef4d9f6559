/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the bytes of an inspection come from: read to their end, or, where that can be, only as far
 * as a format needs them. */

#include <sys/stat.h>

#include "inspect/format.h"

#define BUFFER ((gsize)64 * 1024)

typedef struct _Source Source;

struct _Source
{
  /* Fills the buffer unless the end comes first; `*n` 0 is the end. `at` rises from call to call.
   */
  gboolean (*read) (Source *self, guint64 at, void *buffer, gsize length, gsize *n, GError **error);
  GCancellable *cancellable;
  guint64 size; /* IMGIMPORT_SIZE_UNKNOWN where it cannot seek */
  int fd;
  GInputStream *stream;
  gint64 start; /* of a stream that can seek */
};

static gboolean
read_fd (Source *self, guint64 at, void *buffer, gsize length, gsize *n, GError **error)
{
  return _imgimport_fd_read (self->fd, buffer, length, n, self->cancellable, error);
}

static gboolean
read_file (Source *self, guint64 at, void *buffer, gsize length, gsize *n, GError **error)
{
  return _imgimport_fd_read_at (self->fd, at, buffer, length, n, error);
}

static gboolean
read_stream (Source *self, guint64 at, void *buffer, gsize length, gsize *n, GError **error)
{
  if ((self->size == IMGIMPORT_SIZE_UNKNOWN ||
       g_seekable_seek (G_SEEKABLE (self->stream), self->start + (goffset)at, G_SEEK_SET,
                        self->cancellable, error)) &&
      g_input_stream_read_all (self->stream, buffer, length, n, self->cancellable, error))
    return TRUE;
  _imgimport_error_normalize (error, "reading the image");
  return FALSE;
}

/* The offset of the next byte to read: what lies before it, no format looks at. */
static guint64
next_offset (const Source *self, ImgImportInspector *inspector, guint64 at)
{
  guint64 tail = self->size - MIN (self->size, IMGIMPORT_INSPECT_TAIL);

  return MAX (at, MIN (tail, _imgimport_inspector_next (inspector)));
}

static gboolean
read_all (Source *self, ImgImportInspector *inspector, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (BUFFER);
  gboolean seeks = self->size != IMGIMPORT_SIZE_UNKNOWN;
  guint64 at = 0;
  gsize n = BUFFER;

  while (n > 0 && at < self->size)
    {
      guint64 next = seeks ? next_offset (self, inspector, at) : at;
      gsize length = (gsize)MIN (BUFFER, self->size - next);

      if (g_cancellable_set_error_if_cancelled (self->cancellable, error) ||
          !self->read (self, next, buffer, length, &n, error))
        return FALSE;
      imgimport_inspector_skip (inspector, next - at);
      imgimport_inspector_feed (inspector, buffer, n);
      at = next + n;
    }
  if (!seeks || at == self->size)
    return TRUE;
  _imgimport_set_error (
      error, IMGIMPORT_ERROR_CORRUPT, "source-changed",
      "the image had %" G_GUINT64_FORMAT " bytes, and now only %" G_GUINT64_FORMAT, self->size, at);
  return FALSE;
}

static ImgImportInspection *
inspect (Source *self, GError **error)
{
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();

  return read_all (self, inspector, error) ? imgimport_inspector_finish (inspector) : NULL;
}

ImgImportInspection *
imgimport_inspection_new_from_fd (int fd, GCancellable *cancellable, GError **error)
{
  Source source = {
    .read = read_fd, .cancellable = cancellable, .size = IMGIMPORT_SIZE_UNKNOWN, .fd = fd
  };
  struct stat status;

  if (fstat (fd, &status) != 0)
    {
      _imgimport_set_error_errno (error, errno, "the image");
      return NULL;
    }
  /* Files that the kernel makes up say that they are empty. */
  if (S_ISREG (status.st_mode) && status.st_size > 0)
    {
      source.read = read_file;
      source.size = (guint64)status.st_size;
    }
  return inspect (&source, error);
}

/* How much there is from the current position on. */
static gboolean
find_size (Source *self, GError **error)
{
  GSeekable *seekable = G_SEEKABLE (self->stream);

  self->start = g_seekable_tell (seekable);
  if (!g_seekable_seek (seekable, 0, G_SEEK_END, self->cancellable, error))
    {
      _imgimport_error_normalize (error, "seeking in the image");
      return FALSE;
    }
  self->size = (guint64)MAX (0, g_seekable_tell (seekable) - self->start);
  return TRUE;
}

ImgImportInspection *
imgimport_inspection_new_from_stream (GInputStream *stream, GCancellable *cancellable,
                                      GError **error)
{
  Source source = { .read = read_stream,
                    .cancellable = cancellable,
                    .size = IMGIMPORT_SIZE_UNKNOWN,
                    .stream = stream };

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), NULL);

  if (G_IS_SEEKABLE (stream) && g_seekable_can_seek (G_SEEKABLE (stream)) &&
      !find_size (&source, error))
    return NULL;
  return inspect (&source, error);
}
