/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a format is to the inspector: pure functions over bytes that the inspector captured, so that
 * how the stream was cut into chunks cannot matter. A further format is one file that defines an
 * ImgImportFormat, and one line in the table of format.c.
 */

#include "inspect/inspect-private.h"

G_BEGIN_DECLS

/* What is kept of a stream, whatever arrives: head, tail, and for each format the ranges it asks
 * for, of which it says beforehand how many bytes they may have. What all formats may have together
 * fits IMGIMPORT_INSPECT_CAPTURE, so that what one of them gets cannot depend on another. */
#define IMGIMPORT_INSPECT_HEAD ((gsize)64 * 1024)
#define IMGIMPORT_INSPECT_TAIL ((gsize)4 * 1024)
#define IMGIMPORT_INSPECT_RANGE ((gsize)64 * 1024)
#define IMGIMPORT_INSPECT_N_RANGES 7u
#define IMGIMPORT_INSPECT_CAPTURE ((gsize)832 * 1024)

/* The check that fails, of any format, where its ranges would have more bytes than it may have. */
#define IMGIMPORT_INSPECT_CHECK_CAPTURE "capture"

/* Captured bytes. */
typedef struct
{
  guint64 offset;
  gsize length;
  const guint8 *data;
} ImgImportRange;

/* What a format is shown. */
typedef struct
{
  guint64 size;                 /* of the whole stream; 0 while it has not ended */
  ImgImportRange head;          /* the first IMGIMPORT_INSPECT_HEAD bytes, or all there are */
  ImgImportRange tail;          /* the last IMGIMPORT_INSPECT_TAIL, or all; empty until the end */
  const ImgImportRange *ranges; /* what locate() asked for, in that order; cut off by the end */
  guint n_ranges;
} ImgImportView;

typedef enum
{
  IMGIMPORT_FORMAT_DISK,
  IMGIMPORT_FORMAT_ENVELOPE, /* archived, compressed, …: known in order to be refused as a disk */
  IMGIMPORT_FORMAT_PARTITIONS, /* what a raw disk may begin with */
} ImgImportFormatKind;

typedef struct
{
  const char *name;
  ImgImportFormatKind kind;
  const char *const *checks; /* names of all its safety checks, at least one; NULL-terminated */
  gsize capture; /* bytes that its ranges may have, each cut to IMGIMPORT_INSPECT_RANGE; 0 where
                  * locate is NULL */

  /* Optional. Called when the head is complete and again after each range: where the next bytes lie
   * that the format needs. FALSE: it has all. A range must begin at or after the end of the one
   * before (the first: of the head), else, as for more than IMGIMPORT_INSPECT_N_RANGES ranges, it
   * stays missing; it is cut to IMGIMPORT_INSPECT_RANGE bytes. One that would exceed `capture`
   * stays missing too, and the image then is of this format, whatever match() says, with the failed
   * check IMGIMPORT_INSPECT_CHECK_CAPTURE. Not called for a stream shorter than the head. */
  gboolean (*locate) (const ImgImportView *view, guint64 *offset, gsize *length);

  /* At the end: whether it is this format. If so, sets virtual_size where it is told, and adds all
   * checks that can be made. The reasons are short: together at most a few hundred bytes. */
  gboolean (*match) (const ImgImportView *view, ImgImportMatch *match);
} ImgImportFormat;

extern const ImgImportFormat _imgimport_format_qcow2;
extern const ImgImportFormat _imgimport_format_qed;
extern const ImgImportFormat _imgimport_format_vmdk;
extern const ImgImportFormat _imgimport_format_vhd;
extern const ImgImportFormat _imgimport_format_vhdx;
extern const ImgImportFormat _imgimport_format_vdi;
extern const ImgImportFormat _imgimport_format_iso;
extern const ImgImportFormat _imgimport_format_gpt;
extern const ImgImportFormat _imgimport_format_mbr;
extern const ImgImportFormat _imgimport_format_luks;
extern const ImgImportFormat _imgimport_format_parallels;
extern const ImgImportFormat _imgimport_format_ploop;
extern const ImgImportFormat _imgimport_format_json;
extern const ImgImportFormat _imgimport_format_gzip;
extern const ImgImportFormat _imgimport_format_xz;
extern const ImgImportFormat _imgimport_format_bzip2;
extern const ImgImportFormat _imgimport_format_lz4;
extern const ImgImportFormat _imgimport_format_zstd;
extern const ImgImportFormat _imgimport_format_zip;
extern const ImgImportFormat _imgimport_format_tar;
extern const ImgImportFormat _imgimport_format_ova;

