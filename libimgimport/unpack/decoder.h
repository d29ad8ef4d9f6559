/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What decodes one packing, and the supply that all of them draw from. A decoder ends exactly after
 * its last byte, and the unpacker looks at what is left.
 */

#include "unpack/unpack-private.h"

#include <archive.h>
#include <archive_entry.h>

G_BEGIN_DECLS

/* ---- supply (supply.c) ----------------------------------------------------------------------- */

#define IMGIMPORT_SUPPLY_BLOCK ((gsize)1024 * 1024)
/* How many bytes that were taken can at least be given back. */
#define IMGIMPORT_SUPPLY_RESERVE ((gsize)4096)

typedef struct
{
  ImgImportSourceFunc read;
  gpointer source;
  GCancellable *cancellable; /* of the call that is being served */
  guint8 *buffer;            /* a reserve and a block */
  gsize begin;               /* of what is there and not taken, in the buffer */
  gsize end;
  guint64 taken; /* bytes of the stream before `begin` */
  gboolean at_end;
} ImgImportSupply;

void _imgimport_supply_init (ImgImportSupply *self, ImgImportSourceFunc read, gpointer source);
void _imgimport_supply_clear (ImgImportSupply *self);
/* Makes `least` bytes, at most half a block, be there unless the end comes first. */
gboolean _imgimport_supply_fill (ImgImportSupply *self, gsize least, GError **error);
static inline const guint8 *
_imgimport_supply_peek (const ImgImportSupply *self, gsize *length)
{
  *length = self->end - self->begin;
  return self->buffer + self->begin;
}
static inline void
_imgimport_supply_take (ImgImportSupply *self, gsize n)
{
  self->begin += n;
  self->taken += n;
}
/* FALSE where so many are not kept. */
gboolean _imgimport_supply_give_back (ImgImportSupply *self, guint64 n);
/* Takes `n` bytes; FALSE without an error where there are fewer. */
gboolean _imgimport_supply_skip (ImgImportSupply *self, guint64 n, GError **error);

/* ---- decoders -------------------------------------------------------------------------------- */

typedef struct
{
  gpointer (*open) (ImgImportSupply *supply, ImgImportPacking packing,
                    const ImgImportUnpackLimits *limits);
  /* `*n_read` 0 is the end; the supply stands behind the last byte then. */
  gboolean (*read) (gpointer self, void *buffer, gsize length, gsize *n_read, GError **error);
  /* Bytes of the supply that went into what was answered. */
  guint64 (*get_consumed) (gpointer self);
  void (*close) (gpointer self);
} ImgImportDecoder;

extern const ImgImportDecoder _imgimport_decoder_gzip;
extern const ImgImportDecoder _imgimport_decoder_lzma;    /* .xz and .lzma */
extern const ImgImportDecoder _imgimport_decoder_archive; /* .bz2, .zst, .lz4 */
extern const ImgImportDecoder _imgimport_decoder_zip;
extern const ImgImportDecoder _imgimport_decoder_tar;

/* Sets CORRUPT, or LIMIT for "unpack-ratio", "unpack-memory" and "unpack-members"; returns FALSE.
 */
gboolean _imgimport_unpack_fail (GError **error, ImgImportPacking packing, const char *reason,
                                 const char *format, ...) G_GNUC_PRINTF (4, 5);
/* That the end came where there should be more. */
gboolean _imgimport_unpack_fail_truncated (GError **error, ImgImportPacking packing);

/* ---- libarchive (archive.c) ------------------------------------------------------------------ */

/* A reader of libarchive over a supply, with one filter or one format and nothing else. */
typedef struct
{
  ImgImportSupply *supply;
  ImgImportPacking packing;
  struct archive *archive; /* NULL until it is begun */
  GError *error;           /* of the supply */
  gboolean told_end;       /* libarchive wanted more than there is */
  const guint8 *block;     /* of a member's data: what was decoded and not answered */
  gsize block_size;
  guint64 offset; /* of its end in the member */
} ImgImportArchive;

void _imgimport_archive_init (ImgImportArchive *self, ImgImportSupply *supply,
                              ImgImportPacking packing);
void _imgimport_archive_clear (ImgImportArchive *self);
/* `*entry` is NULL at the end of the archive. */
gboolean _imgimport_archive_next (ImgImportArchive *self, struct archive_entry **entry,
                                  GError **error);
/* Of the member; `*n_read` 0 is its end. */
gboolean _imgimport_archive_read (ImgImportArchive *self, void *buffer, gsize length, gsize *n_read,
                                  GError **error);
/* Bytes of the supply that libarchive is done with. */
guint64 _imgimport_archive_get_position (ImgImportArchive *self);
/* Lets the supply stand there. */
gboolean _imgimport_archive_finish (ImgImportArchive *self, GError **error);

/* ---- OVA (ovf.c, tar-manifest.c) ------------------------------------------------------------- */

#define IMGIMPORT_OVF_SIZE_MAX ((gsize)1024 * 1024)

/* The name of the one disk that a descriptor speaks of; NULL where there is not exactly one, or it
 * is no descriptor. No DTD, no entity but XML's own five. */
char *_imgimport_ovf_find_disk (const char *text, gsize length, GError **error);

/* The digests of an OVA's members and what its manifest says of them. */
typedef struct _ImgImportManifest ImgImportManifest;

ImgImportManifest *_imgimport_manifest_new (void);
void _imgimport_manifest_free (ImgImportManifest *self);
/* Begins a member, `feed`s its bytes. Only those that are fed can be checked. */
void _imgimport_manifest_begin (ImgImportManifest *self, const char *name);
void _imgimport_manifest_feed (ImgImportManifest *self, const void *data, gsize length);
/* Lines such as "SHA256(disk.vmdk)= 12ab…", and nothing else; `length` is that of the member. */
gboolean _imgimport_manifest_read (ImgImportManifest *self, const char *text, gsize length,
                                   GError **error);
/* What was fed is what the manifest says, as far as there is one. */
gboolean _imgimport_manifest_check (ImgImportManifest *self, GError **error);

G_END_DECLS
