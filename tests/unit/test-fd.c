/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG ((gsize)1024 * 1024)

typedef struct
{
  GThread *thread;
  GCancellable *cancellable;
  int fd;
  GByteArray *bytes; /* read, or to be written */
} Peer;

static void
assert_bytes (const void *bytes, gsize length, const void *expected, gsize expected_length)
{
  g_assert_cmpuint (length, ==, expected_length);
  g_assert_cmpint (memcmp (bytes, expected, length), ==, 0);
}

static int
memory_file (void)
{
  int fd = memfd_create ("test", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
make_pipe (int fds[2], gboolean blocking)
{
  g_assert_cmpint (pipe2 (fds, O_CLOEXEC | (blocking ? 0 : O_NONBLOCK)), ==, 0);
}

static void
assert_errno_error (const GError *error, int code, const char *prefix, int number)
{
  g_autofree char *message = g_strdup_printf ("%s: %s", prefix, g_strerror (number));

  g_assert_error (error, IMGIMPORT_ERROR, code);
  g_assert_cmpstr (error->message, ==, message);
}

static void
close_keeps_errno_and_ignores_none (void)
{
  int fd = memory_file ();
  int stolen = _imgimport_fd_steal (&fd);

  g_assert_cmpint (fd, ==, -1);
  errno = ENOTTY;
  _imgimport_fd_close (stolen);
  g_assert_cmpint (errno, ==, ENOTTY);
  _imgimport_fd_close (-1);
  g_assert_cmpint (errno, ==, ENOTTY);
  g_assert_cmpint (fcntl (stolen, F_GETFD), ==, -1);
}

static void
bytes_are_written_and_read_at_offsets (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (ImgImportFd) fd = memory_file ();
  char buffer[16] = "";
  gsize n = 99;

  g_assert_true (_imgimport_fd_write_at (fd, 4, "data", 4, &error));
  g_assert_true (_imgimport_fd_write_at (fd, 0, NULL, 0, &error));
  g_assert_true (_imgimport_fd_read_at (fd, 2, buffer, sizeof buffer, &n, &error));
  assert_bytes (buffer, n, "\0\0data", 6);
  g_assert_true (_imgimport_fd_read_at (fd, 6, buffer, 1, &n, &error));
  assert_bytes (buffer, n, "t", 1);
  g_assert_true (_imgimport_fd_read_at (fd, 8, buffer, sizeof buffer, &n, &error));
  g_assert_cmpuint (n, ==, 0);
  n = 99;
  g_assert_true (_imgimport_fd_read_at (fd, G_MAXUINT64, buffer, sizeof buffer, &n, &error));
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (_imgimport_fd_read_at (fd, G_MAXINT64 - 1, buffer, sizeof buffer, &n, &error));
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (_imgimport_fd_sync (fd, &error));
  g_assert_no_error (error);
}

static void
offsets_no_file_has_are_refused (void)
{
  static const guint64 offsets[] = { G_MAXUINT64, (guint64)G_MAXINT64 + 1, G_MAXINT64 - 2 };
  g_auto (ImgImportFd) fd = memory_file ();
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *prefix = g_strdup_printf ("write at %" G_GUINT64_FORMAT, offsets[i]);

      g_assert_false (_imgimport_fd_write_at (fd, offsets[i], "data", 4, &error));
      assert_errno_error (error, IMGIMPORT_ERROR_NO_SPACE, prefix, EFBIG);
    }
}

static void
failures_say_what_and_where (void)
{
  g_autoptr (GError) write_at = NULL;
  g_autoptr (GError) read_at = NULL;
  g_autoptr (GError) write_all = NULL;
  g_autoptr (GError) read_error = NULL;
  g_autoptr (GError) sync_error = NULL;
  char buffer[4] = "";
  gsize n = 99;

  g_assert_false (_imgimport_fd_write_at (-1, 7, "x", 1, &write_at));
  assert_errno_error (write_at, IMGIMPORT_ERROR_FAILED, "write at 7", EBADF);
  g_assert_false (_imgimport_fd_read_at (-1, 7, buffer, 1, &n, &read_at));
  assert_errno_error (read_at, IMGIMPORT_ERROR_FAILED, "read at 7", EBADF);
  g_assert_cmpuint (n, ==, 0);
  g_assert_false (_imgimport_fd_write_all (-1, "x", 1, NULL, &write_all));
  assert_errno_error (write_all, IMGIMPORT_ERROR_FAILED, "write", EBADF);
  g_assert_false (_imgimport_fd_read (-1, buffer, 1, &n, NULL, &read_error));
  assert_errno_error (read_error, IMGIMPORT_ERROR_FAILED, "read", EBADF);
  g_assert_false (_imgimport_fd_sync (-1, &sync_error));
  assert_errno_error (sync_error, IMGIMPORT_ERROR_FAILED, "sync", EBADF);
}

static void
full_device_is_no_space (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (ImgImportFd) fd = open ("/dev/full", O_WRONLY | O_CLOEXEC);

  if (fd < 0)
    {
      g_test_skip ("no /dev/full");
      return;
    }
  g_assert_false (_imgimport_fd_write_all (fd, "x", 1, NULL, &error));
  assert_errno_error (error, IMGIMPORT_ERROR_NO_SPACE, "write", ENOSPC);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "store-full");
}