/* NULL-terminated; the order in which matches are reported. */
const ImgImportFormat *const *_imgimport_formats (void);
const ImgImportFormat *_imgimport_format_lookup (const char *name); /* NULL where there is none */

/* An inspector of other formats; `formats` is borrowed. */
ImgImportInspector *_imgimport_inspector_new_for (const ImgImportFormat *const *formats);

ImgImportFacts *_imgimport_facts_new (guint64 size); /* without a match */
ImgImportMatch *_imgimport_match_new (const char *format);
/* As new, of another format. */
void _imgimport_match_reset (ImgImportMatch *self, const char *format);
void _imgimport_match_free (ImgImportMatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportMatch, _imgimport_match_free)
/* `name` is static; takes `reason`, NULL for a check that passed. */
void _imgimport_match_add_check (ImgImportMatch *self, const char *name, char *reason);

/* No disk is larger, so that sums of its sizes and offsets do not overflow. */
#define IMGIMPORT_INSPECT_DISK (G_GUINT64_CONSTANT (1) << 62)

/* A check that fails, for this reason, where what it looks for was found. */
void _imgimport_match_forbid (ImgImportMatch *self, const char *name, gboolean found,
                              const char *reason);
/* The check "truncated": whether the head holds a header of `needed` bytes. A file that says what
 * it is but is too short to be looked into must not pass as raw. */
gboolean _imgimport_match_check_length (ImgImportMatch *self, const ImgImportRange *head,
                                        gsize needed);
/* Takes the virtual size, with the check "virtual_size": 512 bytes or a multiple, and at most
 * IMGIMPORT_INSPECT_DISK. A larger one stays unknown. */
void _imgimport_match_check_size (ImgImportMatch *self, guint64 size);
/* Why `what`, which lies at `offset`, does not lie inside of a file of `end` bytes; NULL if so. */
char *_imgimport_area_fault (const char *what, guint64 offset, guint64 length, guint64 end);

static inline gboolean
_imgimport_is_power_of_2 (guint64 value)
{
  return value != 0 && (value & (value - 1)) == 0;
}

/* Integers inside of captured bytes. To read past their end is a programmer's error. */
static inline gboolean
_imgimport_range_holds (const ImgImportRange *self, gsize at, gsize length)
{
  return at <= self->length && length <= self->length - at;
}

static inline guint16
_imgimport_range_be16 (const ImgImportRange *self, gsize at)
{
  guint16 value;

  g_return_val_if_fail (_imgimport_range_holds (self, at, sizeof value), 0);
  memcpy (&value, self->data + at, sizeof value);
  return GUINT16_FROM_BE (value);
}

static inline guint32
_imgimport_range_be32 (const ImgImportRange *self, gsize at)
{
  guint32 value;

  g_return_val_if_fail (_imgimport_range_holds (self, at, sizeof value), 0);
  memcpy (&value, self->data + at, sizeof value);
  return GUINT32_FROM_BE (value);
}

static inline guint64
_imgimport_range_be64 (const ImgImportRange *self, gsize at)
{
  guint64 value;

  g_return_val_if_fail (_imgimport_range_holds (self, at, sizeof value), 0);
  memcpy (&value, self->data + at, sizeof value);
  return GUINT64_FROM_BE (value);
}

static inline guint16
_imgimport_range_le16 (const ImgImportRange *self, gsize at)
{
  guint16 value;

  g_return_val_if_fail (_imgimport_range_holds (self, at, sizeof value), 0);
  memcpy (&value, self->data + at, sizeof value);
  return GUINT16_FROM_LE (value);
}

static inline guint32
_imgimport_range_le32 (const ImgImportRange *self, gsize at)
{
  guint32 value;

  g_return_val_if_fail (_imgimport_range_holds (self, at, sizeof value), 0);
  memcpy (&value, self->data + at, sizeof value);
  return GUINT32_FROM_LE (value);
}

static inline guint64
_imgimport_range_le64 (const ImgImportRange *self, gsize at)
{
  guint64 value;

  g_return_val_if_fail (_imgimport_range_holds (self, at, sizeof value), 0);
  memcpy (&value, self->data + at, sizeof value);
  return GUINT64_FROM_LE (value);
}

G_END_DECLS
