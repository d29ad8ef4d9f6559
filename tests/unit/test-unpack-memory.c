/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Packed files that ask for more memory than they may have. */

#include "packed.h"

static const ImgImportUnpackLimits limits = IMGIMPORT_UNPACK_LIMITS_INIT;

/* A window of 4 GiB is refused before it is allocated, in the first block or any later one. */
static void
test_large_windows_are_refused (void)
{
  static const char *const xz[] = { "xz", "-c", "--lzma2=preset=0,dict=256MiB", NULL };
  static const char *const lzma[] = { "xz", "-c", "--format=lzma", "--lzma1=preset=0,dict=256MiB",
                                      NULL };
  static const char *const zstd[] = { "zstd", "-q", "-c", "--long=31", "--ultra", NULL };
  static const char *const small[] = { "xz", "-c", NULL };
  g_autoptr (GBytes) payload = make_payload (1000);
  g_autoptr (GBytes) of_xz = pack (xz, payload);
  g_autoptr (GBytes) of_lzma = pack (lzma, payload);
  g_autoptr (GBytes) of_zstd = pack (zstd, payload);
  g_autoptr (GBytes) first = pack (small, payload);
  g_autoptr (GBytes) second = NULL;

  if (of_xz == NULL || of_lzma == NULL || of_zstd == NULL)
    return;
  second = join (first, of_xz);
  assert_unpacks (of_xz, &limits, NULL, "unpack-memory");
  assert_unpacks (second, &limits, NULL, "unpack-memory");
  assert_unpacks (of_lzma, &limits, NULL, "unpack-memory");
  assert_unpacks (of_zstd, &limits, NULL, "unpack-memory");
}

/* In the first frame, by its header; behind another, where libzstd finds it. */
static void
large_windows_of_zstd_are_refused (void)
{
  static const char *const small[] = { "zstd", "-q", "-c", NULL };
  static const struct
  {
    guint8 head[15];
    gsize length;
    const char *reason;
  } frames[] = {
    /* A window of 2 GiB; one segment of 4 GiB, 128 MiB + 2, less, and of none that is whole. */
    { { 0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 1, 0, 0 }, 9, "unpack-memory" },
    { { 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 1 }, 15, "unpack-memory" },
    { { 0x28, 0xb5, 0x2f, 0xfd, 0xa3, 0, 0, 0, 0, 2, 0, 0, 8, 1 }, 15, "unpack-memory" },
    { { 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 1 }, 9, "unpack-truncated" },
    { { 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0 }, 7, "unpack-truncated" },
    { { 0x28, 0xb5, 0x2f, 0xfd, 0 }, 5, "unpack-truncated" },
  };
  g_autoptr (GBytes) payload = make_payload (1000000);
  g_autoptr (GBytes) first = pack (small, payload);

  for (gsize i = 0; i < G_N_ELEMENTS (frames); i++)
    {
      g_autoptr (GBytes) frame = g_bytes_new_static (frames[i].head, frames[i].length);
      g_autoptr (GBytes) second = first != NULL ? join (first, frame) : NULL;

      g_test_message ("frame %" G_GSIZE_FORMAT, i);
      assert_unpacks (frame, &limits, NULL, frames[i].reason);
      if (second != NULL)
        assert_unpacks (second, &limits, NULL, frames[i].reason);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/security/28/large-windows-are-refused", test_large_windows_are_refused);
  g_test_add_func ("/security/28/large-windows-of-zstd-are-refused",
                   large_windows_of_zstd_are_refused);
  return g_test_run ();
}
