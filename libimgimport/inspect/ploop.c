/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* The description of a ploop or Parallels disk: XML that names the files of the disk, and their
 * parents. Those files have the format "parallels". */

#define ROOT "<Parallels_disk_image"
#define REACH ((gsize)1024) /* how far the root element may be away */

static const char *const checks[] = { "descriptor", NULL };

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  static const char mark[] = "\xef\xbb\xbf";
  const char *text = (const char *)view->head.data;
  gsize length = MIN (view->head.length, REACH);

  if (length >= 3 && memcmp (text, mark, 3) == 0)
    {
      text += 3;
      length -= 3;
    }
  while (length > 0 && g_ascii_isspace (*text))
    {
      text++;
      length--;
    }
  if (length == 0 || *text != '<' || g_strstr_len (text, (gssize)length, ROOT) == NULL)
    return FALSE;
  _imgimport_match_add_check (match, "descriptor",
                              g_strdup ("it only names the files that have the disk's bytes"));
  return TRUE;
}

const ImgImportFormat _imgimport_format_ploop = {
  .name = "ploop",
  .kind = IMGIMPORT_FORMAT_ENVELOPE,
  .checks = checks,
  .match = match,
};
