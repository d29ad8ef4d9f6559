/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells what standard input is, as it passes to standard output: inspect < image > copy */
#include <imgimport/imgimport.h>
#include <stdio.h>

int
main (void)
{
  static unsigned char buffer[1 << 20];
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();
  g_autoptr (ImgImportInspection) inspection = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *facts = NULL;
  guint64 virtual_size;
  const char *format;
  size_t n;

  while ((n = fread (buffer, 1, sizeof buffer, stdin)) > 0)
    {
      imgimport_inspector_feed (inspector, buffer, n);
      if (fwrite (buffer, 1, n, stdout) != n)
        return perror ("standard output"), 2;
    }
  if (ferror (stdin))
    return perror ("standard input"), 2;
  inspection = imgimport_inspector_finish (inspector);
  facts = imgimport_inspection_to_json (inspection);
  fprintf (stderr, "%s\n", facts);
  if (!imgimport_inspection_judge (inspection, NULL, NULL, "bare", &format, &virtual_size, &error))
    return fprintf (stderr, "%s\n", error->message), 1;
  return fprintf (stderr, "a good %s\n", format) < 0;
}
