/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The master boot record, which is a partition table of its own or protects a GPT. */

#include "inspect/format.h"

G_BEGIN_DECLS

/* Whether the stream begins with one, and whether that protects a GPT. */
gboolean _imgimport_mbr_read (const ImgImportRange *head, gboolean *protective);
/* Why its table is not to be trusted; NULL where it is. Of a head that was read. */
char *_imgimport_mbr_fault (const ImgImportRange *head);

G_END_DECLS
