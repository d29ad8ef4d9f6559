/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* inspect-speed FILE MIB: the bytes of FILE over and over, MIB in all, through the inspector in
 * pieces of 1 MiB out of memory; answers one line of JSON. */

#include <imgimport/imgimport.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE ((gsize)1024 * 1024)

static gsize
feed (ImgImportInspector *inspector, const char *bytes, gsize length)
{
  gsize at;

  for (at = 0; at < length; at += PIECE)
    imgimport_inspector_feed (inspector, bytes + at, MIN (PIECE, length - at));
  return length;
}

int
main (int argc, char **argv)
{
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();
  g_autoptr (ImgImportInspection) inspection = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize length, fed = 0, wanted;
  gint64 start_us;

  if (argc != 3)
    return fputs ("usage: inspect-speed FILE MIB\n", stderr), 2;
  if (!g_file_get_contents (argv[1], &bytes, &length, &error) || length == 0)
    return fprintf (stderr, "inspect-speed: %s\n", error != NULL ? error->message : "empty"), 1;
  wanted = strtoul (argv[2], NULL, 10) * PIECE;
  start_us = g_get_monotonic_time ();
  while (fed < wanted)
    fed += feed (inspector, bytes, length);
  inspection = imgimport_inspector_finish (inspector);
  printf ("{\"wall_s\": %.6f, \"bytes\": %.0f}\n",
          (double)(g_get_monotonic_time () - start_us) / 1e6, (double)fed);
  return 0;
}
