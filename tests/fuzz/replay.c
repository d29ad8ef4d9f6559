/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target without a fuzzer: on each file that is named, whole, cut off, and with each of
 * its first bytes changed. */

#include <glib.h>

#define MUTATED 512
#define CUTS 64

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static guint
replay (guint8 *data, gsize size)
{
  static const guint8 flips[] = { 0x01, 0xff };
  guint n = 1;

  LLVMFuzzerTestOneInput (data, size);
  for (gsize i = 0; i < CUTS; i++, n++)
    {
      /* Memory of the very size, so that a read beyond it is seen. */
      gsize cut = size * i / CUTS;
      g_autofree guint8 *copy = g_memdup2 (data, cut);

      LLVMFuzzerTestOneInput (copy, cut);
    }
  for (gsize at = 0; at < MIN (size, MUTATED); at++)
    {
      for (gsize i = 0; i < G_N_ELEMENTS (flips); i++, n++)
        {
          data[at] ^= flips[i];
          LLVMFuzzerTestOneInput (data, size);
          data[at] ^= flips[i];
        }
    }
  return n;
}

int
main (int argc, char **argv)
{
  guint n = 0;

  for (int i = 1; i < argc; i++)
    {
      g_autofree char *content = NULL;
      g_autoptr (GError) error = NULL;
      gsize size;

      if (!g_file_get_contents (argv[i], &content, &size, &error))
        {
          g_printerr ("%s\n", error->message);
          return 1;
        }
      n += replay ((guint8 *)content, size);
    }
  g_print ("%u inputs\n", n);
  return 0;
}
