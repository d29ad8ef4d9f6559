/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/base-private.h"

#define LENGTH ((gsize)64 * 1024)

/* By the definition: a bit at a time. */
static guint32
plain_crc (guint32 polynomial, const guint8 *data, gsize length)
{
  guint32 crc = G_MAXUINT32;

  for (gsize i = 0; i < length; i++)
    {
      crc ^= data[i];
      for (guint bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    }
  return crc;
}

static void
crcs_are_those_of_their_catalogue (void)
{
  const guint8 *digits = (const guint8 *)"123456789";

  g_assert_cmphex (~_imgimport_crc32_update (G_MAXUINT32, digits, 9), ==, 0xcbf43926);
  g_assert_cmphex (~_imgimport_crc32c_update (G_MAXUINT32, digits, 9), ==, 0xe3069283);
  g_assert_cmphex (_imgimport_crc32_update (7, digits, 0), ==, 7);
}

static void
zeros_that_are_jumped_over_count (void)
{
  static const gsize ends[] = { 0, 1, 255, 256, 257, 511, 512, 4096, 65000, LENGTH };
  static const gsize marks[] = { 0, 1, 255, 256, 300, 511, 4000, 33333, LENGTH - 1 };
  g_autofree guint8 *data = g_malloc0 (LENGTH);

  for (gsize m = 0; m <= G_N_ELEMENTS (marks); m++)
    {
      for (gsize e = 0; e < G_N_ELEMENTS (ends); e++)
        {
          g_assert_cmphex (_imgimport_crc32_update (G_MAXUINT32, data, ends[e]), ==,
                           plain_crc (0xedb88320, data, ends[e]));
          g_assert_cmphex (_imgimport_crc32c_update (G_MAXUINT32, data, ends[e]), ==,
                           plain_crc (0x82f63b78, data, ends[e]));
        }
      if (m < G_N_ELEMENTS (marks))
        data[marks[m]] = (guint8)(0xa5 + m);
    }
}

static void
pieces_are_as_the_whole (void)
{
  static const gsize pieces[] = { 1, 61, 256, 1000, 4096 };
  g_autofree guint8 *data = g_malloc0 (LENGTH);
  guint32 whole;

  for (gsize i = 0; i < LENGTH; i += 1777)
    data[i] = (guint8)i;
  whole = _imgimport_crc32c_update (G_MAXUINT32, data, LENGTH);
  for (gsize p = 0; p < G_N_ELEMENTS (pieces); p++)
    {
      guint32 crc = G_MAXUINT32;

      for (gsize at = 0; at < LENGTH; at += pieces[p])
        crc = _imgimport_crc32c_update (crc, data + at, MIN (pieces[p], LENGTH - at));
      g_assert_cmphex (crc, ==, whole);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/crc/those-of-the-catalogue", crcs_are_those_of_their_catalogue);
  g_test_add_func ("/base/crc/zeros-that-are-jumped-over-count", zeros_that_are_jumped_over_count);
  g_test_add_func ("/base/crc/pieces-are-as-the-whole", pieces_are_as_the_whole);
  return g_test_run ();
}
