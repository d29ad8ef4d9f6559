/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* A stream of Zstandard frames (RFC 8878). Skippable frames may come first, as some compressors
 * write them; their own magic leaves too much to chance, so that what follows must be a frame. */

#define MAGIC 0xfd2fb528u
#define SKIPPABLE 0x184d2a50u
#define FRAME ((gsize)5) /* magic and descriptor, or the begin of a skippable frame's length */
#define SKIPPABLE_HEADER ((gsize)8)

static const char *const checks[] = { "header", NULL };

static const ImgImportRange *
range_at (const ImgImportView *view, guint64 at)
{
  if (at < view->head.length)
    return &view->head;
  for (guint i = 0; i < view->n_ranges; i++)
    {
      if (view->ranges[i].offset == at)
        return &view->ranges[i];
    }
  return NULL;
}

static gboolean
is_skippable (const ImgImportRange *range, gsize at)
{
  return _imgimport_range_holds (range, at, SKIPPABLE_HEADER) &&
         (_imgimport_range_le32 (range, at) & ~0xfu) == SKIPPABLE;
}

/* The frame behind all skippable ones that were captured. Sets `at` to its offset. */
static const ImgImportRange *
first_frame (const ImgImportView *view, guint64 *at)
{
  const ImgImportRange *range = &view->head;

  *at = 0;
  while (range != NULL && is_skippable (range, (gsize)(*at - range->offset)))
    {
      *at += SKIPPABLE_HEADER + _imgimport_range_le32 (range, (gsize)(*at - range->offset) + 4);
      range = range_at (view, *at);
    }
  return range;
}

static gboolean
locate (const ImgImportView *view, guint64 *offset, gsize *length)
{
  *length = SKIPPABLE_HEADER;
  return first_frame (view, offset) == NULL;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  guint64 offset = 0;
  const ImgImportRange *range = first_frame (view, &offset);
  gsize at;

  if (range == NULL)
    return FALSE;
  at = (gsize)(offset - range->offset);
  /* Bit 3 of the descriptor is reserved. */
  if (!_imgimport_range_holds (range, at, FRAME) || _imgimport_range_le32 (range, at) != MAGIC ||
      (range->data[at + 4] & 0x08) != 0)
    return FALSE;
  _imgimport_match_add_check (match, "header", NULL);
  return TRUE;
}

const ImgImportFormat _imgimport_format_zstd = {
  .name = "zstd",
  .kind = IMGIMPORT_FORMAT_ENVELOPE,
  .checks = checks,
  .capture = IMGIMPORT_INSPECT_N_RANGES * SKIPPABLE_HEADER,
  .locate = locate,
  .match = match,
};
