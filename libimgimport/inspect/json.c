/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* What qemu takes for the description of a tree of block devices where it is a name, or the name of
 * a backing file. No disk begins so. */

static const char *const checks[] = { "reference", NULL };

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  static const char mark[] = "json:{";

  if (view->head.length < strlen (mark) || memcmp (view->head.data, mark, strlen (mark)) != 0)
    return FALSE;
  _imgimport_match_add_check (match, "reference",
                              g_strdup ("it describes devices and files instead of being a disk"));
  return TRUE;
}

const ImgImportFormat _imgimport_format_json = {
  .name = "json",
  .kind = IMGIMPORT_FORMAT_ENVELOPE,
  .checks = checks,
  .match = match,
};