static gpointer
read_to_the_end (gpointer data)
{
  Peer *peer = data;
  guint8 buffer[4096];
  gsize n = 0;

  do
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (
          _imgimport_fd_read (peer->fd, buffer, sizeof buffer, &n, peer->cancellable, &error));
      g_assert_no_error (error);
      g_byte_array_append (peer->bytes, buffer, (guint)n);
    }
  while (n > 0);
  return NULL;
}

static void
peer_start (Peer *peer, GThreadFunc func)
{
  g_autoptr (GError) error = NULL;

  peer->thread = _imgimport_thread_new ("peer", func, peer, &error);
  g_assert_no_error (error);
}

/* More than the pipe holds goes through, however its ends wait. */
static void
check_transfer (int write_fd, int read_fd, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *data = g_malloc (BIG);
  Peer peer = { .fd = read_fd, .cancellable = cancellable, .bytes = g_byte_array_new () };
  gsize i;

  for (i = 0; i < BIG; i++)
    data[i] = (guint8)(i % 251);
  peer_start (&peer, read_to_the_end);
  g_assert_true (_imgimport_fd_write_all (write_fd, data, BIG, cancellable, &error));
  g_assert_no_error (error);
  _imgimport_fd_close (write_fd);
  (void)g_thread_join (peer.thread);
  assert_bytes (peer.bytes->data, peer.bytes->len, data, BIG);
  g_byte_array_unref (peer.bytes);
  _imgimport_fd_close (read_fd);
}

static void
pipes_carry_more_than_they_hold (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  int fds[2];

  make_pipe (fds, FALSE);
  check_transfer (fds[1], fds[0], NULL);
  make_pipe (fds, FALSE);
  check_transfer (fds[1], fds[0], cancellable);
  make_pipe (fds, TRUE);
  check_transfer (fds[1], fds[0], cancellable);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), ==, 0);
  check_transfer (fds[1], fds[0], cancellable);
}

static gpointer
cancel (gpointer data)
{
  g_cancellable_cancel (((Peer *)data)->cancellable);
  return NULL;
}

/* The pipe never gets ready, so only the cancellation can end the wait, whichever comes first. */
static void
check_cancelled_read (gboolean blocking)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Peer peer = { .cancellable = cancellable };
  char buffer[4];
  gsize n = 99;
  int fds[2];

  make_pipe (fds, blocking);
  peer_start (&peer, cancel);
  g_assert_false (_imgimport_fd_read (fds[0], buffer, sizeof buffer, &n, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n, ==, 0);
  (void)g_thread_join (peer.thread);
  _imgimport_fd_close (fds[0]);
  _imgimport_fd_close (fds[1]);
}

static void
waiting_read_is_cancelled (void)
{
  check_cancelled_read (FALSE);
  check_cancelled_read (TRUE);
}

