/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/luks.h"

/* An encrypted disk, by the LUKS1 On-Disk Format Specification 1.2.3. What version 2 has beyond
 * magic and version stands in luks2.c. */

#define SECTOR 512u
#define V1_HEADER ((gsize)592)
#define MAX_KEY 512u
#define FIRST_SLOT ((gsize)208)
#define SLOT ((gsize)48)
#define N_SLOTS 8u
#define SLOT_ENABLED 0x00ac71f3u
#define SLOT_DISABLED 0x0000deadu

static const char *const checks[] = { "truncated", "version", "header",       "backup",
                                      "metadata",  "payload", "virtual_size", NULL };

static char *
slot_fault (const ImgImportView *view, guint index)
{
  const ImgImportRange *head = &view->head;
  gsize at = FIRST_SLOT + index * SLOT;
  guint32 state = _imgimport_range_be32 (head, at);
  guint64 begin = (guint64)_imgimport_range_be32 (head, at + 40) * SECTOR;
  guint64 stripes = _imgimport_range_be32 (head, at + 44);
  g_autofree char *what = NULL;

  if (state == SLOT_DISABLED)
    return NULL;
  if (state != SLOT_ENABLED)
    return g_strdup_printf ("key slot %u is neither enabled nor disabled", index);
  if (stripes == 0 || begin < V1_HEADER)
    return g_strdup_printf ("the material of key slot %u is empty or lies over the header", index);
  what = g_strdup_printf ("key slot %u", index);
  return _imgimport_area_fault (what, begin, stripes * _imgimport_range_be32 (head, 108),
                                view->size);
}

/* Text of printable characters that ends within its field of 32 bytes. */
static gboolean
has_word (const ImgImportRange *head, gsize at)
{
  const guint8 *word = head->data + at;
  gsize length = 0;

  while (length < 32 && g_ascii_isgraph ((char)word[length]))
    length++;
  return length > 0 && length < 32 && word[length] == '\0';
}

static char *
v1_header_fault (const ImgImportView *view)
{
  const ImgImportRange *head = &view->head;
  guint32 key = _imgimport_range_be32 (head, 108);

  if (!has_word (head, 8) || !has_word (head, 40) || !has_word (head, 72))
    return g_strdup ("cipher, mode or hash is no word");
  if (key == 0 || key > MAX_KEY)
    return g_strdup_printf ("the key has %u bytes", key);
  if (_imgimport_range_be32 (head, 164) == 0)
    return g_strdup ("the key's digest takes no iteration");
  for (guint i = 0; i < N_SLOTS; i++)
    {
      char *fault = slot_fault (view, i);

      if (fault != NULL)
        return fault;
    }
  return NULL;
}

void
_imgimport_luks_add_payload (ImgImportMatch *match, guint64 offset, guint64 length, guint64 size)
{
  char *fault = offset == 0 ? g_strdup ("the header is alone, the data lies in another file")
                            : _imgimport_area_fault ("the data", offset, length, size);

  _imgimport_match_add_check (match, "payload", fault);
  if (fault == NULL)
    _imgimport_match_check_size (match, length > 0 ? length : size - offset);
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  static const char magic[6] = { 'L', 'U', 'K', 'S', '\xba', '\xbe' };
  const ImgImportRange *head = &view->head;
  guint16 version;
  guint64 payload;

  if (head->length < sizeof magic || memcmp (head->data, magic, sizeof magic) != 0)
    return FALSE;
  if (!_imgimport_match_check_length (match, head, V1_HEADER))
    return TRUE;
  version = _imgimport_range_be16 (head, 6);
  _imgimport_match_add_check (match, "version",
                              version == 1 || version == 2
                                  ? NULL
                                  : g_strdup_printf ("version %u is none of 1 and 2", version));
  if (version == 2)
    _imgimport_luks2_check (view, match);
  if (version != 1)
    return TRUE;
  _imgimport_match_add_check (match, "header", v1_header_fault (view));
  payload = (guint64)_imgimport_range_be32 (head, 104) * SECTOR;
  _imgimport_luks_add_payload (match, payload, 0, view->size);
  return TRUE;
}

const ImgImportFormat _imgimport_format_luks = {
  .name = "luks",
  .checks = checks,
  .capture = IMGIMPORT_LUKS2_BACKUP,
  .locate = _imgimport_luks2_locate,
  .match = match,
};
