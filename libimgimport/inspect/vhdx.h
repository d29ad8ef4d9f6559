/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Hyper-V's second disk format says of itself in its tables. */

#include "inspect/format.h"

G_BEGIN_DECLS

#define IMGIMPORT_VHDX_TABLE ((gsize)64 * 1024)

/* An entry of a table of regions or of metadata. */
typedef struct
{
  guint n; /* how often it is there; the last one counts */
  guint64 offset;
  guint64 length;
} ImgImportVhdxArea;

/* Items of metadata whose values count. */
typedef enum
{
  IMGIMPORT_VHDX_PARAMETERS,
  IMGIMPORT_VHDX_SIZE,
  IMGIMPORT_VHDX_SECTOR,
  IMGIMPORT_VHDX_N_ITEMS,
} ImgImportVhdxItem;

/* What the tables that were captured tell; all in zeros where one was not. */
typedef struct
{
  ImgImportVhdxArea blocks; /* regions of the file */
  ImgImportVhdxArea metadata;
  ImgImportVhdxArea items[IMGIMPORT_VHDX_N_ITEMS]; /* offsets in the region of the metadata */
  ImgImportVhdxArea parent;
  guint n_unknown; /* entries that must be understood */
} ImgImportVhdxTables;

void _imgimport_vhdx_read_regions (ImgImportVhdxTables *self, const ImgImportRange *table);
void _imgimport_vhdx_read_metadata (ImgImportVhdxTables *self, const ImgImportRange *table);
/* Where the `n`-th item lies in the file, in the order of their offsets; FALSE where one of them is
 * not as it must be. */
gboolean _imgimport_vhdx_locate_item (const ImgImportVhdxTables *self, guint n, guint64 *offset,
                                      gsize *length);
/* Adds the checks "metadata", "virtual_size" and "parent"; `ranges` are those of the items that
 * were captured, in the order of their offsets. */
void _imgimport_vhdx_check_items (const ImgImportVhdxTables *self, const ImgImportRange *ranges,
                                  guint n_ranges, ImgImportMatch *match);

G_END_DECLS
