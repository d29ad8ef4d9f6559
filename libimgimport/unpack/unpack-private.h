/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one image in a compressed file or an archive, as a stream that is pulled. Nothing is ever
 * written anywhere, and the name of a member never names a file.
 *
 * What follows the packed data is no image and is refused; only what a format itself calls padding
 * (zero blocks of a tar file, zeros in fours after .xz) belongs to it. Concatenated .gz, .bz2, .xz,
 * .zst and .lz4 files are one file, as their tools have it. Output that is packed again is refused.
 * Memory is constant: one buffer and the decoder's window.
 *
 * Reasons: CORRUPT "unpack-corrupt", "unpack-truncated", "unpack-trailing-data", "unpack-nested",
 * "unpack-encrypted", "unpack-unsupported", "unpack-member" (of a kind that is no disk, or none),
 * "unpack-digest" (of an OVA's manifest); LIMIT "unpack-ratio", "unpack-memory", "unpack-members".
 */

#include "base/base-private.h"

G_BEGIN_DECLS

typedef enum
{
  IMGIMPORT_PACKING_NONE,
  IMGIMPORT_PACKING_GZIP,
  IMGIMPORT_PACKING_BZIP2,
  IMGIMPORT_PACKING_XZ,
  IMGIMPORT_PACKING_LZMA,
  IMGIMPORT_PACKING_ZSTD,
  IMGIMPORT_PACKING_LZ4,
  IMGIMPORT_PACKING_ZIP,
  IMGIMPORT_PACKING_TAR /* also OVA */
} ImgImportPacking;

/* How much of a stream tells what it is. */
#define IMGIMPORT_PACKING_HEAD ((gsize)512)

/* What a stream that begins with `head` is; `length` is smaller than the head's only where the
 * stream is. */
ImgImportPacking _imgimport_packing_recognise (const guint8 *head, gsize length);
/* How many bytes are frames of Zstandard or LZ4 that hold no data; `length` where one of them goes
 * on behind the head, and then nothing is recognised. */
gsize _imgimport_packing_skippable (const guint8 *head, gsize length);
const char *_imgimport_packing_to_string (ImgImportPacking packing);

typedef struct
{
  guint64 floor;      /* bytes; before these are out there is no ratio worth speaking of */
  guint64 max_ratio;  /* bytes out for each in, beyond the floor */
  guint64 max_memory; /* bytes, of a window of .xz and .lzma; that of .zst is 128 MiB at most */
  guint max_members;  /* of an archive */
  gboolean keep_tar;  /* a tar file is an image here, not a packing: also as the output */
} ImgImportUnpackLimits;

#define IMGIMPORT_UNPACK_LIMITS_INIT                                                               \
  {                                                                                                \
    .floor = (guint64)64 * 1024 * 1024, .max_ratio = 1000,                                         \
    .max_memory = (guint64)128 * 1024 * 1024, .max_members = 16                                    \
  }

typedef struct _ImgImportUnpacker ImgImportUnpacker;

/* `packing` is not NONE; `source` is borrowed and read from its begin. */
ImgImportUnpacker *_imgimport_unpacker_new (ImgImportPacking packing,
                                            const ImgImportUnpackLimits *limits,
                                            ImgImportSourceFunc read, gpointer source);
/* An ImgImportSourceFunc. The end is told once all of the source was read and found to be whole.
 * After a failure the unpacker can only be freed. */
gboolean _imgimport_unpacker_read (gpointer unpacker, void *buffer, gsize length, gsize *n_read,
                                   GCancellable *cancellable, GError **error);
void _imgimport_unpacker_free (ImgImportUnpacker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportUnpacker, _imgimport_unpacker_free)

G_END_DECLS