static void
waiting_write_is_cancelled (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *data = g_malloc0 (BIG);
  Peer peer = { .cancellable = cancellable };
  int fds[2];

  make_pipe (fds, FALSE);
  peer_start (&peer, cancel);
  g_assert_false (_imgimport_fd_write_all (fds[1], data, BIG, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  (void)g_thread_join (peer.thread);
  _imgimport_fd_close (fds[0]);
  _imgimport_fd_close (fds[1]);
}

static void
cancelled_before_does_nothing (void)
{
  g_autoptr (GError) write_error = NULL;
  g_autoptr (GError) read_error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (ImgImportFd) fd = memory_file ();
  char buffer[4];
  gsize n = 99;

  g_cancellable_cancel (cancellable);
  g_assert_false (_imgimport_fd_write_all (fd, "data", 4, cancellable, &write_error));
  g_assert_error (write_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (lseek (fd, 0, SEEK_END), ==, 0);
  g_assert_false (_imgimport_fd_read (fd, buffer, sizeof buffer, &n, cancellable, &read_error));
  g_assert_error (read_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* With the default disposition SIGPIPE would end this process. */
static void
check_broken (int write_fd, int read_fd)
{
  g_autoptr (GError) error = NULL;
  sigset_t before;
  sigset_t after;

  _imgimport_fd_close (read_fd);
  g_assert_cmpint (pthread_sigmask (SIG_BLOCK, NULL, &before), ==, 0);
  g_assert_false (_imgimport_fd_write_all (write_fd, "data", 4, NULL, &error));
  assert_errno_error (error, IMGIMPORT_ERROR_FAILED, "write", EPIPE);
  g_assert_cmpint (pthread_sigmask (SIG_BLOCK, NULL, &after), ==, 0);
  g_assert_cmpint (sigismember (&after, SIGPIPE), ==, sigismember (&before, SIGPIPE));
  g_assert_cmpint (sigpending (&after), ==, 0);
  g_assert_cmpint (sigismember (&after, SIGPIPE), ==, 0);
  _imgimport_fd_close (write_fd);
}

static void
broken_pipes_raise_no_signal (void)
{
  void (*old) (int) = signal (SIGPIPE, SIG_DFL);
  int fds[2];

  make_pipe (fds, TRUE);
  check_broken (fds[1], fds[0]);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  check_broken (fds[1], fds[0]);
  (void)signal (SIGPIPE, old);
}

static void
signal_that_was_pending_stays_pending (void)
{
  g_autoptr (GError) error = NULL;
  const struct timespec at_once = { 0, 0 };
  sigset_t sigpipe;
  sigset_t old;
  int fds[2];

  make_pipe (fds, TRUE);
  _imgimport_fd_close (fds[0]);
  g_assert_cmpint (sigemptyset (&sigpipe), ==, 0);
  g_assert_cmpint (sigaddset (&sigpipe, SIGPIPE), ==, 0);
  g_assert_cmpint (pthread_sigmask (SIG_BLOCK, &sigpipe, &old), ==, 0);
  g_assert_cmpint (raise (SIGPIPE), ==, 0);
  g_assert_false (_imgimport_fd_write_all (fds[1], "data", 4, NULL, &error));
  g_assert_cmpint (sigtimedwait (&sigpipe, NULL, &at_once), ==, SIGPIPE);
  g_assert_cmpint (pthread_sigmask (SIG_SETMASK, &old, NULL), ==, 0);
  _imgimport_fd_close (fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/fd/close-keeps-errno-and-ignores-none",
                   close_keeps_errno_and_ignores_none);
  g_test_add_func ("/base/fd/bytes-are-written-and-read-at-offsets",
                   bytes_are_written_and_read_at_offsets);
  g_test_add_func ("/base/fd/offsets-no-file-has-are-refused", offsets_no_file_has_are_refused);
  g_test_add_func ("/base/fd/failures-say-what-and-where", failures_say_what_and_where);
  g_test_add_func ("/base/fd/full-device-is-no-space", full_device_is_no_space);
  g_test_add_func ("/base/fd/pipes-carry-more-than-they-hold", pipes_carry_more_than_they_hold);
  g_test_add_func ("/base/fd/waiting-read-is-cancelled", waiting_read_is_cancelled);
  g_test_add_func ("/base/fd/waiting-write-is-cancelled", waiting_write_is_cancelled);
  g_test_add_func ("/base/fd/cancelled-before-does-nothing", cancelled_before_does_nothing);
  g_test_add_func ("/base/fd/broken-pipes-raise-no-signal", broken_pipes_raise_no_signal);
  g_test_add_func ("/base/fd/signal-that-was-pending-stays-pending",
                   signal_that_was_pending_stays_pending);
  return g_test_run ();
}
