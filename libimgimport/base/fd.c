/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CANCEL_LATENCY_MS 50

void
_imgimport_fd_close (int fd)
{
  int saved_errno = errno;

  if (fd >= 0)
    (void)close (fd);
  errno = saved_errno;
}

gboolean
_imgimport_fd_write_at (int fd, guint64 offset, const void *data, gsize length, GError **error)
{
  const guint8 *from = data;

  if (offset > G_MAXINT64 || length > G_MAXINT64 - offset)
    {
      _imgimport_set_error_errno (error, EFBIG, "write at %" G_GUINT64_FORMAT, offset);
      return FALSE;
    }
  while (length > 0)
    {
      gssize n = pwrite (fd, from, length, (off_t)offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          _imgimport_set_error_errno (error, n < 0 ? errno : EIO, "write at %" G_GUINT64_FORMAT,
                                      offset);
          return FALSE;
        }
      from += n;
      offset += (guint64)n;
      length -= (gsize)n;
    }
  return TRUE;
}

gboolean
_imgimport_fd_read_at (int fd, guint64 offset, void *buffer, gsize length, gsize *n_read,
                       GError **error)
{
  guint8 *to = buffer;

  *n_read = 0;
  /* No file goes further. */
  if (offset > G_MAXINT64)
    return TRUE;
  length = (gsize)MIN (length, G_MAXINT64 - offset);
  while (*n_read < length)
    {
      gssize n = pread (fd, to + *n_read, length - *n_read, (off_t)(offset + *n_read));

      if (n == 0)
        break;
      if (n > 0)
        *n_read += (gsize)n;
      else if (errno != EINTR)
        {
          _imgimport_set_error_errno (error, errno, "read at %" G_GUINT64_FORMAT, offset + *n_read);
          return FALSE;
        }
    }
  return TRUE;
}

/* Waits until `fd` may be ready or the operation is cancelled. Looks at the cancellable itself: its
 * own descriptor costs two system calls each time, and GLib aborts the process where there is none
 * to be had. */
static gboolean
wait_for (int fd, gushort events, GCancellable *cancellable, GError **error)
{
  GPollFD poll_fd = { .fd = fd, .events = events };
  const gint timeout_ms = cancellable != NULL ? CANCEL_LATENCY_MS : -1;

  do
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
  while (g_poll (&poll_fd, 1, timeout_ms) == 0);
  return TRUE;
}

/* A reader that is gone must not kill the host, whose signal dispositions are not ours: the signal
 * is held back in this thread and eaten. One that was pending before is not ours to eat. */
static gssize
write_without_sigpipe (int fd, const void *data, gsize length)
{
  const struct timespec at_once = { 0, 0 };
  sigset_t sigpipe;
  sigset_t pending;
  sigset_t old;
  gssize n;
  int saved_errno;

  (void)sigemptyset (&sigpipe);
  (void)sigaddset (&sigpipe, SIGPIPE);
  (void)sigemptyset (&pending);
  (void)sigpending (&pending);
  (void)pthread_sigmask (SIG_BLOCK, &sigpipe, &old);
  n = write (fd, data, length);
  saved_errno = errno;
  if ((n < 0 || (gsize)n < length) && sigismember (&pending, SIGPIPE) == 0)
    (void)sigtimedwait (&sigpipe, NULL, &at_once);
  (void)pthread_sigmask (SIG_SETMASK, &old, NULL);
  errno = saved_errno;
  return n;
}

gboolean
_imgimport_fd_write_all (int fd, const void *data, gsize length, GCancellable *cancellable,
                         GError **error)
{
  const guint8 *from = data;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  while (length > 0)
    {
      gssize n = write_without_sigpipe (fd, from, length);

      if (n > 0)
        {
          from += n;
          length -= (gsize)n;
          continue;
        }
      if (n == 0 || (errno != EINTR && errno != EAGAIN))
        {
          _imgimport_set_error_errno (error, n < 0 ? errno : EIO, "write");
          return FALSE;
        }
      if (!wait_for (fd, G_IO_OUT, cancellable, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
_imgimport_fd_read (int fd, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
                    GError **error)
{
  /* Before the read, so that one of a blocking descriptor can be cancelled too. */
  gboolean wait = cancellable != NULL;

  *n_read = 0;
  for (;;)
    {
      gssize n;

      if (wait && !wait_for (fd, G_IO_IN, cancellable, error))
        return FALSE;
      n = read (fd, buffer, length);
      if (n >= 0)
        {
          *n_read = (gsize)n;
          return TRUE;
        }
      if (errno != EINTR && errno != EAGAIN)
        {
          _imgimport_set_error_errno (error, errno, "read");
          return FALSE;
        }
      wait = TRUE;
    }
}

void
_imgimport_fd_next_extent (int fd, guint64 offset, guint64 *start, guint64 *end)
{
  struct stat info;
  off_t data = offset <= G_MAXINT64 ? lseek (fd, (off_t)offset, SEEK_DATA) : -1;
  off_t hole = data >= 0 ? lseek (fd, data, SEEK_HOLE) : -1;

  *start = offset;
  *end = G_MAXUINT64;
  if (data >= 0)
    *start = MAX (offset, (guint64)data);
  else if (offset <= G_MAXINT64 && errno == ENXIO && fstat (fd, &info) == 0 &&
           (guint64)info.st_size >= offset)
    *start = *end = (guint64)info.st_size;
  if (hole > data)
    *end = (guint64)hole;
}

gboolean
_imgimport_is_zero (const void *data, gsize length)
{
  const guint8 *bytes = data;

  /* Each byte equals its predecessor: one comparison by the C library's fastest loop. */
  return length == 0 || (bytes[0] == 0 && memcmp (bytes, bytes + 1, length - 1) == 0);
}

static gboolean
sync_with (int (*call) (int fd), int fd, GError **error)
{
  int result;

  do
    result = call (fd);
  while (result != 0 && errno == EINTR);
  if (result != 0)
    _imgimport_set_error_errno (error, errno, "sync");
  return result == 0;
}

gboolean
_imgimport_fd_sync (int fd, GError **error)
{
  return sync_with (fsync, fd, error);
}

gboolean
_imgimport_fd_sync_data (int fd, GError **error)
{
  return sync_with (fdatasync, fd, error);
}
