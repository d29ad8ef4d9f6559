/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/journal-segment.h"

#define MAGIC "IGJ1"

static guint32
frame_crc (const char *segment, const guint8 *header, const char *run, gsize run_length)
{
  guint32 crc = _imgimport_crc32c_update (G_MAXUINT32, (const guint8 *)segment, strlen (segment));

  crc = _imgimport_crc32c_update (crc, header + 8, 16);
  return ~_imgimport_crc32c_update (crc, (const guint8 *)run, run_length);
}

void
_imgimport_frame_append (GByteArray *bytes, const char *segment, const char *run, guint64 order,
                         gconstpointer data, gsize length)
{
  guint8 header[IMGIMPORT_FRAME_HEADER] = MAGIC;
  gsize run_length = strlen (run);
  guint64 order_le = GUINT64_TO_LE (order);
  guint32 length_le = GUINT32_TO_LE ((guint32)length);
  guint16 run_length_le = GUINT16_TO_LE ((guint16)run_length);
  guint32 crc;

  memcpy (header + 8, &order_le, sizeof order_le);
  memcpy (header + 16, &length_le, sizeof length_le);
  memcpy (header + 20, &run_length_le, sizeof run_length_le);
  crc = GUINT32_TO_LE (frame_crc (segment, header, run, run_length));
  memcpy (header + 4, &crc, sizeof crc);
  g_byte_array_append (bytes, header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *)run, (guint)run_length);
  g_byte_array_append (bytes, data, (guint)length);
}

/* The frame at an offset, its header intact. Returns its bytes, 0 for none. */
static gsize
read_frame (ImgImportFrame *self, const char *segment, const GByteArray *bytes, gsize at)
{
  const guint8 *header = bytes->data + at;
  gsize left = bytes->len - at;
  guint64 order;
  guint32 length;
  guint32 crc;
  guint16 run_length;

  if (left < IMGIMPORT_FRAME_HEADER || memcmp (header, MAGIC, strlen (MAGIC)) != 0)
    return 0;
  memcpy (&crc, header + 4, sizeof crc);
  memcpy (&order, header + 8, sizeof order);
  memcpy (&length, header + 16, sizeof length);
  memcpy (&run_length, header + 20, sizeof run_length);
  self->run = (const char *)header + IMGIMPORT_FRAME_HEADER;
  self->run_length = GUINT16_FROM_LE (run_length);
  left -= IMGIMPORT_FRAME_HEADER;
  /* What looks like a frame in the middle of damage costs little to refuse. */
  if (left < self->run_length || self->run_length > IMGIMPORT_RUN_NAME_MAX ||
      GUINT32_FROM_LE (length) > IMGIMPORT_RECORD_MAX ||
      frame_crc (segment, header, self->run, self->run_length) != GUINT32_FROM_LE (crc))
    return 0;
  self->order = GUINT64_FROM_LE (order);
  self->offset = at;
  self->data = header + IMGIMPORT_FRAME_HEADER + self->run_length;
  self->length = MIN (left - self->run_length, GUINT32_FROM_LE (length));
  self->is_torn = self->length < GUINT32_FROM_LE (length);
  self->is_obsolete = memcmp (header + IMGIMPORT_FRAME_MARK_AT, IMGIMPORT_FRAME_OBSOLETE,
                              strlen (IMGIMPORT_FRAME_OBSOLETE)) == 0;
  self->size = IMGIMPORT_FRAME_HEADER + self->run_length + self->length;
  return self->size;
}

/* Whether the bytes at the offset may be a frame of which only the beginning is there. */
static gboolean
is_beginning (const GByteArray *bytes, gsize at)
{
  gsize left = bytes->len - at;
  guint16 run_length;

  if (memcmp (bytes->data + at, MAGIC, MIN (left, strlen (MAGIC))) != 0)
    return FALSE;
  if (left < IMGIMPORT_FRAME_HEADER)
    return TRUE;
  memcpy (&run_length, bytes->data + at + 20, sizeof run_length);
  return left - IMGIMPORT_FRAME_HEADER < GUINT16_FROM_LE (run_length);
}

gboolean
_imgimport_frames_scan (const char *segment, const GByteArray *bytes, ImgImportFrameFunc func,
                        gpointer data)
{
  gboolean is_damaged = FALSE;
  gboolean is_begun = FALSE;
  gsize at = 0;

  while (at < bytes->len)
    {
      ImgImportFrame frame;
      gsize size = read_frame (&frame, segment, bytes, at);

      if (size == 0 && !is_damaged)
        is_begun = is_beginning (bytes, at);
      if ((size == 0 && !is_damaged && !is_begun) || (size > 0 && is_begun))
        func (NULL, data);
      if (size > 0)
        func (&frame, data);
      is_damaged = size == 0;
      is_begun &= is_damaged;
      at += MAX (size, 1);
    }
  return is_begun;
}

gboolean
_imgimport_frame_is_of (const ImgImportFrame *self, const char *run)
{
  return strlen (run) == self->run_length && memcmp (run, self->run, self->run_length) == 0;
}
