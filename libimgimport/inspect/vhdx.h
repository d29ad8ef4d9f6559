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

/* What the tables that were captured tell; all in zeros where one was not. */
typedef struct
{
  ImgImportVhdxArea blocks; /* regions of the file */
  ImgImportVhdxArea metadata;
  ImgImportVhdxArea parameters; /* items; offsets in the region of the metadata */
  ImgImportVhdxArea size;
  ImgImportVhdxArea sector;
  ImgImportVhdxArea parent;
  guint n_unknown; /* entries that must be understood */
} ImgImportVhdxTables;

void _imgimport_vhdx_read_regions (ImgImportVhdxTables *self, const ImgImportRange *table);
void _imgimport_vhdx_read_metadata (ImgImportVhdxTables *self, const ImgImportRange *table);
/* Where in the file the items lie that _imgimport_vhdx_check_items() reads. */
gboolean _imgimport_vhdx_locate_items (const ImgImportVhdxTables *self, guint64 *offset,
                                       gsize *length);
/* Adds the checks "metadata", "virtual_size" and "parent"; `items` NULL where they are missing. */
void _imgimport_vhdx_check_items (const ImgImportVhdxTables *self, const ImgImportRange *items,
                                  ImgImportMatch *match);

G_END_DECLS
