/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The inspector on hostile bytes. An input begins with a byte that says how it is read: the low two
 * bits how it is cut into pieces, then whether it is a list of segments, whether 128 KiB of zeros
 * follow, and, where the high four are set, that what was found is told, judged, and compared with
 * what one piece tells.
 *
 * A segment is a gap of zeros (32 bits, little-endian), a length (16 bits), and so many bytes: how
 * a small input is a large image.
 */

#include "inspect/format.h"

#define MODE_CHUNK 0x03
#define MODE_SEGMENTS 0x04
#define MODE_PADDING 0x08
#define MODE_TOLD 0xf0 /* all of these bits: it costs four times as much */

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
feed_pieces (ImgImportInspector *inspector, guint mode, const guint8 *data, gsize size)
{
  static const gsize chunks[] = { G_MAXSIZE, 61, 511, 4096 };
  gsize chunk = chunks[mode & MODE_CHUNK];

  for (gsize at = 0, n; at < size; at += n)
    {
      n = MIN (chunk, size - at);
      imgimport_inspector_feed (inspector, data + at, n);
    }
}

static void
feed_segments (ImgImportInspector *inspector, guint mode, const guint8 *data, gsize size)
{
  while (size >= 6)
    {
      const ImgImportRange header = { 0, size, data };
      gsize length = MIN (_imgimport_range_le16 (&header, 4), size - 6);

      imgimport_inspector_skip (inspector, _imgimport_range_le32 (&header, 0));
      feed_pieces (inspector, mode, data + 6, length);
      data += 6 + length;
      size -= 6 + length;
    }
}

static ImgImportFacts *
inspect (guint mode, const guint8 *data, gsize size)
{
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();

  if ((mode & MODE_SEGMENTS) != 0)
    feed_segments (inspector, mode, data, size);
  else
    feed_pieces (inspector, mode, data, size);
  if ((mode & MODE_PADDING) != 0)
    imgimport_inspector_skip (inspector, 128 * 1024);
  return _imgimport_inspector_finish (inspector);
}

static char *
facts_text (const ImgImportFacts *facts)
{
  GString *out = g_string_new (NULL);

  _imgimport_facts_write (facts, out, NULL);
  return g_string_free (out, FALSE);
}

/* What is said is JSON that can be read again, and does not depend on the pieces. */
static void
tell (const ImgImportFacts *facts, guint mode, const guint8 *data, gsize size)
{
  g_autoptr (ImgImportFormatPolicy) policy = imgimport_format_policy_new_from_json (NULL, NULL);
  g_autoptr (ImgImportFacts) whole = inspect (mode & ~(guint)MODE_CHUNK, data, size);
  g_autoptr (ImgImportFacts) again = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_autofree char *text = facts_text (facts);
  g_autofree char *whole_text = facts_text (whole);
  g_autofree char *again_text = NULL;
  ImgImportVerdict verdict;

  object = _imgimport_json_parse_object (text, "facts", NULL);
  g_assert_nonnull (object);
  again = _imgimport_facts_from_json (object, "facts", NULL);
  g_assert_nonnull (again);
  again_text = facts_text (again);
  g_assert_cmpstr (again_text, ==, text);
  g_assert_cmpstr (whole_text, ==, text);
  _imgimport_facts_judge (facts, policy, "raw", "bare", &verdict, NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (ImgImportFacts) facts = NULL;

  if (size == 0)
    return 0;
  facts = inspect (data[0], data + 1, size - 1);
  if ((data[0] & MODE_TOLD) == MODE_TOLD)
    tell (facts, data[0], data + 1, size - 1);
  return 0;
}
