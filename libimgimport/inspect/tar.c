/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* A tar archive of POSIX or GNU, and as a format of its own that of a virtual appliance, whose
 * first member is an OVF description (DMTF DSP0243). */

#define BLOCK ((gsize)512)
#define NAME ((gsize)100)
#define CHECKSUM ((gsize)148)
#define CHECKSUM_LENGTH ((gsize)8)

static const char *const checks[] = { "header", NULL };

/* Octal digits between spaces and an end. */
static gboolean
read_checksum (const guint8 *block, guint *value)
{
  gsize at = CHECKSUM;
  gsize n = 0;

  while (at < CHECKSUM + CHECKSUM_LENGTH && block[at] == ' ')
    at++;
  for (*value = 0; at < CHECKSUM + CHECKSUM_LENGTH && block[at] >= '0' && block[at] <= '7'; at++)
    {
      *value = *value * 8 + (guint)(block[at] - '0');
      n++;
    }
  return n > 0;
}

static gboolean
is_tar (const ImgImportRange *head)
{
  guint told = 0;
  guint sum = 0;

  if (head->length < BLOCK ||
      (memcmp (head->data + 257, "ustar\0", 6) != 0 && memcmp (head->data + 257, "ustar ", 6) != 0))
    return FALSE;
  for (gsize i = 0; i < BLOCK; i++)
    sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_LENGTH ? ' ' : head->data[i];
  return read_checksum (head->data, &told) && told == sum;
}

static gboolean
is_ova (const ImgImportRange *head)
{
  const char *name = (const char *)head->data;
  gsize length = strnlen (name, NAME);

  return length > 4 && g_ascii_strncasecmp (name + length - 4, ".ovf", 4) == 0;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  gboolean wants_ova = strcmp (match->format, _imgimport_format_ova.name) == 0;

  if (!is_tar (&view->head) || is_ova (&view->head) != wants_ova)
    return FALSE;
  _imgimport_match_add_check (match, "header", NULL);
  return TRUE;
}

const ImgImportFormat _imgimport_format_tar = {
  .name = "tar",
  .kind = IMGIMPORT_FORMAT_ENVELOPE,
  .checks = checks,
  .match = match,
};

const ImgImportFormat _imgimport_format_ova = {
  .name = "ova",
  .kind = IMGIMPORT_FORMAT_ENVELOPE,
  .checks = checks,
  .match = match,
};
