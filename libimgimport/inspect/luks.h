/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two versions of LUKS share. */

#include "inspect/format.h"

G_BEGIN_DECLS

#define IMGIMPORT_LUKS2_BACKUP ((gsize)512) /* what is looked at of the second header */

/* The checks "payload" and "virtual_size" of encrypted data at `offset`, of `length` bytes, or
 * where it is 0, up to the end of the file of `size` bytes. */
void _imgimport_luks_add_payload (ImgImportMatch *match, guint64 offset, guint64 length,
                                  guint64 size);

/* The range with the second header, where the head does not hold it. */
gboolean _imgimport_luks2_locate (const ImgImportView *view, guint64 *offset, gsize *length);
/* All checks of a version 2 beyond that one, of a head that holds 592 bytes. */
void _imgimport_luks2_check (const ImgImportView *view, ImgImportMatch *match);

G_END_DECLS
