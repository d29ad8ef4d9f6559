/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* A zip archive (APPNOTE 6.3): what begins with a member, or ends with the end of a central
 * directory, whatever comes before: that is where programs look for it. */

#define MEMBER 0x04034b50u
#define SPANNED 0x08074b50u /* one marker may come before the first member */
#define END 0x06054b50u
#define END_LENGTH ((gsize)22)
#define MAX_VERSION 63u /* of the format, ten times */

static const char *const checks[] = { "header", NULL };

static gboolean
begins_with_member (const ImgImportRange *head)
{
  gsize at = 0;

  if (head->length >= 4 && _imgimport_range_le32 (head, 0) == SPANNED)
    at = 4;
  return _imgimport_range_holds (head, at, 30) && _imgimport_range_le32 (head, at) == MEMBER &&
         head->data[at + 4] <= MAX_VERSION && _imgimport_range_le16 (head, at + 26) > 0;
}

/* Whether the end of a central directory lies at `at`, with a comment to the end of the stream. Of
 * one disk, so that the directory, if it is not one of zip64, lies before. */
static gboolean
is_end (const ImgImportRange *tail, gsize at)
{
  guint32 length = _imgimport_range_le32 (tail, at + 12);
  guint32 offset = _imgimport_range_le32 (tail, at + 16);
  gboolean is_64 = offset == G_MAXUINT32;

  return _imgimport_range_le32 (tail, at) == END && _imgimport_range_le32 (tail, at + 4) == 0 &&
         _imgimport_range_le16 (tail, at + 8) == _imgimport_range_le16 (tail, at + 10) &&
         at + END_LENGTH + _imgimport_range_le16 (tail, at + 20) == tail->length &&
         (is_64 || (guint64)length + offset <= tail->offset + at);
}

static gboolean
ends_with_directory (const ImgImportRange *tail)
{
  const guint8 *at = tail->data;
  const guint8 *end = at + tail->length;

  for (; (gsize)(end - at) >= END_LENGTH; at++)
    {
      at = memchr (at, 'P', (gsize)(end - at) - END_LENGTH + 1);
      if (at == NULL)
        return FALSE;
      if (is_end (tail, (gsize)(at - tail->data)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  if (!begins_with_member (&view->head) && !ends_with_directory (&view->tail))
    return FALSE;
  _imgimport_match_add_check (match, "header", NULL);
  return TRUE;
}

const ImgImportFormat _imgimport_format_zip = {
  .name = "zip",
  .kind = IMGIMPORT_FORMAT_ENVELOPE,
  .checks = checks,
  .match = match,
};
