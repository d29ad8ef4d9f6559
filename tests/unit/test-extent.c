/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <sys/mman.h>
#include <unistd.h>

#define BIG ((gsize)1024 * 1024)

static void
assert_extent (int fd, guint64 offset, guint64 expected_start, guint64 expected_end)
{
  guint64 start = 0, end = 0;

  _imgimport_fd_next_extent (fd, offset, &start, &end);
  g_assert_cmpuint (start, ==, expected_start);
  g_assert_cmpuint (end, ==, expected_end);
}

static void
extents_are_told_where_the_file_tells_them (void)
{
  g_auto (ImgImportFd) fd = memfd_create ("test", MFD_CLOEXEC);
  int ends[2];

  assert_extent (fd, 0, 0, 0);
  g_assert_cmpint (ftruncate (fd, 3 * BIG), ==, 0);
  assert_extent (fd, 0, 3 * BIG, 3 * BIG);
  g_assert_true (_imgimport_fd_write_at (fd, BIG, "x", 1, NULL));
  assert_extent (fd, 0, BIG, BIG + 4096);
  assert_extent (fd, BIG + 10, BIG + 10, BIG + 4096);
  assert_extent (fd, BIG + 4096, 3 * BIG, 3 * BIG);
  assert_extent (fd, 3 * BIG + 1, 3 * BIG + 1, G_MAXUINT64);
  assert_extent (fd, G_MAXUINT64, G_MAXUINT64, G_MAXUINT64);
  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  assert_extent (ends[0], 5, 5, G_MAXUINT64);
  _imgimport_fd_close (ends[0]);
  _imgimport_fd_close (ends[1]);
}

static void
zeros_are_told_from_others (void)
{
  guint8 bytes[100] = { 0 };

  g_assert_true (_imgimport_is_zero (bytes, 0));
  g_assert_true (_imgimport_is_zero (bytes, 1));
  g_assert_true (_imgimport_is_zero (bytes, sizeof bytes));
  for (gsize i = 0; i < sizeof bytes; i++)
    {
      bytes[i] = 1;
      g_assert_false (_imgimport_is_zero (bytes, sizeof bytes));
      g_assert_true (_imgimport_is_zero (bytes, i));
      bytes[i] = 0;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/extent/extents-are-told-where-the-file-tells-them",
                   extents_are_told_where_the_file_tells_them);
  g_test_add_func ("/base/extent/zeros-are-told-from-others", zeros_are_told_from_others);
  return g_test_run ();
}
