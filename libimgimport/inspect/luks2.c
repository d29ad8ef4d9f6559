/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/luks.h"

/* LUKS2 On-Disk Format Specification 1.1: a binary header, then JSON, and the same once more. */

#define BINARY ((gsize)4096)
#define CHECKSUM ((gsize)448)
#define MAX_CHECKSUM ((gsize)64)
#define MIN_AREA (16u * 1024)
#define MAX_AREA (4u * 1024 * 1024)
#define MAX_SEGMENTS ((gsize)4 * 1024) /* of JSON; one takes some hundred */

/* Bytes of binary header and JSON together; 0 where that cannot be. */
static guint64
area_of (const ImgImportRange *head)
{
  guint64 area = _imgimport_range_be64 (head, 8);

  return area >= MIN_AREA && area <= MAX_AREA && _imgimport_is_power_of_2 (area) ? area : 0;
}

gboolean
_imgimport_luks2_locate (const ImgImportView *view, guint64 *offset, gsize *length)
{
  static const char magic[8] = { 'L', 'U', 'K', 'S', '\xba', '\xbe', 0, 2 };

  if (view->n_ranges > 0 || memcmp (view->head.data, magic, sizeof magic) != 0)
    return FALSE;
  *offset = area_of (&view->head);
  *length = IMGIMPORT_LUKS2_BACKUP;
  return *offset >= view->head.length;
}

/* FALSE only where the checksum is of a kind that GLib makes, of bytes that were captured, and
 * wrong. */
static gboolean
checksum_is_right (const ImgImportRange *head, gsize area)
{
  static const struct
  {
    const char *name;
    GChecksumType type;
  } kinds[] = {
    { "sha256", G_CHECKSUM_SHA256 },
    { "sha512", G_CHECKSUM_SHA512 },
    { "sha1", G_CHECKSUM_SHA1 },
  };
  static const guint8 none[MAX_CHECKSUM] = { 0 };
  guint8 digest[MAX_CHECKSUM];
  gsize length = sizeof digest;
  const char *name = (const char *)head->data + 72;
  guint i = 0;
  g_autoptr (GChecksum) checksum = NULL;

  while (i < G_N_ELEMENTS (kinds) && strncmp (name, kinds[i].name, 32) != 0)
    i++;
  if (i == G_N_ELEMENTS (kinds) || !_imgimport_range_holds (head, 0, area))
    return TRUE;
  checksum = g_checksum_new (kinds[i].type);
  g_checksum_update (checksum, head->data, CHECKSUM);
  g_checksum_update (checksum, none, sizeof none);
  g_checksum_update (checksum, head->data + CHECKSUM + MAX_CHECKSUM,
                     (gssize)(area - CHECKSUM - MAX_CHECKSUM));
  g_checksum_get_digest (checksum, digest, &length);
  return memcmp (digest, head->data + CHECKSUM, length) == 0;
}

static char *
header_fault (const ImgImportView *view, guint64 area)
{
  const ImgImportRange *head = &view->head;

  if (area == 0)
    return g_strdup ("the header's size is no power of 2 between 16 KiB and 4 MiB");
  if (view->size < 2 * area)
    return g_strdup ("the file ends within the headers");
  if (_imgimport_range_be64 (head, 256) != 0)
    return g_strdup ("the header says that it lies elsewhere");
  if (!checksum_is_right (head, (gsize)area))
    return g_strdup ("the header contradicts its checksum");
  return NULL;
}

/* Of a second header that lies in the file. */
static char *
backup_fault (const ImgImportView *view, guint64 area)
{
  static const char magic[8] = { 'S', 'K', 'U', 'L', '\xba', '\xbe', 0, 2 };
  ImgImportRange backup = { 0 };

  if (_imgimport_range_holds (&view->head, (gsize)area, IMGIMPORT_LUKS2_BACKUP))
    backup = (ImgImportRange){ area, IMGIMPORT_LUKS2_BACKUP, view->head.data + area };
  else if (view->n_ranges > 0)
    backup = view->ranges[0];
  if (backup.length < IMGIMPORT_LUKS2_BACKUP || memcmp (backup.data, magic, sizeof magic) != 0)
    return g_strdup ("the second header is missing");
  if (_imgimport_range_be64 (&backup, 8) != area || _imgimport_range_be64 (&backup, 256) != area)
    return g_strdup ("the second header contradicts the first");
  return NULL;
}

/* The only segment of the data: there are more while a disk is encrypted anew. */
static gboolean
read_only_segment (JsonObject *object, ImgImportJsonCursor *segment)
{
  ImgImportJsonCursor segments = { object, "luks", "" };
  g_autoptr (GList) members = json_object_get_members (object);

  return members != NULL && members->next == NULL &&
         _imgimport_json_object (&segments, members->data, &segment->object, NULL);
}

/* Numbers that may pass 32 bits stand there as text. */
static gboolean
read_number (const ImgImportJsonCursor *cursor, const char *member, guint64 least, guint64 *value)
{
  const char *text = "";

  return _imgimport_json_string (cursor, member, &text, NULL) &&
         g_ascii_string_to_unsigned (text, 10, least, G_MAXINT64, value, NULL);
}

/* `length` is 0 where the segment ends with the file. */
static gboolean
read_segment (const ImgImportJsonCursor *segment, guint64 *offset, guint64 *length)
{
  const char *size = "";

  *length = 0;
  return _imgimport_json_string (segment, "size", &size, NULL) &&
         read_number (segment, "offset", 0, offset) &&
         (strcmp (size, "dynamic") == 0 || read_number (segment, "size", 1, length));
}

/* The JSON is looked at as far as the head reaches: what programs write ends within some KiB. Only
 * the part that counts is parsed: a tree takes a hundred times the memory of its text. */
static char *
metadata_fault (const ImgImportView *view, guint64 area, guint64 *offset, guint64 *length)
{
  const ImgImportRange *head = &view->head;
  const char *text = (const char *)head->data + BINARY;
  gsize room = (gsize)MIN (area, head->length) - BINARY;
  g_autofree char *segments = NULL;
  g_autoptr (JsonObject) object = NULL;
  ImgImportJsonCursor segment = { NULL, "luks", "" };

  if (memchr (text, '\0', room) == NULL)
    return g_strdup ("the metadata does not end within its area or the first 64 KiB");
  segments = _imgimport_json_scan_member (text, "luks", "segments", NULL);
  if (segments == NULL)
    return g_strdup ("the metadata is no JSON object");
  if (strlen (segments) <= MAX_SEGMENTS)
    object = _imgimport_json_parse_object (segments, "luks", NULL);
  if (object == NULL || !read_only_segment (object, &segment) ||
      !read_segment (&segment, offset, length))
    return g_strdup ("the metadata does not tell of one segment where it lies");
  return NULL;
}

void
_imgimport_luks2_check (const ImgImportView *view, ImgImportMatch *match)
{
  guint64 area = area_of (&view->head);
  guint64 offset = 0;
  guint64 length = 0;
  char *fault = header_fault (view, area);

  _imgimport_match_add_check (match, "header", fault);
  if (area == 0 || view->size < 2 * area)
    return;
  _imgimport_match_add_check (match, "backup", backup_fault (view, area));
  fault = metadata_fault (view, area, &offset, &length);
  _imgimport_match_add_check (match, "metadata", fault);
  if (fault == NULL)
    _imgimport_luks_add_payload (match, offset, length, view->size);
}
