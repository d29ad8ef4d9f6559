/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What packs a stream, by its head. */

#include "unpack/unpack-private.h"

static const char *const names[] = { "none", "gzip", "bzip2", "xz", "lzma",
                                     "zstd", "lz4",  "zip",   "tar" };

const char *
_imgimport_packing_to_string (ImgImportPacking packing)
{
  return names[packing];
}

typedef struct
{
  ImgImportPacking packing;
  gsize length;
  guint8 magic[10];
} Magic;

static const Magic magics[] = {
  { IMGIMPORT_PACKING_GZIP, 3, { 0x1f, 0x8b, 8 } },
  { IMGIMPORT_PACKING_XZ, 6, { 0xfd, '7', 'z', 'X', 'Z', 0 } },
  { IMGIMPORT_PACKING_ZSTD, 4, { 0x28, 0xb5, 0x2f, 0xfd } },
  { IMGIMPORT_PACKING_LZ4, 4, { 0x04, 0x22, 0x4d, 0x18 } },
  { IMGIMPORT_PACKING_ZIP, 4, { 'P', 'K', 3, 4 } },
};

/* "BZh", the block size, and the sign of a block or of an end without one. */
static gboolean
is_bzip2 (const guint8 *head, gsize length)
{
  static const guint8 block[] = { 0x31, 0x41, 0x59, 0x26, 0x53, 0x59 };
  static const guint8 end[] = { 0x17, 0x72, 0x45, 0x38, 0x50, 0x90 };

  return length >= 10 && memcmp (head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9' &&
         (memcmp (head + 4, block, sizeof block) == 0 || memcmp (head + 4, end, sizeof end) == 0);
}

/* There is no magic: the usual coding, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is
 * unknown or below 256 GiB, and the zero that the coded data begin with. */
static gboolean
is_lzma (const guint8 *head, gsize length)
{
  guint32 dictionary;
  guint64 size;

  if (length < 14 || head[0] != 0x5d || head[13] != 0)
    return FALSE;
  memcpy (&dictionary, head + 1, sizeof dictionary);
  memcpy (&size, head + 5, sizeof size);
  dictionary = GUINT32_FROM_LE (dictionary);
  size = GUINT64_FROM_LE (size);
  if (dictionary < 4096 || (size != G_MAXUINT64 && size >= G_GUINT64_CONSTANT (1) << 38))
    return FALSE;
  while ((dictionary & 1) == 0)
    dictionary >>= 1;
  return dictionary == 1 || dictionary == 3;
}

/* POSIX or GNU, by the magic and the sum of the header's bytes. */
static gboolean
is_tar (const guint8 *head, gsize length)
{
  guint64 told = 0;
  guint sum = 0;
  gsize i;

  if (length < 512 || memcmp (head + 257, "ustar", 5) != 0)
    return FALSE;
  for (i = 0; i < 512; i++)
    sum += i >= 148 && i < 156 ? ' ' : head[i];
  for (i = 148; i < 156 && head[i] == ' '; i++)
    ;
  for (; i < 156 && head[i] >= '0' && head[i] <= '7'; i++)
    told = told * 8 + (guint64)(head[i] - '0');
  return told == sum;
}

/* Zstandard (RFC 8878, 3.1.2) and LZ4 have it in common; pzstd begins its files with one. */
gsize
_imgimport_packing_skippable (const guint8 *head, gsize length)
{
  gsize at = 0;

  while (length - at >= 8 && (head[at] & 0xf0) == 0x50 && head[at + 1] == 0x2a &&
         head[at + 2] == 0x4d && head[at + 3] == 0x18)
    {
      guint32 size;

      memcpy (&size, head + at + 4, sizeof size);
      if (GUINT32_FROM_LE (size) > length - at - 8)
        return length;
      at += 8 + GUINT32_FROM_LE (size);
    }
  return at;
}

static gboolean
may_be_skippable (ImgImportPacking packing)
{
  return packing == IMGIMPORT_PACKING_ZSTD || packing == IMGIMPORT_PACKING_LZ4;
}

ImgImportPacking
_imgimport_packing_recognise (const guint8 *head, gsize length)
{
  gsize skipped = _imgimport_packing_skippable (head, length);
  gsize i;

  for (i = 0; skipped > 0 && i < G_N_ELEMENTS (magics); i++)
    if (may_be_skippable (magics[i].packing) && length - skipped >= magics[i].length &&
        memcmp (head + skipped, magics[i].magic, magics[i].length) == 0)
      return magics[i].packing;
  for (i = 0; i < G_N_ELEMENTS (magics); i++)
    if (length >= magics[i].length && memcmp (head, magics[i].magic, magics[i].length) == 0)
      return magics[i].packing;
  if (is_bzip2 (head, length))
    return IMGIMPORT_PACKING_BZIP2;
  if (is_lzma (head, length))
    return IMGIMPORT_PACKING_LZMA;
  return is_tar (head, length) ? IMGIMPORT_PACKING_TAR : IMGIMPORT_PACKING_NONE;
}
